"""Whole rollouts by simulation: how often an equal candidate is rolled back, and a worse one let through.

Tolerance everywhere: three binomial standard errors of the promised rate at the number of rollouts simulated.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest

from flyball.stats.sequential_tests.sequential import accept_bound, increment, increment_of_counts, rollback_bound

WEIGHTS = (0.01, 0.1, 0.5)  # the ramp; each step lasts a fixed number of error events here
ALPHA, BETA, GUARDRAILS = 0.05, 0.10, ((2.0, 0.02), (3.0, 0.05))  # (design ratio, base rate) of errors, slow answers


def three_standard_errors(promise: float, runs: int) -> float:
    return 3 * math.sqrt(promise * (1 - promise) / runs)


def log_likelihood_path(
    rng: np.random.Generator, *, design: float, odds: float, base: float, events_per_step: int
) -> list[float]:
    """log_e after each error event of one rollout; arms drawn unit by unit, the share realised interval by interval.

    Between two events no unit errs; the base rate doubles and halves as the day goes.
    """
    total, path = 0.0, []
    for weight in WEIGHTS:
        for event in range(events_per_step):
            champion = base * 2 ** math.sin(event / 7)
            candidate = odds * champion / (1 - champion + odds * champion)
            any_error = weight * candidate + (1 - weight) * champion
            units = int(rng.geometric(any_error))  # the interval begins anew at a change of weight
            quiet = weight * (1 - candidate) / (1 - any_error)  # P(a unit without error is the candidate's)
            theirs = int(rng.binomial(units - 1, quiet))
            erring = bool(rng.random() < weight * candidate / any_error)
            total += increment(erring, (theirs + erring) / units, design)
            path.append(total)
    return path


def rolled_back(rng: np.random.Generator, odds: float, events_per_step: int) -> bool:
    """Two guardrails, one process each for the whole rollout, never restarted at a step."""
    bound = rollback_bound(ALPHA, len(GUARDRAILS))
    return any(
        max(log_likelihood_path(rng, design=design, odds=odds, base=base, events_per_step=events_per_step)) >= bound
        for design, base in GUARDRAILS
    )


def share_of(runs: int, seed: int, judge: Callable[[np.random.Generator], bool]) -> float:
    rng = np.random.default_rng(seed)
    return sum(judge(rng) for _ in range(runs)) / runs


def test_an_equal_candidate_is_rolled_back_in_at_most_alpha_of_whole_rollouts() -> None:
    runs = 1500
    false_alarms = share_of(runs, 7, lambda rng: rolled_back(rng, 1.0, 60))
    assert false_alarms <= ALPHA + three_standard_errors(ALPHA, runs)


def test_a_better_candidate_is_rolled_back_less_often_still() -> None:
    assert share_of(500, 8, lambda rng: rolled_back(rng, 0.5, 60)) <= ALPHA / 2


def test_ten_times_the_errors_is_always_rolled_back() -> None:
    assert share_of(200, 9, lambda rng: rolled_back(rng, 10.0, 60)) == 1.0


@pytest.mark.parametrize("weight", [0.1, 0.5])
def test_a_candidate_worse_by_the_design_ratio_is_accepted_in_at_most_beta(weight: float) -> None:
    """A fresh test for the step; the true ratio of *rates* is 2, so the odds are a little above the design."""
    runs, champion, design = 1000, 0.02, 2.0

    def accepted(rng: np.random.Generator) -> bool:
        total, any_error = 0.0, champion * (1 + weight)
        quiet = weight * (1 - 2 * champion) / (1 - any_error)
        for _ in range(300):
            units = int(rng.geometric(any_error))
            theirs = int(rng.binomial(units - 1, quiet))
            erring = bool(rng.random() < 2 * weight / (1 + weight))
            total += increment(erring, (theirs + erring) / units, design)
            if total <= accept_bound(BETA):
                return True
        return False

    assert share_of(runs, 10, accepted) <= BETA + three_standard_errors(BETA, runs)


def test_batches_of_counts_keep_the_same_promise() -> None:
    """Rehearsals draw counts a pane: many errors each, their order lost, the weights ramping."""
    runs, bound = 1500, rollback_bound(ALPHA, 1)

    def alarm(rng: np.random.Generator) -> bool:
        total = 0.0
        for weight in WEIGHTS:
            for _ in range(40):
                candidates = int(rng.binomial(200, weight))
                rate = 0.05 * rng.uniform(0.5, 2)
                mine, others = int(rng.binomial(candidates, rate)), int(rng.binomial(200 - candidates, rate))
                total += increment_of_counts(mine, others, candidates, 200 - candidates, 2.0)
                if total >= bound:
                    return True
        return False

    assert share_of(runs, 11, alarm) <= ALPHA + three_standard_errors(ALPHA, runs)


def test_units_from_before_a_change_of_weight_must_not_be_counted() -> None:
    """Why an interval begins anew at a ramp: with the old units in it, w is too small and the blame unfair."""
    rng = np.random.default_rng(12)
    fair, unfair = [], []
    for _ in range(20_000):
        before, after = int(rng.binomial(50, 0.01)), int(rng.geometric(0.02))
        erring = bool(rng.random() < 0.5)
        theirs = int(rng.binomial(after - 1, 0.5)) + erring
        fair.append(math.exp(increment(erring, theirs / after, 2)))
        unfair.append(math.exp(increment(erring, (before + theirs) / (50 + after), 2)))
    tolerance = 3 * float(np.std(fair)) / math.sqrt(len(fair))
    assert abs(float(np.mean(fair)) - 1) <= tolerance
    assert float(np.mean(unfair)) - 1 > 10 * tolerance


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_long_rollouts_keep_the_promise_too(seed: int) -> None:
    runs = 2500
    false_alarms = share_of(runs, 100 + seed, lambda rng: rolled_back(rng, 1.0, 250))
    assert false_alarms <= ALPHA + three_standard_errors(ALPHA, runs)
