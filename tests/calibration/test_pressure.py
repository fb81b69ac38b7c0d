"""How often noise presses for a retraining, and when a change does; a plain rule (three windows at act) beside it.

What is told in `docs/explanation/pressure.md` is asserted here, within three binomial standard errors of the share.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from flyball.core.pressure import PressureRule
from flyball.decide.pressure import Error, Parts, after

Floats = npt.NDArray[np.float64]
Errors = Callable[[np.random.Generator], Floats]
RULE, WARN, ACT, CONSECUTIVE = PressureRule(), 0.10, 0.25, 3


@dataclass(frozen=True)
class Share:
    """Of runs in which something happened, with its Monte-Carlo error."""

    found: int
    runs: int

    @property
    def value(self) -> float:
        return self.found / self.runs

    def within(self, low: float, high: float) -> bool:
        """Whether the true share may lie there: each end is let out by three standard errors."""
        slack = [3 * math.sqrt(end * (1 - end) / self.runs) for end in (low, high)]
        return low - slack[0] <= self.value <= high + slack[1]


def first_press(errors: Floats) -> int | None:
    """Window at which the default gains press, from 1."""
    parts = Parts()
    for index, error in enumerate(errors, 1):
        parts = after(parts, Error(error=float(error), setpoint=WARN), RULE)
        if parts.high:
            return index
    return None


def first_streak(psi: Floats) -> int | None:
    """Window at which the plain rule fires."""
    streak = 0
    for index, value in enumerate(psi, 1):
        streak = streak + 1 if value > ACT else 0
        if streak >= CONSECUTIVE:
            return index
    return None


def largest_psi(rng: np.random.Generator, *, windows: int, rows: int, features: int, bins: int = 10) -> Floats:
    """Largest PSI of so many features without any drift, per window; one reference of 5,000 rows a run."""
    reference = (rng.multinomial(5000, [1 / bins] * bins, size=features) + 0.5) / (5000 + 0.5 * bins)
    current = (rng.multinomial(rows, [1 / bins] * bins, size=(windows, features)) + 0.5) / (rows + 0.5 * bins)
    found: Floats = ((current - reference) * np.log(current / reference)).sum(axis=2).max(axis=1)
    return found


def pressed(seed: int, runs: int, errors: Errors) -> Share:
    rng = np.random.default_rng(seed)
    return Share(sum(first_press(errors(rng)) is not None for _ in range(runs)), runs)


def no_drift(rows: int, features: int, windows: int) -> Errors:
    return lambda rng: largest_psi(rng, windows=windows, rows=rows, features=features) / WARN - 1


def around(mean: float, sd: float, windows: int, *, correlation: float = 0.0) -> Errors:
    """Errors about a mean, each like the one before as far as it is correlated."""

    def errors(rng: np.random.Generator) -> Floats:
        noise = rng.normal(size=windows)
        noise[1:] *= math.sqrt(1 - correlation**2)
        for at in range(1, windows):
            noise[at] += correlation * noise[at - 1]
        return mean + sd * noise

    return errors


RUNS, MANY = 60, 2000


@pytest.mark.parametrize("runs", [RUNS, pytest.param(MANY, marks=pytest.mark.slow)])
def test_without_drift_nothing_presses_in_a_thousand_windows(runs: int) -> None:
    windows, drawn = (100, runs) if runs == RUNS else (1000, 500)
    assert pressed(1, drawn, no_drift(1000, 20, windows)).found == 0
    assert pressed(2, runs, around(-1.0, 0.24, windows)).found == 0  # a loss of 0 +- 0.012 beside 0.05 allowed


@pytest.mark.parametrize("runs", [RUNS, pytest.param(MANY, marks=pytest.mark.slow)])
def test_windows_that_are_too_small_for_their_features_do_press(runs: int) -> None:
    """Largest of 20 PSI on 100 rows is about 0.19 by chance alone: `insufficient` keeps such windows out."""
    assert pressed(3, runs, no_drift(100, 20, 100)).within(0.99, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mean", "sd", "correlation", "low", "high"),
    [
        (-0.5, 0.5, 0.0, 0.0, 0.001),
        (-0.25, 0.5, 0.0, 0.01, 0.02),
        (-0.25, 0.5, 0.8, 0.99, 1.0),
        (0.0, 0.3, 0.0, 0.93, 0.94),
    ],
)
def test_how_near_the_set_point_noise_presses(
    mean: float, sd: float, correlation: float, low: float, high: float
) -> None:
    share = pressed(4, MANY, around(mean, sd, 1000, correlation=correlation))
    print(f"mean {mean} sd {sd} correlation {correlation}: {share.value:.4f}")
    assert share.within(low, high)


@pytest.mark.parametrize("runs", [RUNS, pytest.param(MANY, marks=pytest.mark.slow)])
def test_beside_the_plain_rule(runs: int) -> None:
    """PSI steps from noise to a size: windows until each acts."""
    rng = np.random.default_rng(5)
    told = {}
    for size in (0.15, 0.20, 0.30, 0.60):
        noise = rng.normal(0, 0.03, size=(runs, 100))
        ours = [first_press((size + each) / WARN - 1) for each in noise]
        plain = [first_streak(size + each) for each in noise]
        told[size] = (
            float(np.median([each or np.inf for each in ours])),
            float(np.median([each or np.inf for each in plain])),
            sum(each is None for each in plain) / runs,
        )
    print(told)
    assert told[0.15][0] == pytest.approx(11, abs=1)
    assert told[0.20][0] == pytest.approx(5, abs=1)
    assert told[0.15][2] == 1.0  # the plain rule never does
    assert told[0.20][2] > 0.9
    assert told[0.30][:2] == (2.0, 3.0)
    assert told[0.60][:2] == (2.0, 3.0)
