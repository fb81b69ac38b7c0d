"""Intervals of an off-policy estimate that hold for any law of the rewards, from bounds that were known before."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from flyball.stats.actions.logged_actions import LoggedActions
from flyball.stats.actions.overlap import Floats

Estimator = Literal["ips", "clipped", "snips", "dr"]


@dataclass(frozen=True, kw_only=True)
class RewardBounds:
    """What is known before the log is read. What was the largest in the log is no such bound."""

    low: float  # of a reward and of a guess, in the unit of the reward
    high: float
    largest_weight: float  # 1 / the smallest propensity that the logging policy may have

    def width(self, name: Estimator, *, less: float = 0.0) -> float | None:
        """How far apart two rows of the estimator can be; None where no row has a value of its own.

        Args: less: 1 for the gain over what was logged, 0 for the value.

        >>> RewardBounds(low=0.0, high=1.0, largest_weight=4.0).width("ips", less=1.0)
        4.0
        """
        if name == "ips":
            corners = [(w - less) * r for w in (0.0, self.largest_weight) for r in (self.low, self.high)]
            return max(corners) - min(corners)
        return (self.high - self.low) * (1 + 2 * self.largest_weight + less) if name == "dr" else None

    def refuse(self, log: LoggedActions, *, clustered: bool) -> None:
        """Raises: ValueError: bounds that say nothing or that the log breaks, or rows that are not independent."""
        if clustered:
            raise ValueError("bounds with units: an interval for any law needs independent rows")
        if not (np.isfinite([self.low, self.high]).all() and 1 <= self.largest_weight < math.inf):
            raise ValueError(f"expected finite rewards and a largest weight of at least 1, found {self}")
        held = [log.reward, *(log.guesses or ())]
        if min(float(each.min()) for each in held) < self.low or max(float(each.max()) for each in held) > self.high:
            raise ValueError(f"rewards or guesses outside {self.low} to {self.high}")
        if float((log.target / log.propensity).max()) > self.largest_weight * (1 + 1e-9):
            raise ValueError(f"a weight is above {self.largest_weight:g}")


def bernstein_half(values: Floats, width: float, confidence: float) -> float:
    """Half-width of a two-sided interval for the mean of independent values that are at most `width` apart.

    Source: Maurer and Pontil 2009, theorem 4, at half the error on each side.

    >>> round(bernstein_half(np.tile([0.0, 1.0], 500), 1.0, 0.95), 4)
    0.0571
    """
    n, log = values.size, math.log(4 / (1 - confidence))
    if n < 2:
        return math.inf
    return math.sqrt(2 * float(values.var(ddof=1)) * log / n) + 7 * width * log / (3 * (n - 1))
