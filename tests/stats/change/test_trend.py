"""Trends of window figures: recovered, told apart from dependence, and refused where nothing can be told."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stats.mann_kendall import mann_kendall

from flyball.stats.change.trend import trend

DAY_S = 86_400.0


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_slope_is_found_in_its_unit_per_day() -> None:
    at = np.arange(80) * DAY_S / 4  # four windows a day
    found = trend(at, 0.02 * at / DAY_S + rng().normal(0, 0.05, 80), rng=rng(1))
    assert found.verdict == "DRIFT"
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.02 < found.high
    assert found.high - found.low < 0.01


@settings(max_examples=20)
@given(st.floats(-5, 5), st.floats(0.1, 10), st.integers(0, 2**32 - 1))
def test_level_and_unit_do_not_matter(level: float, unit: float, seed: int) -> None:
    at, values = np.arange(40) * DAY_S, rng(seed).normal(size=40)
    one, other = trend(at, values, rng=rng(1)), trend(at, level + unit * values, rng=rng(1))
    assert one.verdict == other.verdict
    assert one.p == other.p
    if one.slope is not None and other.slope is not None:
        assert other.slope == pytest.approx(unit * one.slope, rel=1e-6, abs=1e-9)


def test_the_order_in_which_figures_come_does_not_matter() -> None:
    at, values = np.arange(40) * DAY_S, rng(3).normal(size=40)
    shuffled = rng(4).permutation(40)
    assert trend(at, values, rng=rng(1)) == trend(at[shuffled], values[shuffled], rng=rng(1))


def test_a_wandering_mean_is_no_trend_and_no_answer() -> None:
    walk = np.cumsum(rng(5).normal(size=60))
    found = trend(np.arange(60) * DAY_S, walk, rng=rng(1))
    assert (found.verdict, found.slope) == ("INSUFFICIENT", None)
    assert mann_kendall(walk) < 0.05  # the plain test is sure


@pytest.mark.parametrize(
    ("at", "values", "verdict", "told"),
    [
        ([], [], "INSUFFICIENT", "0 figures"),
        ([0.0], [1.0], "INSUFFICIENT", "1 figures"),
        (np.arange(40.0), np.ones(40), "OK", "constant"),
        (np.arange(40.0), np.r_[np.ones(39), np.nan], "INVALID", "not finite"),
        (np.zeros(40), np.arange(40.0), "INVALID", "same time"),
    ],
)
def test_bad_series_are_verdicts_with_reasons(at: list[float], values: list[float], verdict: str, told: str) -> None:
    found = trend(at, values, rng=rng())
    assert found.verdict == verdict
    assert told in found.reason
