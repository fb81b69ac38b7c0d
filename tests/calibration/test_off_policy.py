"""Intervals of off-policy estimates cover the truth as often as they say, and right propensities are seldom doubted."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from flyball.stats.actions.logged_actions import followed
from flyball.stats.actions.off_policy import OffPolicy, off_policy
from flyball.stats.actions.overlap import SURE, overlap
from flyball.stats.actions.reward_bounds import Estimator, RewardBounds
from flyball.stats.experiment.cross_fitting import Guess, Rows, cross_fitted

ALPHA = 0.05
CHANCE = np.array([[0.6, 0.3, 0.1], [0.15, 0.8, 0.05], [1 / 3, 1 / 3, 1 / 3], [0.1, 0.2, 0.7]])  # [context, action]
RATE = np.array([[0.2, 0.4, 0.3], [0.6, 0.5, 0.7], [0.1, 0.1, 0.4], [0.3, 0.2, 0.5]])  # of the reward
TARGET = np.array([1, 2, 2, 0])  # action of the target in each context
GAIN = float(np.mean(RATE[np.arange(4), TARGET]) - np.mean((CHANCE * RATE).sum(axis=1)))


def tolerance(promise: float, runs: int) -> float:
    return 3 * math.sqrt(promise * (1 - promise) / runs)


@dataclass(frozen=True)
class Log:
    context: npt.NDArray[np.int64]
    action: npt.NDArray[np.int64]
    reward: npt.NDArray[np.float64]

    @property
    def propensity(self) -> npt.NDArray[np.float64]:
        return np.asarray(CHANCE[self.context, self.action])

    @property
    def target(self) -> npt.NDArray[np.float64]:
        return followed(self.action, TARGET[self.context])


def drawn(rng: np.random.Generator, n: int) -> Log:
    context = rng.integers(0, 4, n)
    action = (rng.random(n)[:, None] > np.cumsum(CHANCE[context], axis=1)).sum(axis=1)
    return Log(context, action, (rng.random(n) < RATE[context, action]).astype(np.float64))


def guessed(log: Log, rng: np.random.Generator) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """By the mean of each context and action in the other folds."""

    def fit(rows: Rows) -> Guess:
        cell = log.context[rows] * 3 + log.action[rows]
        rate = (np.bincount(cell, log.reward[rows], 12) + 0.3) / (np.bincount(cell, minlength=12) + 1)
        return lambda held: (
            rate[log.context[held] * 3 + log.action[held]],
            rate[log.context[held] * 3 + TARGET[log.context[held]]],
        )

    return cross_fitted(fit, np.arange(log.reward.size), rng=rng)


def estimated(rng: np.random.Generator, n: int, bounds: RewardBounds | None = None) -> OffPolicy:
    log = drawn(rng, n)
    return off_policy(log.propensity, log.reward, log.target, guesses=guessed(log, rng), bounds=bounds)


def covered(runs: int, n: int, seed: int) -> dict[Estimator, float]:
    rng = np.random.default_rng(seed)
    found = [estimated(rng, n).gains for _ in range(runs)]
    names: tuple[Estimator, ...] = ("ips", "snips", "dr")
    shares = {name: float(np.mean([one[name].low <= GAIN <= one[name].high for one in found])) for name in names}
    widths = {name: float(np.mean([one[name].high - one[name].low for one in found])) for name in names}
    told = ", ".join(f"{name} {shares[name]:.2%} (width {widths[name]:.3f})" for name in names)
    print(f"gain covered in {runs} runs of {n} rows: {told}")
    return shares


@pytest.mark.parametrize(
    ("runs", "n", "slack"),
    [
        (300, 1000, 0.02),
        pytest.param(20_000, 1000, 0.02, marks=pytest.mark.slow),
        pytest.param(20_000, 4000, 0.01, marks=pytest.mark.slow),
    ],
)
def test_intervals_of_the_gain_cover_it(runs: int, n: int, slack: float) -> None:
    """A thousand rows are worth 111 effective units here, hardly more than what is believed at all."""
    shares = covered(runs, n, seed=5)
    for name in shares:
        assert shares[name] >= 1 - ALPHA - tolerance(ALPHA, runs) - slack, name
        assert shares[name] <= 1 - ALPHA + tolerance(ALPHA, runs) + 0.02, name


@pytest.mark.parametrize("runs", [100, pytest.param(20_000, marks=pytest.mark.slow)])
def test_bounds_known_before_cover_always_and_cost_width(runs: int) -> None:
    rng, known = np.random.default_rng(6), RewardBounds(low=0.0, high=1.0, largest_weight=20.0)
    found = [estimated(rng, 1000, bounds=known).gains for _ in range(runs)]
    kinds: tuple[Estimator, ...] = ("ips", "dr")
    for name in kinds:
        held = float(np.mean([one[name].low <= GAIN <= one[name].high for one in found]))
        assert held >= 1 - ALPHA - tolerance(ALPHA, runs)
        wide, usual = (one.high - one.low for one in (found[0][name], estimated(rng, 1000).gains[name]))
        print(f"{name}: covered {held:.2%}, {wide / usual:.1f} times as wide as by the normal limit")
        assert wide > 2 * usual


@pytest.mark.parametrize("runs", [200, pytest.param(20_000, marks=pytest.mark.slow)])
def test_rows_of_one_unit_are_no_evidence_of_their_own(runs: int) -> None:
    """Eight equal rows a unit: with units the interval covers; with rows it is far too narrow."""
    rng, by_unit, by_row = np.random.default_rng(7), 0, 0
    for _ in range(runs):
        log = drawn(rng, 500)
        p, r, t, unit = (np.repeat(each, 8) for each in (log.propensity, log.reward, log.target, np.arange(500)))
        honest = off_policy(p, r, t, unit=unit).gains["snips"]
        naive = off_policy(p, r, t).gains["snips"]
        by_unit += honest.low <= GAIN <= honest.high
        by_row += naive.low <= GAIN <= naive.high
    print(
        f"gain covered in {runs} runs of 500 units of 8 rows: by unit {by_unit / runs:.2%}, by row {by_row / runs:.2%}"
    )
    assert by_unit / runs >= 1 - ALPHA - tolerance(ALPHA, runs) - 0.01
    assert by_row / runs < 0.7


@pytest.mark.parametrize(("runs", "n"), [(800, 2000), pytest.param(20_000, 2000, marks=pytest.mark.slow)])
def test_right_propensities_are_seldom_doubted_and_wrong_ones_surely(runs: int, n: int) -> None:
    rng, doubted, caught = np.random.default_rng(8), 0, 0
    for _ in range(runs):
        log = drawn(rng, n)
        doubted += overlap(log.propensity, log.target).mean_weight_p < SURE
        caught += overlap(np.full(n, 1 / 3), log.target).mean_weight_p < SURE  # what a careless logger writes down
    print(f"right propensities doubted in {doubted} of {runs} logs, wrong ones in {caught}")
    assert doubted / runs <= SURE + tolerance(SURE, runs) + 0.0005
    assert caught == runs
