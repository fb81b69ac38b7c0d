"""Confidence sequences: upstream values, and what a bound must obey."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.confidence_sequences.sequences import (
    asymptotic_half_width,
    asymptotic_rho,
    bernoulli_upper,
    normal_mixture_bound,
    normal_mixture_log_e,
    normal_mixture_rho,
)


def test_the_upstream_values_of_the_normal_mixture() -> None:
    """confseq, v_opt = 100, alpha = 0.05; log M at s = 10, v = 100, and the bound at v = 100."""
    two, one = normal_mixture_rho(100, alpha=0.05), normal_mixture_rho(100, alpha=0.10)
    assert two == pytest.approx(12.60056, abs=5e-6)
    assert normal_mixture_log_e(10, 100, rho=two) == pytest.approx(-0.6510052, abs=5e-8)
    assert normal_mixture_bound(100, alpha=0.05, rho=two) == pytest.approx(30.35209, abs=5e-6)
    assert normal_mixture_log_e(10, 100, rho=one, one_sided=True) == pytest.approx(-0.06502391, abs=5e-9)
    assert normal_mixture_bound(100, alpha=0.05, rho=one, one_sided=True) == pytest.approx(27.66071, abs=5e-6)


@pytest.mark.parametrize(
    ("n", "difference", "expected"),
    [(100, 0.1, -0.119399), (1000, 0.1, 1.187454), (1000, 0.2, 7.437454), (5000, 0.05, 1.375759)],
)
def test_the_published_values_of_the_two_sample_sprt(n: int, difference: float, expected: float) -> None:
    """sigma^2 = 1, tau^2 = 0.01: the mixture at s = nD, v = nV, rho = V^2 / tau^2 with V = 2."""
    assert normal_mixture_log_e(n * difference, 2 * n, rho=400) == pytest.approx(expected, abs=5e-7)


def test_the_published_half_widths() -> None:
    rho = asymptotic_rho(5000, alpha=0.05)
    assert rho == pytest.approx(0.03984007, abs=5e-9)
    found = [asymptotic_half_width(n, 1.0, alpha=0.05, rho=rho) for n in (1000, 5000, 10_000)]
    assert found == pytest.approx([0.106375, 0.042924, 0.030615], abs=5e-7)
    one = asymptotic_rho(5000, alpha=0.05, one_sided=True)
    assert one == pytest.approx(0.03557769, abs=5e-9)
    found = [asymptotic_half_width(n, 1.0, alpha=0.05, rho=one, one_sided=True) for n in (1000, 5000, 10_000)]
    assert found == pytest.approx([0.099688, 0.039302, 0.028013], abs=5e-7)
    with pytest.raises(NotEnoughData, match="n=1"):
        asymptotic_half_width(1, 1.0, alpha=0.05, rho=rho)


def test_300_requests_without_an_error_are_enough_for_a_ceiling_of_two_percent() -> None:
    assert bernoulli_upper(300, 0, alpha=0.05) < 0.02
    assert bernoulli_upper(300, 1, alpha=0.10) < 0.02
    assert bernoulli_upper(300, 2, alpha=0.10) > 0.02


@given(st.integers(0, 10**6), st.data(), st.floats(0.001, 0.5))
def test_an_upper_bound_is_above_the_rate_seen_and_moves_the_right_way(
    n: int, data: st.DataObject, alpha: float
) -> None:
    x = data.draw(st.integers(0, n))
    bound = bernoulli_upper(n, x, alpha=alpha)
    assert x / max(n, 1) <= bound <= 1
    assert bernoulli_upper(n + 1, x + 1, alpha=alpha) >= bound - 1e-9  # an error never lowers it
    assert bernoulli_upper(n + 1, x, alpha=alpha) <= bound + 1e-9  # a good answer never raises it
    assert bernoulli_upper(n, x, alpha=alpha / 2) >= bound


@pytest.mark.parametrize(("n", "x"), [(0, 0), (1, 1), (10**9, 10**9)])
def test_nothing_but_events_bounds_nothing(n: int, x: int) -> None:
    assert bernoulli_upper(n, x, alpha=0.05) == 1


def test_very_long_streams_stay_finite() -> None:
    assert 0.001 < bernoulli_upper(10**9, 10**6, alpha=0.05) < 0.00101
    assert 0 < bernoulli_upper(10**9, 0, alpha=0.05) < 1e-7


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="0 <= x <= n"):
        bernoulli_upper(3, 4, alpha=0.05)
    with pytest.raises(ValueError, match="alpha=0"):
        bernoulli_upper(3, 1, alpha=0)
