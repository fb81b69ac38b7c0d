"""Sample-ratio evidence over routing epochs: it multiplies, and order does not matter."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.experiment.ratio_epochs import RatioEpochs
from flyball.stats.experiment.ratio_mismatch import anytime_p, ratio_log_e

SHARES = {1: (0.99, 0.01), 2: (0.9, 0.1), 3: (0.5, 0.5)}
reports = st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.integers(0, 500), st.integers(0, 500)), max_size=12)


def run(seen: list[tuple[int, int, int]]) -> RatioEpochs:
    state = RatioEpochs()
    for epoch, champion, candidate in seen:
        state = state.plus(epoch, SHARES[epoch], (champion, candidate))
    return state


@given(reports)
def test_the_evidence_of_epochs_multiplies(seen: list[tuple[int, int, int]]) -> None:
    expected = 0.0
    for epoch, shares in SHARES.items():
        totals = [sum(report[arm] for report in seen if report[0] == epoch) for arm in (1, 2)]
        expected += ratio_log_e(totals, shares)
    assert run(seen).log_e == pytest.approx(expected, abs=1e-9)


@given(reports, reports)
def test_merging_is_addition_in_any_order(one: list[tuple[int, int, int]], other: list[tuple[int, int, int]]) -> None:
    assert run(one).merge(run(other)) == run(one + other) == run(other).merge(run(one))
    assert run(list(reversed(one))) == run(one)


def test_the_published_counts_one_after_another() -> None:
    """The reference page, 5.8: 17.098940 and 5.958521, so their product."""
    found = RatioEpochs().plus(1, (0.5, 0.5), (600, 400)).plus(2, (0.9, 0.1), (9120, 880))
    assert found.log_e == pytest.approx(17.098940 + 5.958521, abs=1e-6)
    assert RatioEpochs().plus(1, (0.5, 0.5), (520, 480)).log_e == pytest.approx(-0.473125, abs=5e-7)


def test_counts_that_fit_the_sum_but_no_epoch_are_found() -> None:
    """30 % at 10 % and 30 % at 50 %: together as promised, and wrong twice."""
    found = RatioEpochs().plus(1, (0.9, 0.1), (700, 300)).plus(2, (0.5, 0.5), (700, 300))
    assert anytime_p(found.log_e) < 1e-9
    assert ratio_log_e((1400, 600), (0.7, 0.3)) < 0


def test_an_arm_of_weight_0_gets_nothing_or_the_routing_is_broken() -> None:
    quiet = RatioEpochs().plus(1, (1.0, 0.0), (500, 0))
    assert quiet.log_e == 0.0
    assert quiet.plus(1, (1.0, 0.0), (0, 1)).log_e == math.inf
    assert anytime_p(math.inf) == 0.0


def test_what_cannot_be_is_refused() -> None:
    state = RatioEpochs().plus(1, (0.9, 0.1), (9, 1))
    for shares, counts in (((0.8, 0.2), (1, 1)), ((0.5, 0.4), (1, 1)), ((1.0,), (1, 1)), ((0.9, 0.1), (-1, 1))):
        with pytest.raises(ValueError, match="expected"):
            state.plus(1, shares, counts)
    with pytest.raises(ValueError, match="sum to 1"):
        RatioEpochs().plus(1, (math.nan, 0.5), (1, 1))
