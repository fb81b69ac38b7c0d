"""CUPED: a difference of means without what was known of the units before.

What a unit did before the comparison explains part of what it does in it, and cannot be an effect of it. Taking
theta (x - mean x) off each unit leaves the difference unbiased and divides its variance by 1 / (1 - corr^2). theta is
that of both arms together. x has to be from before, or from the other arm on the same row (a shadow): a covariate that
the candidate can move takes its effect away.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

from flyball.stats.experiment.pair_moments import PairMoments
from flyball.stats.scoring.intervals import Interval


@dataclass(frozen=True, kw_only=True)
class Adjusted:
    """A difference of means, adjusted."""

    difference: Interval  # candidate less champion
    theta: float  # unit of y over unit of x
    reduction: float  # of the variance by the covariate, 0..1: 0.5 means half as many units are needed


def theta(units: PairMoments) -> float:
    """cov(x, y) / var(x); 0 where x never varies.

    Source: Deng, Xu, Kohavi and Walker 2013, eq. 4.

    >>> from flyball.stats.experiment.pair_moments import moments
    >>> theta(moments([1.0, 3.0], [0.0, 1.0]))
    2.0
    """
    return units.xy / units.xx if units.xx > 0 else 0.0


def adjusted_variance(units: PairMoments, slope: float) -> float:
    """Sample variance of y - slope x; at slope = `theta` it is var(y) (1 - corr^2).

    Raises: NotEnoughData: n < 2.

    >>> from flyball.stats.experiment.pair_moments import moments
    >>> adjusted_variance(moments([1.0, 3.0], [0.0, 1.0]), 2.0)
    0.0
    """
    return max(0.0, units.var_y - 2 * slope * units.covariance + slope**2 * units.var_x)


def adjusted_difference(candidate: PairMoments, champion: PairMoments, *, confidence: float = 0.95) -> Adjusted:
    """Candidate less champion, adjusted by x; a fixed sample, read once.

    Args: y: the metric of a unit. x: what was known of it before; a unit without a past needs one value that both
        arms agree on, such as 0.

    Raises: NotEnoughData: an arm of fewer than two units.

    >>> from flyball.stats.experiment.pair_moments import moments
    >>> found = adjusted_difference(moments([1.5, 2.5, 3.5], [1, 2, 3]), moments([3.0, 4.0, 5.0], [3, 4, 5]))
    >>> found.difference.value, found.reduction
    (0.5, 1.0)
    """
    within = PairMoments(
        n=candidate.n + champion.n,
        yy=candidate.yy + champion.yy,
        xx=candidate.xx + champion.xx,
        xy=candidate.xy + champion.xy,
    )  # centred in each arm, so that an effect is not taken for a slope
    slope = theta(within)
    value = candidate.mean_y - champion.mean_y - slope * (candidate.mean_x - champion.mean_x)
    spread = [adjusted_variance(arm, slope) / arm.n for arm in (candidate, champion)]
    plain = candidate.var_y / candidate.n + champion.var_y / champion.n
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(sum(spread))
    difference = Interval(value=value, low=value - half, high=value + half, n=within.n, method="cuped")
    return Adjusted(difference=difference, theta=slope, reduction=1 - sum(spread) / plain if plain > 0 else 0.0)
