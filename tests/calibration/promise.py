"""What a sequential test promises, and how often it errs by simulation. The tests run each promise, small and large;
`python -m benchmarks decisions` prints the table of `docs/explanation/sequential-tests.md`."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ALPHA, BETA = 0.05, 0.10


@dataclass(frozen=True, kw_only=True)
class Promise:
    """P(wrong) <= most, however often it is read."""

    name: str  # the test, and under what law
    most: float  # promised, 0..1
    wrong: Callable[[np.random.Generator, int], int]  # (dice, runs) -> runs that erred
    runs: int = 2000  # in CI; 20,000 in `make test-slow`
    tight: bool = True  # an error is expected among the runs: a promise kept by saying nothing would be worth nothing

    def measured(self, runs: int, seed: int) -> float:
        """Share of runs that erred; a thousand at a time, to spare memory."""
        rng, erred = np.random.default_rng(seed), 0
        for begin in range(0, runs, 1000):
            erred += self.wrong(rng, min(1000, runs - begin))
        return erred / runs

    def tolerated(self, runs: int) -> float:
        """The promise and three binomial standard errors of it."""
        return self.most + 3 * math.sqrt(self.most * (1 - self.most) / runs)


def ended(path: Floats, upper: float, lower: float) -> tuple[int, int]:
    """(runs that reached the upper bound first, the lower first) of walks, shape [runs, steps]."""
    high, low = path >= upper, path <= lower
    never = path.shape[1]
    first_high = np.where(high.any(axis=1), high.argmax(axis=1), never)
    first_low = np.where(low.any(axis=1), low.argmax(axis=1), never)
    return int((first_high < first_low).sum()), int((first_low < first_high).sum())


def looks(first: int, last: int, count: int) -> list[int]:
    """Sample sizes at which somebody looks, each larger by a factor."""
    return sorted({round(n) for n in np.geomspace(first, last, count)})
