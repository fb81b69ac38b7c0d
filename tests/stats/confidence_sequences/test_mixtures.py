"""Conjugate mixtures: upstream values, each mean exactly 1 under its null, and laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from flyball.stats.confidence_sequences.mixtures import (
    beta_binomial_log_e,
    gamma_exponential_log_e,
    gamma_poisson_log_e,
    mixture_bound,
)
from flyball.stats.confidence_sequences.sequences import normal_mixture_rho

TWO, ONE = normal_mixture_rho(100, alpha=0.05), normal_mixture_rho(100, alpha=0.10)


def test_the_upstream_values() -> None:
    """confseq, v_opt = 100, alpha = 0.05; log M at s = 10, v = 100, and the bound at v = 100."""
    exponential = gamma_exponential_log_e(10, 100, rho=ONE, c=2)
    assert exponential == pytest.approx(-0.2490165, abs=5e-8)
    found = mixture_bound(lambda s: gamma_exponential_log_e(s, 100, rho=ONE, c=2), alpha=0.05, scale=10)
    assert found == pytest.approx(33.02017, abs=5e-6)
    assert gamma_poisson_log_e(10, 100, rho=ONE, c=2) == pytest.approx(-0.06991219, abs=5e-9)
    found = mixture_bound(lambda s: gamma_poisson_log_e(s, 100, rho=ONE, c=2), alpha=0.05, scale=10)
    assert found == pytest.approx(30.1949, abs=5e-5)


@pytest.mark.parametrize(("rho", "one_sided", "log_e", "bound"), [
    (TWO, False, -0.6941012, 31.4308),
    (ONE, True, -0.07134019, 28.41238),
])  # fmt: skip
def test_the_upstream_values_of_shares(rho: float, one_sided: bool, log_e: float, bound: float) -> None:
    def at(s: float) -> float:
        return beta_binomial_log_e(s, 100, rho=rho, g=0.2, h=0.8, one_sided=one_sided)

    assert at(10) == pytest.approx(log_e, abs=5e-8)
    assert mixture_bound(at, alpha=0.05, highest=100 / 0.2, scale=10) == pytest.approx(bound, abs=6e-6)


def test_where_even_the_largest_sum_is_no_evidence_the_bound_is_that_sum() -> None:
    """Upstream: two trials at g = 0.2 that both succeed."""

    def at(s: float) -> float:
        return beta_binomial_log_e(s, 2 * 0.16, rho=ONE, g=0.2, h=0.8)

    assert mixture_bound(at, alpha=0.05, highest=0.32 / 0.2, scale=0.5) == pytest.approx(2 * 0.8)


@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (10, 0.05), (40, 0.5)])
@pytest.mark.parametrize("one_sided", [True, False])
def test_the_mean_over_shares_is_one(n: int, p: float, one_sided: bool) -> None:
    mean = sum(
        stats.binom.pmf(x, n, p)
        * math.exp(beta_binomial_log_e(x - n * p, n * p * (1 - p), rho=3.0, g=p, h=1 - p, one_sided=one_sided))
        for x in range(n + 1)
    )
    assert mean == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("v", [0.5, 3.0, 40.0])
def test_the_mean_over_counts_is_one(v: float) -> None:
    mean = sum(math.exp(stats.poisson.logpmf(x, v) + gamma_poisson_log_e(x - v, v, rho=2.0)) for x in range(2000))
    assert mean == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("n", [1, 5, 30])
def test_the_mean_over_waiting_times_is_one(n: int) -> None:
    """The sum of n exponential times of mean 2: c = 2, v = 4 n."""
    law = stats.gamma(n, scale=2.0)
    mean, _ = integrate.quad(
        lambda t: law.pdf(t) * math.exp(gamma_exponential_log_e(t - 2 * n, 4.0 * n, rho=30.0, c=2.0)),
        0,
        2 * n + 60 * math.sqrt(4 * n) + 200,
        limit=500,
        points=[2.0 * n],
    )
    assert mean == pytest.approx(1, abs=1e-4)


@given(st.floats(0.1, 1e4), st.floats(0.01, 50), st.floats(0.05, 3), st.floats(0, 5), st.floats(0, 5))
def test_a_larger_sum_is_more_evidence(v: float, rho: float, c: float, a: float, b: float) -> None:
    small, large = sorted((a * math.sqrt(v), b * math.sqrt(v)))
    for log_e in (gamma_exponential_log_e, gamma_poisson_log_e):
        assert log_e(small, v, rho=rho, c=c) <= log_e(large, v, rho=rho, c=c) + 1e-6


@given(st.floats(0.5, 1e4), st.floats(0.001, 0.3))
def test_a_smaller_budget_gives_a_wider_bound(v: float, alpha: float) -> None:
    def bound(budget: float) -> float:
        return mixture_bound(lambda s: gamma_poisson_log_e(s, v, rho=ONE), alpha=budget, scale=math.sqrt(v))

    assert 0 < bound(alpha) < bound(alpha / 2)


def test_with_a_small_scale_all_become_the_normal_mixture() -> None:
    """The light-tailed limit: c to 0."""
    normal = (
        0.5 * math.log(4 * ONE / (100 + ONE)) + 100 / (2 * (100 + ONE)) + stats.norm.logcdf(10 / math.sqrt(100 + ONE))
    )
    for log_e in (gamma_exponential_log_e, gamma_poisson_log_e):
        assert log_e(10, 100, rho=ONE, c=1e-3) == pytest.approx(normal, abs=1e-3)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="v >= 0"):
        gamma_poisson_log_e(1, -1, rho=1.0)
    with pytest.raises(ValueError, match="positive scales"):
        gamma_exponential_log_e(1, 1, rho=1.0, c=0.0)
    with pytest.raises(ValueError, match="expected -"):
        beta_binomial_log_e(1000, 1, rho=1.0, g=0.2, h=0.8)
    with pytest.raises(ValueError, match="budget"):
        mixture_bound(lambda s: s, alpha=0.0, scale=1.0)
    with pytest.raises(ValueError, match="first guess"):
        mixture_bound(lambda s: s, alpha=0.05, scale=0.0)
    assert mixture_bound(lambda s: 1 - 1 / (1 + s), alpha=0.05, scale=1.0) == math.inf
    assert gamma_poisson_log_e(-200, 100, rho=ONE) == -math.inf
    assert gamma_exponential_log_e(-200, 100, rho=ONE, c=2) == -math.inf
