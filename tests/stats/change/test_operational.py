"""Operational figures against the same slot of earlier weeks, and against a moving average."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flyball.stats.change.operational import LEAST_RATIOS, Moving, level, log_ratio, share

SLOTS = 24
RATIOS = np.random.default_rng(100).normal(0, 0.05, LEAST_RATIOS).tolist()


def test_levels_that_follow_their_season_are_hardly_ever_surprising() -> None:
    """Six robust standard deviations of a normal logarithm: of 2,000 not one, of tails of t(5) a few."""
    rng = np.random.default_rng(101)
    for noise, most in ((rng.normal(0, 0.05, 2400), 0), (0.05 * rng.standard_t(5, 2400), 24)):
        figures = 1000 * np.exp(noise)
        ratios: list[float] = []
        alarms = 0
        for at in range(4, len(figures)):
            weeks = figures[at - 4 : at].tolist()
            alarms += level(figures[at], weeks, ratios[-336:]).verdict in ("LOW", "HIGH")
            ratio = log_ratio(figures[at], weeks)
            assert ratio is not None
            ratios.append(ratio)
        assert alarms <= most


@given(st.floats(1.0, 1e6), st.floats(0.1, 10.0))
def test_the_unit_of_a_level_does_not_matter(usual: float, factor: float) -> None:
    one, other = (level(scale * factor, [scale] * 4, RATIOS) for scale in (usual, 1000 * usual))
    assert one.verdict == other.verdict
    assert other.expected == pytest.approx(1000 * one.expected)


def test_one_holiday_among_the_weeks_does_no_harm() -> None:
    assert level(100.0, [20.0, 101.0, 99.0, 100.0], RATIOS).verdict == "OK"
    assert level(20.0, [20.0, 101.0, 99.0, 100.0], RATIOS).verdict == "LOW"


def test_too_little_past_is_told_and_not_judged() -> None:
    few, no_scale = level(5.0, [100.0] * 3, RATIOS), level(5.0, [100.0] * 4, RATIOS[1:])
    assert (few.verdict, no_scale.verdict) == ("INSUFFICIENT", "INSUFFICIENT")
    assert "3 earlier weeks" in few.reason
    assert "167 slots" in no_scale.reason


@pytest.mark.parametrize("spread", [0.0, 0.002])
def test_shares_that_scatter_as_before_are_rarely_surprising(spread: float) -> None:
    rng, alarms, asked = np.random.default_rng(102), 0, 0

    def draw() -> tuple[int, int]:
        rate = 0.05 if not spread else rng.beta(0.05 * (1 / spread - 1), 0.95 * (1 / spread - 1))
        return int(rng.binomial(2000, rate)), 2000

    for _ in range(8):
        weeks = {slot: [draw() for _ in range(4)] for slot in range(SLOTS)}
        for slot in range(SLOTS):
            alarms, asked = alarms + (share(weeks, slot, *draw(), alpha=0.02).verdict != "OK"), asked + 1
    assert alarms <= 0.02 * asked * 1.3 + 3 * (0.02 * asked) ** 0.5


def test_many_rows_are_judged_as_few_are() -> None:
    weeks = {slot: [(150, 15_000), (160, 15_000), (140, 15_000), (150, 15_000)] for slot in range(SLOTS)}
    few, many = share(weeks, 0, 240, 20_000), share(weeks, 0, 241, 20_001)
    assert few.low == pytest.approx(many.low, rel=0.02)
    assert few.high == pytest.approx(many.high, rel=0.02)


def test_a_feature_that_is_not_available_is_high() -> None:
    missing = {slot: [(3, 1000), (5, 1000), (4, 1000), (4, 1000)] for slot in range(SLOTS)}
    assert share(missing, 3, 30, 1000).verdict == "HIGH"
    assert share({3: missing[3][:3]}, 3, 30, 1000).verdict == "INSUFFICIENT"


@given(st.floats(allow_nan=True, allow_infinity=True))
@example(5e-324)  # over the usual it is 0, whose logarithm is none
def test_any_figure_gets_a_verdict(found: float) -> None:
    verdicts = ("OK", "LOW", "HIGH", "INSUFFICIENT")
    assert level(found, [5.0, float("nan"), 6.0, 7.0, 0.0], RATIOS).verdict in verdicts
    told, after = Moving(mean=1.0, variance=0.0, n=50).after(found)
    assert told.verdict in verdicts
    assert np.isfinite(after.mean)


def test_one_outlier_does_not_move_a_moving_baseline_for_long() -> None:
    rng, state = np.random.default_rng(104), Moving()
    for value in rng.normal(100, 5, 200):
        _, state = state.after(float(value))
    told, after = state.after(1000.0)
    assert told.verdict == "HIGH"
    assert after.mean < state.mean + 4
    assert after.after(100.0)[0].verdict == "OK"
