"""Borrowed verdicts under peeking: a good candidate, looked at after each poll, is seldom sent back.

Epochs that end with each poll have the promise of a martingale. Sums that grow have none: that they keep the rate is
what is measured here. Tolerance: three binomial standard errors of the promised rate. The bound is that of one
guardrail alone at its full alpha, so that the rate is as near to the promise as it can be.
"""

import numpy as np
import pytest
from tests.calibration.test_rollout_verdicts import tolerance

from flyball.decide.borrowed import ArmSums, EpochSums, Question, verdict_on
from flyball.stats.sequential_tests.sequential import increment_of_counts, rollback_bound

ALPHA, RATIO = 0.05, 2.0
BOUND = rollback_bound(ALPHA, 1)
# requests a poll, polls, weight, error rate: single requests half of which fail, and what services are like
HARD = ((1, 300, 0.5, 0.5), (5, 150, 0.5, 0.2), (20, 150, 0.1, 0.05), (100, 120, 0.1, 0.01), (200, 100, 0.5, 0.01))


def sent_back(runs: int, seed: int, setting: tuple[int, int, float, float], *, growing: bool) -> float:
    """Share of runs of an equal candidate that were ever sent back, looked at after each poll."""
    requests, polls, weight, rate = setting
    dice = np.random.default_rng(seed)
    lost = 0
    for _ in range(runs):
        own = dice.binomial(requests, weight, size=polls)
        counts = np.stack([dice.binomial(own, rate), dice.binomial(requests - own, rate), own, requests - own])
        lost += _ever(np.cumsum(counts, axis=1) if growing else counts, growing=growing)
    return lost / runs


def _ever(counts: np.ndarray, *, growing: bool) -> bool:
    """By the evidence that `verdict_on` adds up (tests/decide/test_borrowed.py says that it does)."""
    log_e = 0.0
    for own_errors, their_errors, own, theirs in counts.T.tolist():
        gained = increment_of_counts(own_errors, their_errors, own, theirs, RATIO)
        log_e = gained if growing else log_e + gained
        if log_e >= BOUND:
            return True
    return False


@pytest.mark.parametrize("growing", [False, True])
def test_a_good_candidate_is_seldom_sent_back_however_often_one_looks(growing: bool) -> None:
    assert sent_back(150, 41, (20, 60, 0.1, 0.05), growing=growing) <= ALPHA + tolerance(ALPHA, 150)


def test_one_that_errs_four_times_as_often_is_found() -> None:
    dice, found = np.random.default_rng(43), 0
    for _ in range(20):
        one = ArmSums(requests=1200, errors=int(dice.binomial(1200, 0.08)))
        other = ArmSums(requests=4800, errors=int(dice.binomial(4800, 0.02)))
        found += verdict_on(Question(epochs=(EpochSums(candidate=one, champion=other),))).kind == "ROLL_BACK"
    assert found >= 19


@pytest.mark.slow
@pytest.mark.parametrize("growing", [False, True])
@pytest.mark.parametrize("setting", HARD)
def test_a_good_candidate_is_seldom_sent_back_in_any_setting(
    setting: tuple[int, int, float, float], growing: bool
) -> None:
    found = sent_back(2000, 42, setting, growing=growing)
    print(f"{setting} {'growing' if growing else 'pieces'}: {found:.4f}")
    assert found <= ALPHA + tolerance(ALPHA, 2000)
