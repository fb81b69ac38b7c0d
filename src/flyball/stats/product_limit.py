"""How long something takes that has not happened to everybody yet: the product limit (Kaplan-Meier) on grouped delays.

Rows that still wait are censored at their age, not left out and not counted as "never": leaving them out makes delays
look short (quick ones come first), and counting them as never makes the share of those that come look small.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class ProductLimit:
    """P(it takes less than edges[j])."""

    edges: Floats  # seconds, rising, shape [J]; only those that somebody is old enough for
    share: Floats  # shape [J]
    low: Floats  # pointwise interval
    high: Floats
    at_risk: Ints  # rows behind each step, shape [J]

    def at(self, seconds: float) -> float:
        """P(it takes less than the last edge that is not above these seconds); 0 below the first."""
        place = int(np.searchsorted(self.edges, seconds, side="right"))
        return float(self.share[place - 1]) if place else 0.0

    def quantile(self, share: float) -> float | None:
        """Edge by which this share of *those that come within the longest time seen* have come; None: none come."""
        if not self.share.size or self.share[-1] <= 0:
            return None
        place = int(np.searchsorted(self.share, share * self.share[-1] * (1 - 1e-12), side="left"))
        return float(self.edges[place])


def product_limit(
    rows: Ints, ages: Floats, delays: Ints, edges: Floats, *, z: float = 1.959963984540054
) -> ProductLimit:
    """From groups of rows that began together.

    Args:
        rows: of each group, shape [G].
        ages: since the group began, shape [G]; of a group that began over a while, that of its youngest row.
        delays: rows of the group to which it happened in bin j, shape [G, J]; bin j is edges[j-1] <= delay < edges[j].
        edges: upper ends of the bins, seconds, rising, shape [J].

    A group is in the risk set of a bin only if it is old enough to have lived through all of it, so that no bin is half
    observed. Intervals: Greenwood's variance on the complementary log-log scale.
    Source: Kaplan and Meier 1958, eq. 2b; Kalbfleisch and Prentice 2002, section 1.4.

    >>> found = product_limit(np.array([4, 4]), np.array([9.0, 1.5]), np.array([[1, 1], [2, 0]]), np.array([1.0, 2.0]))
    >>> found.share.round(4).tolist(), found.at_risk.tolist()
    ([0.375, 0.5833], [8, 3])
    """
    lived = ages[:, None] >= edges[None, :]
    happened = np.where(lived, delays, 0).sum(axis=0)
    waiting = rows[:, None] - (np.cumsum(delays, axis=1) - delays)
    at_risk = np.where(lived, np.maximum(waiting, 0), 0).sum(axis=0)
    known = int(np.count_nonzero(lived.any(axis=0)))  # ages rise with the edges, so these are the first ones
    happened, at_risk = happened[:known], at_risk[:known]
    hazard = np.divide(happened, at_risk, out=np.zeros(known), where=at_risk > 0)
    survival = np.cumprod(1 - np.minimum(hazard, 1.0))
    spread = at_risk * np.maximum(at_risk - happened, 0)
    variance = np.cumsum(np.divide(happened, spread, out=np.zeros(known), where=spread > 0))
    low, high = _bounds(survival, variance, z)
    return ProductLimit(edges=edges[:known], share=1 - survival, low=low, high=high, at_risk=at_risk.astype(np.int64))


def _bounds(survival: Floats, variance: Floats, z: float) -> tuple[Floats, Floats]:
    """Of 1 - survival; where nobody or everybody came the curve itself is the bound."""
    inner = (survival > 0) & (survival < 1)
    logs = np.log(np.where(inner, survival, 0.5))
    half = z * np.sqrt(variance) / np.abs(logs)
    up, down = survival ** np.exp(-half), survival ** np.exp(half)
    low, high = np.where(inner, 1 - up, 1 - survival), np.where(inner, 1 - down, 1 - survival)
    return np.asarray(np.clip(low, 0, 1)), np.asarray(np.clip(high, 0, 1))


def delay_edges(*, a_decade: int = 8, longest: float = 1e8) -> Floats:
    """Edges from 1 s on, so many a decade: a delay read from them is right to within one step.

    >>> delay_edges(a_decade=1, longest=1e3).tolist()
    [1.0, 10.0, 100.0, 1000.0]
    """
    steps = round(a_decade * float(np.log10(longest)))
    return np.asarray(10.0 ** (np.arange(steps + 1) / a_decade))
