"""Wald's tests of means and of events per exposure: the published sample numbers, and laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.sequential_tests.sprt import BernoulliSprt, Finding, expected_events, fixed_sample_of_rate
from flyball.stats.sequential_tests.sprt_of_means import NormalSprt, PoissonSprt


@pytest.mark.parametrize(
    ("d", "alpha", "beta", "wald", "fixed"),
    [
        (0.5, 0.05, 0.05, (21.20, 21.20), 43.29),
        (0.2, 0.05, 0.10, (99.71, 118.81), 214.10),
        (0.1, 0.05, 0.20, (268.32, 381.29), 618.26),
    ],
)
def test_the_published_sample_numbers_of_means(
    d: float, alpha: float, beta: float, wald: tuple[float, float], fixed: float
) -> None:
    test = NormalSprt(bad=d, sd=1.0)
    assert test.expected_sample(alpha=alpha, beta=beta) == pytest.approx(wald, abs=0.005)
    assert test.fixed_sample(alpha=alpha, beta=beta) == pytest.approx(fixed, abs=0.005)


@pytest.mark.parametrize(
    ("p0", "p1", "beta", "fixed"),
    [(0.01, 0.02, 0.10, 1177), (0.01, 0.10, 0.10, 37.1), (0.05, 0.10, 0.20, 149.3), (0.01, 0.05, 0.10, 122.6)],
)
def test_the_published_fixed_sample_numbers_of_rates(p0: float, p1: float, beta: float, fixed: float) -> None:
    found = fixed_sample_of_rate(p0, p1, beta=beta)
    assert found == pytest.approx(fixed, rel=5e-4)
    assert max(expected_events(p0, p1, beta=beta)) < found  # what looking early saves


def test_the_published_formulas_of_the_ratios() -> None:
    """d sum(x) / sd^2 - n d^2 / (2 sd^2), and K ln(l1 / l0) - (l1 - l0) T."""
    normal = NormalSprt(bad=0.3, sd=2.0).plus(7, 4.2)
    assert normal.llr == pytest.approx(0.3 * 4.2 / 4 - 7 * 0.09 / 8)
    poisson = PoissonSprt(good=0.5, bad=1.25).observe(3, 4.0)
    assert poisson.llr == pytest.approx(3 * math.log(2.5) - 0.75 * 4.0)


values = st.lists(st.floats(-50, 50), max_size=30)


@given(values, values, st.floats(-5, 5), st.floats(0.1, 3), st.floats(0.1, 10))
def test_only_the_difference_from_good_counts(
    first: list[float], second: list[float], good: float, d: float, sd: float
) -> None:
    moved = NormalSprt(good=good, bad=good + d, sd=sd)
    at_once = NormalSprt(bad=d, sd=sd).plus(len(first + second), sum(first + second))
    for value in first + second:
        moved = moved.observe(value + good)
    assert moved.llr == pytest.approx(at_once.llr, abs=1e-6, rel=1e-6)
    assert moved.n == at_once.n


@given(values, st.floats(0.01, 5))
def test_a_larger_value_and_one_event_more_only_ever_raise_the_ratio(seen: list[float], more: float) -> None:
    state = NormalSprt(bad=1.0, sd=1.0).plus(len(seen), sum(seen))
    assert state.observe(1.0 + more).llr > state.observe(1.0).llr > state.llr
    counted = PoissonSprt(good=1.0, bad=2.0).observe(len(seen), 3.0)
    assert counted.observe(1, 0.0).llr > counted.llr > counted.observe(0, more).llr


@given(st.integers(0, 20), st.integers(0, 20), st.floats(0, 50), st.floats(0, 50))
def test_exposure_may_be_cut_anywhere(a: int, b: int, s: float, t: float) -> None:
    blank = PoissonSprt(good=0.5, bad=1.5)
    merged = blank.observe(a, s).merge(blank.observe(b, t))
    assert merged.llr == pytest.approx(blank.observe(a + b, s + t).llr, abs=1e-9)


def test_rare_events_are_the_limit_of_rates() -> None:
    """As a rate falls and its trials grow, the test of rates becomes the test of events per exposure."""
    rates, poisson = BernoulliSprt(p0=1e-6, p1=2e-6), PoissonSprt(good=1e-6, bad=2e-6)
    up, down = rates.observe(True).llr, rates.observe(False).llr
    assert 5 * up + (3_000_000 - 5) * down == pytest.approx(poisson.observe(5, 3_000_000).llr, abs=1e-4)
    assert expected_events(1e-6, 2e-6) == pytest.approx(poisson.expected_exposure(), rel=1e-5)


def test_the_upper_bound_means_worse_and_the_lower_one_never_better() -> None:
    blank = NormalSprt(bad=1.0, sd=1.0)
    assert blank.plus(20, 30.0).verdict() is Finding.WORSE
    assert blank.plus(20, -30.0).verdict() is Finding.NOT_WORSE
    assert blank.verdict() is Finding.UNDECIDED
    rates = PoissonSprt(good=1.0, bad=2.0)
    assert rates.observe(30, 10.0).verdict() is Finding.WORSE
    assert rates.observe(0, 10.0).verdict() is Finding.NOT_WORSE


def test_what_cannot_be_is_refused() -> None:
    for make in (
        lambda: NormalSprt(bad=0.0, sd=1.0),
        lambda: NormalSprt(bad=1.0, sd=0.0),
        lambda: NormalSprt(bad=math.inf, sd=1.0),
        lambda: NormalSprt(bad=1.0, sd=1.0).observe(math.nan),
        lambda: PoissonSprt(good=0.0, bad=1.0),
        lambda: PoissonSprt(good=1.0, bad=2.0).observe(-1, 1.0),
        lambda: PoissonSprt(good=1.0, bad=2.0).observe(1, -1.0),
        lambda: PoissonSprt(good=1.0, bad=2.0).merge(PoissonSprt(good=1.0, bad=3.0)),
        lambda: fixed_sample_of_rate(0.2, 0.1),
    ):
        with pytest.raises(ValueError, match=r"expected|designs"):
            make()
