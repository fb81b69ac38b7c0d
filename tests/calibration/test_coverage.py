"""Fixed-sample intervals by simulation: they hold the truth as often as they say.

Tolerance: three binomial standard errors of 95 % at the number of samples, plus, where the interval is asymptotic, the
error that is stated beside the test.
"""

import math

import numpy as np
import pytest

from flyball.stats.scoring.intervals import Interval, interval, paired_difference, wilson

CONFIDENCE = 0.95


def three_standard_errors(runs: int) -> float:
    return 3 * math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / runs)


def covers(found: Interval, truth: float) -> bool:
    return found.low <= truth <= found.high


def auc_of(shift: float) -> float:
    """P(N(shift, 1) > N(0, 1))."""
    return 0.5 * (1 + math.erf(shift / 2))


@pytest.mark.parametrize(("rate", "n"), [(0.02, 200), (0.3, 60), (0.5, 30), (0.95, 400)])
def test_wilson(rate: float, n: int) -> None:
    """Exact: summed over all outcomes. Its known dips for single (n, rate) stay within 2 points."""
    held = sum(
        math.comb(n, x) * rate**x * (1 - rate) ** (n - x)
        for x in range(n + 1)
        if wilson(x, n)[0] <= rate <= wilson(x, n)[1]
    )
    assert held >= CONFIDENCE - 0.02


@pytest.mark.parametrize(("shift", "positives", "n"), [(1.0, 0.5, 200), (2.0, 0.1, 500), (3.0, 0.2, 100)])
def test_delong(shift: float, positives: float, n: int) -> None:
    """Asymptotic; 2 points for few positives."""
    runs, rng, held = 1500, np.random.default_rng(31), 0
    for _ in range(runs):
        truth = (np.arange(n) < positives * n).astype(int)
        score = rng.normal(size=n) + shift * truth
        held += covers(interval("roc_auc", truth, None, score, rng=rng), auc_of(shift))
    assert held / runs >= CONFIDENCE - 0.02 - three_standard_errors(runs)


def test_delong_for_two_models_on_the_same_rows() -> None:
    """Asymptotic; 1 point."""
    runs, n, rng, held = 1500, 300, np.random.default_rng(32), 0
    for _ in range(runs):
        truth = (np.arange(n) < 60).astype(int)
        shared = rng.normal(size=n)
        a = 0.8 * shared + 0.6 * rng.normal(size=n) + 1.0 * truth
        b = 0.8 * shared + 0.6 * rng.normal(size=n) + 1.2 * truth
        found = paired_difference("roc_auc", truth, (None, a), (None, b), rng=rng)
        held += covers(found, auc_of(1.2) - auc_of(1.0))
    assert held / runs >= CONFIDENCE - 0.01 - three_standard_errors(runs)


@pytest.mark.parametrize(("only_a", "only_b", "n"), [(0.05, 0.05, 100), (0.02, 0.05, 200), (0.10, 0.05, 1000)])
def test_the_difference_of_two_accuracies(only_a: float, only_b: float, n: int) -> None:
    """Asymptotic; 1 point."""
    runs, rng, held = 2000, np.random.default_rng(33), 0
    truth = np.ones(n, dtype=int)
    for _ in range(runs):
        draw = rng.random(n)
        a, b = (draw >= only_b).astype(int), ((draw < only_b) | (draw >= only_b + only_a)).astype(int)
        held += covers(paired_difference("accuracy", truth, (a, None), (b, None), rng=rng), only_b - only_a)
    assert held / runs >= CONFIDENCE - 0.01 - three_standard_errors(runs)


def test_the_difference_of_two_mean_errors() -> None:
    """Asymptotic; 1 point. The mean absolute error of N(0, s) is s sqrt(2/pi)."""
    runs, n, rng, held = 2000, 150, np.random.default_rng(34), 0
    for _ in range(runs):
        shared = rng.normal(size=n)
        found = paired_difference(
            "mae", np.zeros(n), (1.5 * shared, None), (0.6 * shared + 0.8 * rng.normal(size=n), None), rng=rng
        )
        held += covers(found, 0.5 * math.sqrt(2 / math.pi))
    assert held / runs >= CONFIDENCE - 0.01 - three_standard_errors(runs)


def test_the_difference_of_two_root_mean_squared_errors() -> None:
    """Asymptotic (delta method); 1 point."""
    runs, n, rng, held = 2000, 200, np.random.default_rng(35), 0
    for _ in range(runs):
        a, b = 1.5 * rng.normal(size=n), rng.normal(size=n)
        held += covers(paired_difference("rmse", np.zeros(n), (a, None), (b, None), rng=rng), 0.5)
    assert held / runs >= CONFIDENCE - 0.01 - three_standard_errors(runs)


def test_a_bootstrapped_f1() -> None:
    """Asymptotic; 3 points, the price of plain percentiles at 60 positives."""
    runs, n, rng, held = 150, 300, np.random.default_rng(36), 0
    for _ in range(runs):
        truth = (rng.random(n) < 0.2).astype(int)
        guess = np.where(truth == 1, rng.random(n) < 0.7, rng.random(n) < 0.1).astype(int)
        held += covers(interval("f1", truth, guess, rng=rng), 2 * 0.14 / (0.2 + 0.14 + 0.08))
    assert held / runs >= CONFIDENCE - 0.03 - three_standard_errors(runs)
