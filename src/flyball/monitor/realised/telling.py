"""How a figure is told: with a value, its interval and its method, or with a verdict and a reason and no value."""

import math
from statistics import NormalDist

from flyball.core.realised import Figure
from flyball.monitor.realised.views import View
from flyball.stats.scoring.intervals import wilson
from flyball.stats.scoring.score_counts import Area

LEAST = 30  # trials behind a share, rows behind a mean
LEAST_OF_A_CLASS = 10  # rows of each class behind an area
MAX_UNUSABLE = 0.05  # of the labels: beyond it the rest is a sample that nobody chose
MAX_UNKNOWN = 0.20  # labels of classes that the release does not know: beyond it the labels are of another kind


def share(
    metric: str, hits: float, trials: float, of: View, *, what: str, confidence: float, least: int = LEAST
) -> Figure:
    """A share with Wilson's interval. Args: what: the trials, in words."""
    if trials < least:
        return too_few(metric, trials, of, what=what, least=least)
    low, high = wilson(hits / of.dilution, trials / of.dilution, confidence=confidence)
    value = hits / trials
    return Figure(metric=metric, verdict="OK", n=round(trials), value=value, low=low, high=high, method="wilson")


def f1(metric: str, hits: float, trials: float, of: View, *, confidence: float, least: int = LEAST) -> Figure:
    """F1 of one class. Args: trials: rows that are of the class or were said to be.

    hits / trials is Jaccard's index J, a share, and F1 = 2 J / (1 + J) rises with it: its interval is Wilson's, mapped.
    """
    if trials < least:
        return too_few(metric, trials, of, what="rows of the class or said to be", least=least)
    low, high = wilson(hits / of.dilution, trials / of.dilution, confidence=confidence)
    value, low, high = (2 * each / (1 + each) for each in (hits / trials, low, high))
    return Figure(metric=metric, verdict="OK", n=round(trials), value=value, low=low, high=high, method="jaccard")


def mean(metric: str, total: float, squares: float, rows: float, of: View, *, confidence: float) -> Figure:
    """A mean over rows with its normal interval."""
    if rows < LEAST:
        return too_few(metric, rows, of, what="rows with a value", least=LEAST)
    value = total / rows
    variance = max(0.0, (squares - rows * value * value) / (rows - 1))
    half = quantile(confidence) * math.sqrt(variance * of.dilution / rows)
    return Figure(
        metric=metric,
        verdict="OK",
        n=round(rows),
        value=value,
        low=value - half,
        high=value + half,
        method="normal",
    )


def area(metric: str, found: Area, rows: float, *, method: str) -> Figure:
    """An area from counted scores."""
    return Figure(
        metric=metric,
        verdict="OK",
        n=round(rows),
        value=found.value,
        low=found.low,
        high=found.high,
        method=method,
        bound=found.bound,
    )


def over_classes(metric: str, parts: list[Figure], rows: float) -> Figure:
    """The mean of the classes' figures. Bounds are the means of theirs: never too narrow, however they hang together,
    because a standard deviation of a mean is at most the mean of the standard deviations."""
    told = [each for each in parts if each.value is not None]
    if not told:
        reason = parts[0].reason if parts else "no class has a label"
        return Figure(metric=metric, verdict="INSUFFICIENT", n=round(rows), reason=reason)
    values, lows, highs, bounds = (
        math.fsum(getattr(each, name) for each in told) / len(told) for name in ("value", "low", "high", "bound")
    )
    return Figure(
        metric=metric,
        verdict="OK",
        n=round(rows),
        value=values,
        low=lows,
        high=highs,
        bound=bounds,
        method="mean of classes",
    )


def too_few(metric: str, found: float, of: View, *, what: str, least: int) -> Figure:
    """INSUFFICIENT, with the labelled rows at which it would be told if shares stay as they are."""
    needed = math.ceil(least * of.labelled / found) if found > 0 else None
    reason = f"{round(found)} {what}: at least {least} are needed"
    if not of.labelled:
        needed, reason = least, "no label has come"
    return Figure(metric=metric, verdict="INSUFFICIENT", n=round(found), needed=needed, reason=reason)


def quantile(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)
