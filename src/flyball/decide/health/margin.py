"""What a loss of so many points means: points of a metric that is a share, else a share of the holdout's value."""

from collections.abc import Sequence

from scipy.special import ndtri

from flyball.core.estimating import ConceptTrend
from flyball.core.release import Estimate
from flyball.core.service import HealthRules
from flyball.stats.scoring.metrics import METRICS


def tolerated(points: float, base: float | None) -> float:
    """In the metric's unit. Args: base: value on the holdout; None: the metric is a share.

    >>> tolerated(0.05, None), tolerated(0.05, 12.0)
    (0.05, 0.6000000000000001)
    """
    return points if base is None else points * abs(base)


def base_of(metric: str, now: Estimate | None, loss: Estimate | None) -> float | None:
    """The holdout's value of a metric that is no share; None: it is one, or nothing was measured yet.

    Args: now: the live metric. loss: worse than on the holdout by.

    >>> found = [Estimate(value=value, low=value, high=value, n=9) for value in (2.5, 0.5)]
    >>> base_of("mae", *found), base_of("accuracy", *found)
    (2.0, None)
    """
    known = METRICS.get(metric)
    if now is None or loss is None or known is None or known.unit == "share":
        return None
    return now.value + loss.value if known.direction == "higher" else now.value - loss.value


def surely_lost(newest: Estimate, before: Sequence[Estimate], limit: float, rules: HealthRules) -> bool:
    """Whether a metric is worse by more than `limit`, asked of each window for as long as a service lives.

    Beyond doubt in the newest window (one look at `alpha`, its spread taken as normal), or beyond the bounds that the
    windows have in each of the newest `quality_windows`: one bound of 90 % is passed by chance in most weeks.

    >>> rules, unsure = HealthRules(), Estimate(value=0.08, low=0.06, high=0.1, n=900, confidence=0.9)
    >>> [surely_lost(unsure, [unsure] * windows, 0.05, rules) for windows in range(3)]
    [False, False, True]
    >>> surely_lost(Estimate(value=0.2, low=0.18, high=0.22, n=900, confidence=0.9), [], 0.05, rules)
    True
    """
    spread = (newest.value - newest.low) / float(ndtri((1 + newest.confidence) / 2))
    if newest.value + float(ndtri(rules.alpha)) * spread > limit:
        return True
    row = (newest, *before)[: rules.quality_windows]
    return len(row) == rules.quality_windows and all(each.low > limit for each in row)


def surely_falling(told: ConceptTrend, limit: float, rules: HealthRules) -> bool:
    """Whether a trend loses more than `limit` in `trend_days`, its interval and all."""
    return told.verdict == "DRIFT" and told.slope is not None and told.slope.low * rules.trend_days > limit


def projected(told: ConceptTrend, rules: HealthRules) -> float:
    """What the slope comes to in `trend_days`, in the metric's unit; positive = worse; 0 where there is none."""
    return told.slope.value * rules.trend_days if told.slope is not None else 0.0
