"""What a bet may cost and win: within the tolerance no law makes it pay."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.change.bets import bets, normal_scores, tolerated_log_odds

SHARES = st.lists(st.integers(5, 500), min_size=4, max_size=12)


@given(SHARES, st.sampled_from([0.001, 0.005, 0.02]), st.integers(0, 2**32 - 1))
def test_no_law_within_the_tolerance_makes_a_smooth_bet_pay(counts: list[int], tolerance: float, seed: int) -> None:
    reference = np.array([*counts, 0], dtype=float)
    found = bets(reference, "numeric", tolerance=tolerance)
    p = (reference + 0.5) / (reference + 0.5).sum()
    direction = np.random.default_rng(seed).normal(size=p.size) * p
    direction -= p * direction.sum()
    direction *= np.sqrt(tolerance / np.sum(direction**2 / p))
    q = np.maximum(p + direction, 0)  # chi-square divergence at most the tolerance
    q /= q.sum()
    inside = np.sum((q - p) ** 2 / p) <= tolerance
    each_row = np.exp(found.tilt) @ q * np.exp(-found.tilt_cost)
    assert not inside or each_row.max() <= 1 + 1e-9


@given(SHARES)
def test_a_tilt_is_a_law_and_leaves_missing_alone(counts: list[int]) -> None:
    reference = np.array([*counts, 7], dtype=float)
    found = bets(reference, "numeric", tolerance=0.0)
    p = (reference + 0.5) / (reference + 0.5).sum()
    assert np.allclose(np.exp(found.tilt) @ p, 1)
    assert np.all(found.tilt[:, -1] == 0)
    assert np.isclose(np.exp(found.log_weight).sum(), 1)
    assert len(found.names) == found.log_weight.size


@given(st.floats(0.0005, 0.9), st.floats(0.0, 0.1))
def test_the_edge_of_the_tolerance_is_where_psi_reaches_it(share: float, tolerance: float) -> None:
    edge = tolerated_log_odds(share, tolerance)
    odds = share / (1 - share) * np.exp(edge)
    grown = odds / (1 + odds)
    assert abs((grown - share) * edge - tolerance) < 1e-6


def test_a_shift_of_a_normal_by_a_fifth_is_the_bet_of_a_fifth() -> None:
    z, square = normal_scores(np.full(200, 1 / 200))
    assert np.isclose(np.mean(z), 0)
    assert np.isclose(np.mean(square), 1)
    tilted = np.exp(0.2 * z) / np.exp(0.2 * z).sum()
    assert np.isclose(tilted @ z, 0.2, atol=0.003)


@pytest.mark.parametrize("faulty", [([5], 0.0), ([[1, 2]], 0.0), ([5, 5], -0.1)])
def test_too_few_bins_and_a_negative_tolerance_are_told(faulty: tuple[list[int], float]) -> None:
    with pytest.raises(ValueError, match="at least two bins"):
        bets(faulty[0], "category", tolerance=faulty[1])
