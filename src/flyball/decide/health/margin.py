"""What a loss of so many points means: points of a metric that is a share, else a share of the holdout's value."""

from flyball.core.estimating import ConceptTrend
from flyball.core.release import Estimate
from flyball.core.service import HealthRules
from flyball.stats.metrics import METRICS


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


def projected(told: ConceptTrend, rules: HealthRules) -> float:
    """What the slope comes to in `trend_days`, in the metric's unit; positive = worse; 0 where there is none."""
    return told.slope.value * rules.trend_days if told.slope is not None else 0.0
