"""Is the champion worse than it promised? Its live metric on matured labels, against its own holdout value.

A promotion starts anew: a release is measured by its own promise, and only on rows that it answered itself. Rows are
judged in their own order, so that quick labels are no sample of their own: each when its `data.label_window_s` has
passed (`maturing`), or, where none is declared, when its label should be here (`learned_wait`).
"""

import math

import numpy as np

from flyball.core.release import Estimate
from flyball.core.watching import Signal
from flyball.monitor.answers import Answers
from flyball.monitor.windows import Span
from flyball.stats.scoring.intervals import interval
from flyball.stats.scoring.metrics import METRICS

Z90 = 1.6448536269514722  # one-sided 5 %
WARN_SHARE = 0.5  # of `max_loss`
FEW = "only {only:.0%} of the rows have a label so far and no data.label_window_s says that the others get none"


def live(metric: str, answers: Answers, *, rng: np.random.Generator) -> Estimate:
    """The metric on rows whose labels are known, with its 95 % interval.

    Raises: NotEnoughData: too few rows, or a class is missing.
    """
    found = interval(
        metric,
        answers.truth,
        answers.prediction,
        answers.score,
        rng=rng,
        classes=answers.classes or None,
    )
    return Estimate(value=found.value, low=found.low, high=found.high, n=found.n)


def loss(metric: str, promised: Estimate, now: Estimate) -> Estimate:
    """Worse than promised by how much, in the metric's unit, with a 90 % interval; negative = better.

    The two samples are independent, so their variances add; the wider half of an interval stands for its spread.

    >>> holdout = Estimate(value=0.9, low=0.88, high=0.92, n=1000)
    >>> round(loss("accuracy", holdout, Estimate(value=0.8, low=0.77, high=0.83, n=1000)).low, 3)
    0.07
    """
    worse = -METRICS[metric].better_by(promised.value, now.value)
    half = Z90 * math.hypot(_spread(promised), _spread(now))
    return Estimate(value=worse, low=worse - half, high=worse + half, n=now.n, confidence=0.90)


def signal(
    found: Estimate, max_loss: float, *, streak: int, span: Span, rows: tuple[int, int], only: float | None = None
) -> Signal | None:
    """`act` beyond `max_loss`, `warn` beyond half of it, both only if the loss is surely above 0 (one-sided 5 %).

    Args:
        max_loss: in the metric's unit.
        streak: windows in a row before this one.
        rows: stream positions covered.
        only: share of these that have a label, where it is too small to act on: never more than `warn`.
    """
    limit = next((share * max_loss for share in (1.0, WARN_SHARE) if found.value > share * max_loss), None)
    if limit is None or found.low <= 0:
        return None
    return Signal(
        signal="risk",
        level="act" if limit == max_loss and only is None else "warn",
        value=found.value,
        limit=limit,
        release=span.release,
        window=span.index,
        first_row=rows[0],
        last_row=rows[1],
        consecutive=streak + 1,
        detail=f"worse than its holdout by {found.value:.4g} ({found.low:.4g} to {found.high:.4g}, n={found.n})"
        + (f"; {FEW.format(only=only)}" if only is not None else ""),
    )


def margin(declared: float | str, promised: float) -> float:
    """A declared loss in the metric's unit: a number as it is, `5%` as a share of the promised value.

    >>> margin(0.05, 0.9), margin("5%", 800.0)
    (0.05, 40.0)
    """
    if isinstance(declared, str):
        return float(declared.strip().removesuffix("%")) / 100 * abs(promised)
    return declared


def _spread(found: Estimate) -> float:
    z = 1.959963984540054 if found.confidence == 0.95 else Z90
    return max(found.high - found.value, found.value - found.low) / z
