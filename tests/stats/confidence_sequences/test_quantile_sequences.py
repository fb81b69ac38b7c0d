"""Confidence sequences of quantiles, from samples and from counts: laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.confidence_sequences.bernoulli_sequence import rate_log_e
from flyball.stats.confidence_sequences.quantile_sequences import (
    quantile_bounds,
    quantile_bounds_of_counts,
    quantile_ranks,
)

sizes, levels = st.integers(1, 3000), st.sampled_from([0.01, 0.25, 0.5, 0.9, 0.99])
EDGES = (1.0, 2.0, 4.0, 8.0, 16.0)


@given(sizes, levels, st.floats(0.001, 0.4))
def test_between_the_ranks_are_exactly_the_counts_that_are_not_refuted(n: int, p: float, alpha: float) -> None:
    first, last = quantile_ranks(n, p, alpha=alpha, n_opt=500)
    assert 0 <= first <= n * p + 1
    assert n * p <= last <= n + 1
    for count in {0, first - 1, first, last - 1, last, n}:
        if 0 <= count <= n:
            refuted = rate_log_e(n, count, p, alpha=alpha, n_opt=500) >= -math.log(alpha)
            assert refuted is not (first <= count < last)


@given(sizes, levels, st.floats(0.001, 0.4))
def test_the_mirrored_quantile_has_the_mirrored_ranks(n: int, p: float, alpha: float) -> None:
    first, last = quantile_ranks(n, p, alpha=alpha)
    assert quantile_ranks(n, 1 - p, alpha=alpha) == pytest.approx((n + 1 - last, n + 1 - first), abs=1)


@given(st.lists(st.floats(0.01, 30), min_size=1, max_size=400), levels)
def test_a_histogram_tells_at_most_one_bin_less_than_its_sample(seen: list[float], p: float) -> None:
    counts = np.bincount(np.searchsorted(EDGES, seen), minlength=len(EDGES) + 1)
    low, high = quantile_bounds(seen, p, alpha=0.2, n_opt=100)
    rough_low, rough_high = quantile_bounds_of_counts(counts.tolist(), EDGES, p, alpha=0.2, n_opt=100)
    assert rough_low <= low
    assert high <= rough_high
    around = [-math.inf, *EDGES, math.inf]
    if math.isfinite(low):
        assert rough_low == around[int(np.searchsorted(EDGES, low))]
    if math.isfinite(high):
        assert rough_high == around[int(np.searchsorted(EDGES, high)) + 1]


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=200), levels)
def test_neither_order_nor_a_rising_change_of_unit_matters(seen: list[float], p: float) -> None:
    low, high = quantile_bounds(seen, p, alpha=0.2, n_opt=100)
    other = quantile_bounds([3 * value + 1 for value in reversed(seen)], p, alpha=0.2, n_opt=100)
    assert other == pytest.approx((3 * low + 1, 3 * high + 1))


def test_too_few_values_bound_nothing_and_p99_needs_many() -> None:
    assert quantile_bounds([], 0.5, alpha=0.05) == (-math.inf, math.inf)
    assert quantile_bounds([1.0] * 10, 0.99, alpha=0.05) == (-math.inf, math.inf)
    upper = [quantile_bounds(np.arange(float(n)), 0.99, alpha=0.05, n_opt=2000)[1] for n in (606, 607)]
    assert upper == [math.inf, 606.0]


def test_an_answer_that_never_came_is_a_value_too() -> None:
    low, high = quantile_bounds([1.0] * 900 + [math.inf] * 100, 0.99, alpha=0.05, n_opt=1000)
    assert (low, high) == (math.inf, math.inf)


def test_a_constant_metric_is_known_exactly() -> None:
    assert quantile_bounds([7.0] * 500, 0.5, alpha=0.05, n_opt=500) == (7.0, 7.0)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        quantile_bounds([1.0, math.nan], 0.5, alpha=0.05)
    with pytest.raises(ValueError, match="p=1"):
        quantile_bounds([1.0], 1.0, alpha=0.05)
    with pytest.raises(ValueError, match="one count"):
        quantile_bounds_of_counts([1, 2], [1.0, 2.0], 0.5, alpha=0.05)
    with pytest.raises(ValueError, match="rising"):
        quantile_bounds_of_counts([1, 2, 3], [2.0, 1.0], 0.5, alpha=0.05)
