"""Stitched bounds: upstream values, and how they grow."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.confidence_sequences.sequences import normal_mixture_bound, normal_mixture_rho
from flyball.stats.confidence_sequences.stitching import distribution_bound, quantile_bound, stitched_bound


def test_the_upstream_values() -> None:
    """confseq's unit tests, to their tolerance of 1e-5; ours of the distribution bound is larger by 1e-7: its constant
    is the least to the last digit."""
    assert stitched_bound(100, alpha=0.05, v_min=10, c=3) == pytest.approx(64.48755, abs=1e-5)
    assert stitched_bound(100, alpha=0.05, v_min=10, c=-1) == pytest.approx(28.99389, abs=1e-5)
    assert distribution_bound(1000, alpha=0.05, n_min=100, a=0.85) == pytest.approx(0.08204769, abs=1e-5)


@pytest.mark.parametrize(("p", "expected"), [(0.5, 68.62803), (0.9, 43.72119), (0.1, 59.96521)])
def test_the_upstream_values_for_all_quantiles_at_once(p: float, expected: float) -> None:
    assert quantile_bound(p, 1000, alpha=0.05, n_min=100) == pytest.approx(expected, abs=1e-5)


def test_it_grows_as_slowly_as_the_iterated_logarithm_and_a_mixture_faster() -> None:
    rho = normal_mixture_rho(100, alpha=0.1)
    late = [
        (stitched_bound(v, alpha=0.05, v_min=100), normal_mixture_bound(v, alpha=0.05, rho=rho, one_sided=True))
        for v in (1e3, 1e60)
    ]
    assert late[0][0] > late[0][1]  # where one looks, the mixture is tighter
    assert late[1][0] < late[1][1]  # after for ever, the stitched bound


@given(st.floats(1, 1e9), st.floats(0.001, 0.5), st.floats(0, 5))
def test_a_bound_of_sums_moves_the_right_way(v: float, alpha: float, c: float) -> None:
    bound = stitched_bound(v, alpha=alpha, v_min=1.0, c=c)
    assert bound > 0
    assert stitched_bound(v * 1.5, alpha=alpha, v_min=1.0, c=c) > bound
    assert stitched_bound(v, alpha=alpha / 2, v_min=1.0, c=c) > bound
    assert stitched_bound(v, alpha=alpha, v_min=1.0, c=c + 0.5) > bound


@given(st.integers(100, 10**7))
def test_a_distribution_is_known_better_with_more_values(n: int) -> None:
    assert distribution_bound(2 * n, alpha=0.05, n_min=100) < distribution_bound(n, alpha=0.05, n_min=100)
    assert distribution_bound(n, alpha=0.05, n_min=100) > math.sqrt(math.log(2 / 0.05) / (2 * n))  # one look: DKW


def test_far_out_quantiles_are_narrower_and_before_the_first_epoch_nothing_is_said() -> None:
    assert quantile_bound(0.99, 10_000, alpha=0.05, n_min=100) < quantile_bound(0.5, 10_000, alpha=0.05, n_min=100) / 2
    assert distribution_bound(99, alpha=0.05, n_min=100) == math.inf
    assert stitched_bound(1, alpha=0.05, v_min=10) == stitched_bound(10, alpha=0.05, v_min=10)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="v_min > 0"):
        stitched_bound(1, alpha=0.05, v_min=0)
    with pytest.raises(ValueError, match="n_min >= 1"):
        distribution_bound(1, alpha=0.05, n_min=0)
    with pytest.raises(ValueError, match="delta > 0"):
        quantile_bound(0.5, 10, alpha=0.05, n_min=1, delta=0)
    with pytest.raises(ValueError, match="budget"):
        quantile_bound(1.0, 10, alpha=0.05, n_min=1)
