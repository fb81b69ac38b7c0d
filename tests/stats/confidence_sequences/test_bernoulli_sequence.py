"""The two-sided confidence sequence of a rate: upstream values and laws."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from flyball.stats.confidence_sequences.bernoulli_sequence import bernoulli_bounds, rate_log_e

UPSTREAM = [
    (700, 1000, 100, 0.651629, 0.745949),
    (15, 50, 50, 0.129556, 0.511896),
    (5, 50, 50, 0.013021, 0.269264),
    (1, 50, 50, 0.0, 0.13489),
]


@pytest.mark.parametrize(("x", "n", "n_opt", "low", "high"), UPSTREAM)
def test_the_upstream_values(x: int, n: int, n_opt: int, low: float, high: float) -> None:
    """confseq's unit tests; they cut digits off, so to one in the last place."""
    assert bernoulli_bounds(n, x, alpha=0.05, n_opt=n_opt) == pytest.approx((low, high), abs=2e-6)


@given(st.integers(0, 2000), st.data(), st.floats(0.001, 0.5), st.sampled_from([10, 1000, 10**5]))
def test_exactly_the_rates_outside_are_refuted(n: int, data: st.DataObject, alpha: float, n_opt: int) -> None:
    x = data.draw(st.integers(0, n))
    low, high = bernoulli_bounds(n, x, alpha=alpha, n_opt=n_opt)
    assert 0 <= low <= x / max(n, 1) <= high <= 1
    for p in [place / 200 for place in range(1, 200)]:
        if not math.isclose(p, low, abs_tol=1e-9) and not math.isclose(p, high, abs_tol=1e-9):
            refuted = rate_log_e(n, x, p, alpha=alpha, n_opt=n_opt) >= -math.log(alpha)
            assert refuted is not (low < p < high)


@given(st.integers(0, 10**6), st.data(), st.floats(0.001, 0.5))
def test_events_and_their_absence_mirror_each_other(n: int, data: st.DataObject, alpha: float) -> None:
    x = data.draw(st.integers(0, n))
    low, high = bernoulli_bounds(n, x, alpha=alpha)
    assert bernoulli_bounds(n, n - x, alpha=alpha) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert bernoulli_bounds(n + 1, x + 1, alpha=alpha)[1] >= high - 1e-9  # an event never lowers the upper bound


@pytest.mark.parametrize(("n", "p"), [(1, 0.3), (12, 0.01), (60, 0.5)])
def test_it_is_an_exact_e_value(n: int, p: float) -> None:
    mean = sum(stats.binom.pmf(x, n, p) * math.exp(rate_log_e(n, x, p)) for x in range(n + 1))
    assert mean == pytest.approx(1, abs=1e-9)


def test_streams_without_values_or_of_one_kind_only() -> None:
    assert bernoulli_bounds(0, 0, alpha=0.05) == (0.0, 1.0)
    low, high = bernoulli_bounds(10**6, 0, alpha=0.05)
    assert low == 0.0
    assert 0 < high < 2e-5
    assert bernoulli_bounds(10**9, 10**6, alpha=0.05) == pytest.approx((0.001, 0.001), rel=0.01)


def test_counts_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="0 <= x <= n"):
        bernoulli_bounds(3, 4, alpha=0.05)
    with pytest.raises(ValueError, match="n_opt >= 1"):
        bernoulli_bounds(3, 1, alpha=0.05, n_opt=0)
    with pytest.raises(ValueError, match="alpha=1"):
        bernoulli_bounds(3, 1, alpha=1)
