"""Control charts: published run lengths, simulated run lengths, and the baseline's own error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.change.control_charts import (
    Cusum,
    Residual,
    cusum_limit,
    cusum_run_length,
    ewma_run_length,
    run_length_on_estimate,
)


@pytest.mark.parametrize(
    ("h", "shift", "published"), [(5, 0.0, 465), (5, 0.5, 38.0), (5, 1.0, 10.4), (4, 0.0, 168), (4, 1.0, 8.38)]
)
def test_published_run_lengths_of_a_cusum_at_k_one_half(h: float, shift: float, published: float) -> None:
    assert cusum_run_length(h, shift=shift) == pytest.approx(published, rel=0.003)


@pytest.mark.parametrize(("shift", "published"), [(0.0, 500), (0.25, 106), (0.5, 31.3), (1.0, 10.3)])
def test_published_run_lengths_of_an_ewma(shift: float, published: float) -> None:
    """Lucas and Saccucci 1990, weight 0.1, width 2.814."""
    assert ewma_run_length(2.814, shift=shift) == pytest.approx(published, rel=0.005)


def simulated(rng: np.random.Generator, h: float, baseline: int | None, *, runs: int, self_starting: bool) -> float:
    """Alarms a window over 100 windows of 100 rows, sums starting anew after an alarm."""
    alarms = 0
    for _ in range(runs):
        rows = Residual(rows=float(baseline or 1e12), mean=rng.normal(0, (baseline or 1e12) ** -0.5), variance=1.0)
        state = Cusum()
        for mean in rng.normal(0, 0.1, 100):
            z, learned = rows.compared(100.0, float(mean))
            if self_starting:
                rows = learned
            else:
                z = (float(mean) - rows.mean) / 0.1
            state = state.after(z)
            if state.beyond(h):
                alarms, state = alarms + 1, Cusum()
    return alarms / (100 * runs)


def test_a_chart_that_starts_itself_keeps_its_run_length_with_a_small_baseline() -> None:
    rng, h = np.random.default_rng(91), cusum_limit(100.0)
    assert simulated(rng, h, 1000, runs=150, self_starting=True) == pytest.approx(1 / 100, rel=0.25)


def test_a_chart_on_an_estimate_alarms_as_often_as_is_computed() -> None:
    """Ten times the window's rows as baseline: five times the promised alarms."""
    rng = np.random.default_rng(92)
    computed = 1 / run_length_on_estimate(5.0, ratio=0.1)
    assert computed > 5 / 465
    assert simulated(rng, 5.0, 1000, runs=300, self_starting=False) == pytest.approx(computed, rel=0.25)


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=30))
def test_a_cusum_is_the_largest_sum_over_all_beginnings(values: list[float]) -> None:
    state = Cusum()
    for z in values:
        state = state.after(z)
    sums = [sum(z - 0.5 for z in values[at:]) for at in range(len(values))]
    assert state.up == pytest.approx(max([0.0, *sums]), abs=1e-9)


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(-5, 5)), min_size=1, max_size=10))
def test_the_rows_behind_a_residual_are_the_mean_of_all_rows(windows: list[tuple[int, float]]) -> None:
    state = Residual(rows=10.0, mean=1.0, variance=2.0)
    for rows, mean in windows:
        _, state = state.compared(float(rows), mean)
    total = 10 + sum(rows for rows, _ in windows)
    assert state.rows == total
    assert state.mean == pytest.approx((10 + sum(rows * mean for rows, mean in windows)) / total)
