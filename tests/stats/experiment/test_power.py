"""Sizes before the start: the published numbers, and what a size has to do when its inputs move."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.experiment.power import (
    ending,
    events_to_advance,
    events_to_roll_back,
    least_margin,
    non_inferiority_size,
    superiority_size,
)
from flyball.stats.sequential_tests.sequential import accept_bound, rollback_bound
from flyball.stats.sequential_tests.sprt import sprt_bounds

rates = st.floats(0.001, 0.5)
shares = st.floats(0.01, 0.99)


@pytest.mark.parametrize(("rate", "margin", "each"), [(0.05, 0.005, 23_494), (0.01, 0.002, 30_604)])
def test_the_published_sizes_of_equal_arms(rate: float, margin: float, each: int) -> None:
    assert non_inferiority_size(rate, margin).candidate == each


@pytest.mark.parametrize(
    ("share", "total", "candidate"),
    [(0.50, 61_207, 30_604), (0.10, 170_020, 17_002), (0.05, 322_144, 16_107), (0.01, 1_545_639, 15_456)],
)
def test_the_published_sizes_of_unequal_arms(share: float, total: int, candidate: int) -> None:
    """The page rounds to the nearest unit, we round up."""
    found = non_inferiority_size(0.01, 0.002, share=share)
    assert (found.total, found.candidate) == pytest.approx((total, candidate), abs=1)
    assert found.total >= total


def test_a_textbook_size_of_a_difference() -> None:
    """Fleiss, Levin and Paik, table A.4 without the continuity correction: 0.50 against 0.60, 5 %, power 80 %: 385."""
    assert superiority_size(0.50, 0.60).candidate == 385


@given(rates, st.floats(0.001, 0.1), shares)
def test_a_size_and_its_margin_are_each_others_inverse(rate: float, margin: float, share: float) -> None:
    size = non_inferiority_size(rate, margin, share=share)
    assert least_margin(rate, size.total, share=share) <= margin * (1 + 1e-9)
    assert least_margin(rate, max(1, size.total - 1), share=share) >= margin * (1 - 1e-9)


@given(rates, st.floats(0.001, 0.1), shares)
def test_equal_arms_need_the_fewest_and_half_the_margin_four_times_as_many(
    rate: float, margin: float, share: float
) -> None:
    size = non_inferiority_size(rate, margin, share=share).total
    assert size >= non_inferiority_size(rate, margin).total
    assert non_inferiority_size(rate, margin / 2, share=share).total == pytest.approx(4 * size, abs=4)


@given(rates, st.floats(0.001, 0.1), shares)
def test_counting_at_the_margin_costs_units_where_errors_are_rare(rate: float, margin: float, share: float) -> None:
    plain, honest = (non_inferiority_size(rate, margin, share=share, at_margin=told) for told in (False, True))
    assert (honest.total >= plain.total) == (rate + margin <= 1 - rate)


@given(rates, st.floats(1.1, 1.9), shares)
def test_a_size_does_not_depend_on_which_arm_is_the_better_one(rate: float, ratio: float, share: float) -> None:
    there, back = (
        superiority_size(rate, rate * ratio, share=share),
        superiority_size(rate * ratio, rate, share=1 - share),
    )
    assert there.total == pytest.approx(back.total, abs=1)


def test_what_cannot_be_sized_is_refused() -> None:
    for faulty in (
        lambda: superiority_size(0.1, 0.1),
        lambda: superiority_size(0.1, 0.2, sides=3),
        lambda: non_inferiority_size(0.1, 0.0),
        lambda: non_inferiority_size(0.0, 0.1),
        lambda: non_inferiority_size(0.1, 0.1, share=1.0),
        lambda: least_margin(0.1, 0),
    ):
        with pytest.raises(ValueError, match="expected"):
            faulty()


@pytest.mark.parametrize(
    ("w", "design", "events", "errors"),
    [
        (0.10, 2, (79.8, 84.4), (0.0405, 0.0969)),
        (0.50, 2, (37.0, 45.2), (0.0446, 0.0855)),
        (0.01, 3, (235, 218.3), (0.0347, 0.1005)),
    ],
)
def test_the_published_error_event_tests(
    w: float, design: float, events: tuple[float, float], errors: tuple[float, float]
) -> None:
    upper, lower = sprt_bounds(0.05, 0.10)
    same, worse = (ending(w, design, ratio, upper=upper, lower=lower) for ratio in (1.0, design))
    assert (same.events, worse.events) == pytest.approx(events, abs=0.06)
    assert (same.rolled_back, worse.advanced) == pytest.approx(errors, abs=6e-5)
    assert same.rolled_back + same.advanced == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("w", [0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("design", [2.0, 3.0])
def test_the_quick_estimates_are_a_little_below_the_exact_means(w: float, design: float) -> None:
    """They leave out the overshoot, and the other bound, which an equal candidate seldom meets first."""
    far = 60.0
    back = ending(w, design, 5.0, upper=rollback_bound(0.05, 2), lower=-far).events
    on = ending(w, design, 1.0, upper=far, lower=accept_bound(0.10)).events
    assert events_to_roll_back(w, design, 5.0) <= back <= 1.5 * events_to_roll_back(w, design, 5.0) + 2
    assert events_to_advance(w, design) <= on <= 1.5 * events_to_advance(w, design) + 2


@given(shares, st.floats(1.1, 5), st.floats(1, 20))
def test_worse_candidates_are_sent_back_sooner(w: float, design: float, ratio: float) -> None:
    assert events_to_roll_back(w, design, 1.5 * ratio) <= events_to_roll_back(w, design, ratio)
    assert events_to_advance(w, design, 1.5 * ratio) >= events_to_advance(w, design, ratio)


def test_an_equal_candidate_need_never_be_sent_back_and_one_arm_alone_says_nothing() -> None:
    assert math.isinf(events_to_roll_back(0.1, 2, 1.0))
    assert math.isinf(events_to_roll_back(1.0, 2, 10.0))
    assert ending(1.0, 2, 10.0, upper=3.0, lower=-2.0).events == 0.0
