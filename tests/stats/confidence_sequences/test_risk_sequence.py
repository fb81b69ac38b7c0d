"""Risk minus baseline: sums that merge, and labels that do not all come."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.errors import NotEnoughData
from flyball.stats.confidence_sequences.risk_sequence import RiskSequence, doubly_robust
from flyball.stats.risk import row_loss
from flyball.stats.risk.cbpe import probabilities

LOSSES = st.lists(st.integers(0, 5).map(float), max_size=20)


@given(LOSSES, LOSSES)
def test_merging_is_adding(a: list[float], b: list[float]) -> None:
    assert RiskSequence().plus(a).merge(RiskSequence().plus(b)) == RiskSequence().plus(a + b)


def test_no_error_so_far_is_not_certainty() -> None:
    quiet = RiskSequence().plus(np.zeros(200))
    value, low, high = quiet.above(0.01, 0.0995, 2000, alpha=0.05)
    assert low < value == pytest.approx(-0.01)
    assert high > 0.01


@pytest.mark.parametrize("n", [0, 1, 99])
def test_few_losses_have_no_bound(n: int) -> None:
    with pytest.raises(NotEnoughData):
        RiskSequence().plus(np.zeros(n)).above(0.1, 0.3, 1000, alpha=0.05)


def test_a_loss_that_is_no_number_is_told() -> None:
    with pytest.raises(ValueError, match="finite"):
        RiskSequence().plus([np.nan])


def test_with_every_label_the_estimates_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    realised, wild = rng.random(100), rng.random(100) * 50
    losses, arrived = doubly_robust(realised, wild, np.arange(100) % 3)
    assert losses == pytest.approx(realised)
    assert set(arrived) == {1.0}


def test_without_a_label_the_estimate_stands() -> None:
    losses, arrived = doubly_robust(np.full(5, np.nan), np.arange(5.0), np.zeros(5))
    assert losses.tolist() == [0, 1, 2, 3, 4]
    assert set(arrived) == {0.0}


@pytest.mark.parametrize("wrong", ["estimate", "arrival"])
def test_one_of_the_two_may_be_wrong(wrong: str) -> None:
    """Young rows lack labels and cost more: the labelled mean is 0.2 too low, the corrected one is right."""
    rng = np.random.default_rng(1)
    n = 40_000
    young = rng.random(n) < 0.5
    true = np.where(young, 0.6, 0.2)
    loss = (rng.random(n) < true).astype(float)
    come = rng.random(n) < np.where(young, 0.1, 0.9)
    estimate = np.full(n, 0.9) if wrong == "estimate" else true
    bucket = young.astype(int) if wrong == "estimate" else np.zeros(n, dtype=int)
    found, _ = doubly_robust(np.where(come, loss, np.nan), estimate, bucket)
    assert float(found.mean()) == pytest.approx(0.4, abs=0.02)
    assert float(loss[come].mean()) < 0.27


@pytest.mark.parametrize("kind", ["error", "brier", "log"])
def test_a_certain_estimate_is_the_loss(kind: str) -> None:
    rng = np.random.default_rng(2)
    truth, score = rng.integers(0, 2, 50), probabilities(rng.random(50))
    said = score.argmax(axis=1)
    estimated = row_loss.expected(kind, said, score, np.eye(2)[truth])
    assert estimated == pytest.approx(row_loss.realised(kind, truth, said, score))
