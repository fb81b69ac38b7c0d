"""Trials of a release whose true rate is known: how often it is said to answer more than it does, by simulation.

Stopping when the interval happens to be narrow costs something: the nominal chance is 2.5 %, the promise is 5 %.
"""

import math
from collections.abc import Callable

import numpy as np
import pytest

from flyball.serving.routing.trial_length import BATCH_S, CAP_S, PRECISION, Batch, Rate, over, rate_of

RUNS, PROMISE = 400, 0.05
Answered = Callable[[np.random.Generator, float], tuple[float, int]]  # seconds that passed, rows


def alone(rng: np.random.Generator, rate: float) -> tuple[float, int]:
    """One by one, after times that scatter as much as they are long."""
    return rng.exponential(1 / rate), 1


def together(rng: np.random.Generator, rate: float) -> tuple[float, int]:
    """Sixteen in a call."""
    return rng.gamma(4.0, 16 / rate / 4.0), 16


def with_pauses(rng: np.random.Generator, rate: float) -> tuple[float, int]:
    """One call in fifty is held up: half of the time is spent in pauses."""
    return rng.exponential(0.5 / rate) + (25 / rate if rng.random() < 0.02 else 0.0), 1


def trial(rng: np.random.Generator, answered: Answered, rate: float) -> Rate:
    """As `serving/serve/answering/trial.py` does it."""
    batches: list[Batch] = []
    rows, seconds, total = 0, 0.0, 0.0
    while not over(batches) and total < 2 * CAP_S:
        took, more = answered(rng, rate)
        rows, seconds, total = rows + more, seconds + took, total + took
        if seconds >= BATCH_S:
            batches.append((rows, seconds))
            rows, seconds = 0, 0.0
    return rate_of(batches)


@pytest.mark.parametrize("answered", [alone, together, with_pauses])
@pytest.mark.parametrize(
    "rate", [100.0, pytest.param(1000.0, marks=pytest.mark.slow), pytest.param(4000.0, marks=pytest.mark.slow)]
)
def test_a_release_is_rarely_believed_to_answer_more_than_it_does(answered: Answered, rate: float) -> None:
    rng = np.random.default_rng(int(rate))
    found = [trial(rng, answered, rate) for _ in range(RUNS)]
    too_high = sum(one.surely > rate for one in found) / RUNS
    assert too_high <= PROMISE + 3 * math.sqrt(PROMISE * (1 - PROMISE) / RUNS)
    too_low = sum(one.rows_s + one.half_width < rate for one in found) / RUNS
    assert too_low <= PROMISE + 3 * math.sqrt(PROMISE * (1 - PROMISE) / RUNS)


def test_most_releases_are_known_to_a_tenth_within_the_time() -> None:
    rng = np.random.default_rng(7)
    found = [trial(rng, alone, 1000.0) for _ in range(RUNS)]
    assert sum(one.half_width <= PRECISION * one.rows_s for one in found) > 0.99 * RUNS
    assert sum(one.took_s for one in found) / RUNS < 0.7
