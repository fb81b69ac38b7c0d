"""A confidence sequence for the mean of values in [0, 1], by betting: scores, losses, shares, a capped value a visit.

Theory of operation. For each candidate mean m somebody bets that the mean is larger, somebody else that it is smaller:

    up   *= 1 + min(l, C / m) (x - m),        down *= 1 - min(l, C / (1 - m)) (x - m),

where l was chosen before x was seen. If m is the mean, neither capital grows in expectation, so half of each, hedged,
ever reaches 1/alpha with probability at most alpha (Ville); the sequence is the set of m whose capitals never did.
Nothing is assumed of the law, no variance is guessed, and values need not be independent: the mean given the past has
to be m. The bets follow the variance seen so far, so a metric that moves little gets narrow bounds.

`up` falls and `down` rises with m, so the set is an interval, and a grid of candidate means loses nothing but its
grain: what is told is the innermost candidate on each side that *was* refuted, so a truth between two of them is never
lost. A value costs some microseconds and the state has a fixed size, however long the run.

Source: Waudby-Smith and Ramdas 2024 (arXiv:2010.09686), theorem 3, with the bets of eq. 26 and C = 1/2.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from flyball.stats.sequential_tests.sprt import check_budgets

Floats = npt.NDArray[np.float64]

CAP = 0.5  # C: the largest share of the capital that one value can cost
PRIOR_MEAN, PRIOR_VARIANCE = 0.5, 0.25  # of one value that was never seen, so that the first bets are careful
_BLOCK = 64  # values whose factors are multiplied before a logarithm is taken: 5,000^64 is a finite number


@dataclass(frozen=True, kw_only=True, eq=False)
class BettingSequence:
    """State: the capitals at each candidate mean, and sums from which the next bets follow."""

    alpha: float  # error budget for the whole run, in (0, 1)
    grid: int = 500  # candidate means are 0, 1/grid ... 1; the bounds are whole multiples of 1/grid
    n: int = 0  # values, count
    total: float = 0.0  # their sum
    spread: float = 0.0  # sum of squared deviations, each from the mean that was expected of it
    log_up: Floats | None = None  # nats, shape [grid + 1]; None: no value yet
    log_down: Floats | None = None
    low: float = 0.0  # of the sequence so far: bounds never widen again
    high: float = 1.0

    def __post_init__(self) -> None:
        check_budgets(alpha=self.alpha)
        if not 2 <= self.grid <= 10_000:
            raise ValueError(f"grid={self.grid}: expected 2 to 10,000 steps")

    def plus(self, values: npt.ArrayLike) -> "BettingSequence":
        """With these values more, in their order, shape [k]; where a batch ends changes nothing but last bits.

        Raises: ValueError: a value is not in [0, 1].

        >>> sure = BettingSequence(alpha=0.05).plus(np.full(1000, 0.7))
        >>> sure.low, sure.high
        (0.694, 0.704)
        """
        each = np.asarray(values, dtype=np.float64)
        if each.ndim != 1 or not ((each >= 0) & (each <= 1)).all():
            raise ValueError(
                f"expected a column of values from 0 to 1, found shape {each.shape} with others among them"
            )
        if not each.size:
            return self
        bets, total, spread = self._bets(each)
        up, down, most_up, most_down = self._capitals(each, bets)
        goal, means = -math.log(self.alpha / 2), self._means()
        refuted_low, refuted_high = means[most_up >= goal], means[most_down >= goal]
        return replace(
            self,
            n=self.n + each.size,
            total=total,
            spread=spread,
            log_up=up,
            log_down=down,
            low=max(self.low, float(refuted_low[-1]) if refuted_low.size else 0.0),
            high=min(self.high, float(refuted_high[0]) if refuted_high.size else 1.0),
        )

    @property
    def mean(self) -> float:
        """Of the values, NaN where there is none."""
        return self.total / self.n if self.n else math.nan

    def _means(self) -> Floats:
        return np.arange(self.grid + 1) / self.grid

    def _bets(self, x: Floats) -> tuple[Floats, float, float]:
        """l of each value, from those before it, shape [k]; then the sums after the last."""
        n = self.n + np.arange(1, x.size + 1)  # which value it is
        totals = np.cumsum(np.concatenate([[self.total], x]))
        expected = (PRIOR_MEAN + totals[1:]) / (n + 1)
        spreads = np.cumsum(np.concatenate([[self.spread], (x - expected) ** 2]))
        variance = (PRIOR_VARIANCE + spreads[:-1]) / n  # of the n - 1 values before
        bets: Floats = np.sqrt(2 * math.log(2 / self.alpha) / (variance * n * np.log1p(n)))
        return bets, float(totals[-1]), float(spreads[-1])

    def _capitals(self, x: Floats, bets: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Log capitals after the last value, and their largest ones on the way, shape [grid + 1] each."""
        m = self._means()
        with np.errstate(divide="ignore"):
            most_of_up, most_of_down = CAP / m, CAP / (1 - m)
        nothing = np.zeros(m.size)
        up = nothing if self.log_up is None else self.log_up
        down = nothing if self.log_down is None else self.log_down
        most_up, most_down = up, down
        for begin in range(0, x.size, _BLOCK):
            bet, off = bets[begin : begin + _BLOCK, None], x[begin : begin + _BLOCK, None] - m
            grown = np.cumprod(1 + np.minimum(bet, most_of_up) * off, axis=0)
            most_up = np.maximum(most_up, up + np.log(grown.max(axis=0)))
            up = up + np.log(grown[-1])
            grown = np.cumprod(1 - np.minimum(bet, most_of_down) * off, axis=0)
            most_down = np.maximum(most_down, down + np.log(grown.max(axis=0)))
            down = down + np.log(grown[-1])
        return up, down, most_up, most_down
