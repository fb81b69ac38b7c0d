"""Logarithms of shares that underflow: figures of 60-digit arithmetic, and agreement where nothing underflows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from flyball.stats.confidence_sequences.log_tails import _continued, log_beta_share, log_gamma_lower, log_gamma_upper


@pytest.mark.parametrize(
    ("a", "b", "x", "expected"),
    [
        (2000, 3, 0.1, -4590.870638849928),
        (1000.5, 20.3, 0.1, -2212.4771944608096),
        (1200, 800, 0.2, -768.3342901103799),
        (5000, 4500, 0.4, -312.5603564609258),
        (300, 0.7, 0.05, -900.6766984351144),
    ],
)
def test_shares_of_beta_laws_far_out(a: float, b: float, x: float, expected: float) -> None:
    assert float(log_beta_share(a, b, x)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "x", "expected"),
    [(2000, 100, -4096.132712927581), (500, 1, -2612.3284604654614), (3000, 1200, -953.2838899166017)],
)
def test_shares_of_gamma_laws_far_below(a: float, x: float, expected: float) -> None:
    assert log_gamma_lower(a, x) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("a", "x", "expected"),
    [(100, 2000, -1606.5941221221888), (0.7, 900, -902.3019185840146), (3000, 6500, -1185.507166135323)],
)
def test_shares_of_gamma_laws_far_above(a: float, x: float, expected: float) -> None:
    assert log_gamma_upper(a, x) == pytest.approx(expected, rel=1e-12)


@given(st.floats(1, 500), st.floats(0.5, 500), st.floats(0.01, 0.5))
def test_where_nothing_underflows_both_ways_agree(a: float, b: float, share: float) -> None:
    x = share * (a + 1) / (a + b + 2)
    plain = float(special.betainc(a, b, x))
    if plain > 1e-250:
        power = a * math.log(x) + b * math.log1p(-x) - math.log(a) - float(special.betaln(a, b))
        found = power + math.log(float(_continued(np.array([a]), np.array([b]), x)[0]))
        assert found == pytest.approx(math.log(plain), abs=1e-9, rel=1e-9)


def test_shapes_broadcast_and_one_share_may_be_tiny_alone() -> None:
    found = log_beta_share(np.array([2.0, 2000.0]), 3.0, 0.1)
    assert found.tolist() == pytest.approx([math.log(special.betainc(2, 3, 0.1)), -4590.870638849928])
    assert log_gamma_lower(3.0, 0.0) == -math.inf
