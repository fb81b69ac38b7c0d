"""A ratio of two means whose unit is not the row: errors a request, spend an order, where units bring many rows.

Rows of one unit hang together, so the units are what varies. The delta method turns each unit into its part of the
ratio's error, (its sum - ratio x its rows) / mean rows; the rest is the statistics of a mean.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from flyball.core.errors import NotEnoughData
from flyball.stats.experiment.pair_moments import PairMoments
from flyball.stats.scoring.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A mean by row, with units as what was drawn."""

    value: float  # sum of y over sum of x
    sd: float  # of one unit's part in it: the standard error is sd / sqrt(n)
    n: int  # units, count

    @property
    def variance(self) -> float:
        """Of the value."""
        return self.sd**2 / self.n


def ratio(units: PairMoments) -> Ratio:
    """The ratio of the means of y and x, and its spread.

    Args: units: y, such as a unit's sum of a metric; x, such as its number of rows.
    Raises: NotEnoughData: fewer than two units, or x is 0 on average: there is no ratio.
    Source: variance s_y^2/m_x^2 + s_x^2 m_y^2/m_x^4 - 2 s_xy m_y/m_x^3, over n; Deng, Knoblich and Lu 2018, eq. 5.

    >>> from flyball.stats.experiment.pair_moments import moments
    >>> found = ratio(moments([1.0, 4.0, 2.0], [1.0, 2.0, 2.0]))
    >>> round(found.value, 3), round(found.variance, 5)
    (1.4, 0.1344)
    """
    if units.mean_x == 0.0:
        raise NotEnoughData("the units have no rows: a ratio needs something below the line")
    value = units.mean_y / units.mean_x
    spread = units.var_y - 2 * value * units.covariance + value**2 * units.var_x
    return Ratio(value=value, sd=math.sqrt(max(0.0, spread)) / abs(units.mean_x), n=units.n)


def ratio_difference(candidate: PairMoments, champion: PairMoments, *, confidence: float = 0.95) -> Interval:
    """Candidate less champion, with its interval; a fixed sample, read once.

    Raises: NotEnoughData: as `ratio`.

    >>> from flyball.stats.experiment.pair_moments import moments
    >>> found = ratio_difference(moments([2.0, 4.0], [1.0, 2.0]), moments([1.0, 2.0], [1.0, 2.0]))
    >>> found.value, found.low, found.high
    (1.0, 1.0, 1.0)
    """
    ours, theirs = ratio(candidate), ratio(champion)
    value = ours.value - theirs.value
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(ours.variance + theirs.variance)
    return Interval(value=value, low=value - half, high=value + half, n=ours.n + theirs.n, method="delta")
