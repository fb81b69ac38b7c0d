"""Areas from counts of scores: the ROC area and the average precision of scored rows that were only counted in bins.

Bins are equally wide in log-odds, so that they are finest where scores are rare and risky: near 0 and 1. Rows that
share a bin are taken as ties. How far that can move an area is known exactly from the counts, and told as its bound.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.core.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
BINS = 512
_REACH = 12.0  # log-odds of the outermost edges: 6e-6 from 0 and from 1
EDGES: Floats = special.expit(np.linspace(-_REACH, _REACH, BINS - 1))


@dataclass(frozen=True, kw_only=True)
class Area:
    """An area, how wide its interval is, and how far the binning may have moved it."""

    value: float
    low: float
    high: float
    bound: float  # |area of the scores themselves - value| is at most this


def bins_of(score: Floats) -> npt.NDArray[np.int64]:
    """Bin of each score, 0..BINS-1, shape [n].

    >>> bins_of(np.array([0.0, 0.5, 1.0])).tolist()
    [0, 255, 511]
    """
    return np.searchsorted(EDGES, score, side="left").astype(np.int64)


def roc_area(negative: Floats, positive: Floats, *, confidence: float = 0.95, dilution: float = 1.0) -> Area:
    """P(a positive scores above a negative), ties counting half, with DeLong's interval on the logit scale.

    Args: negative, positive: rows of each class in bins of rising score, shape [B]; weighted rows count as their
    weights. dilution: rows over effective rows, >= 1: what weights cost in variance.

    Raises: NotEnoughData: fewer than two rows of a class.
    Source: DeLong et al. 1988 with ties; the bound is half the share of pairs that share a bin.

    >>> found = roc_area(np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 2.0]))
    >>> round(found.value, 4), round(found.bound, 4)
    (0.9444, 0.0556)
    """
    n, m = float(negative.sum()), float(positive.sum())
    if n < 2 or m < 2:
        raise NotEnoughData(f"a ROC area's variance needs two rows of each class, found {m:g} positive, {n:g} negative")
    below = np.cumsum(negative) - negative
    beats = (below + negative / 2) / n  # for a positive of this bin: the share of negatives it beats
    beaten = (m - np.cumsum(positive) + positive / 2) / m
    value = float(positive @ beats) / m
    variance = float(positive @ (beats - value) ** 2) / (m * (m - 1))
    variance += float(negative @ (beaten - value) ** 2) / (n * (n - 1))
    bound = float(positive @ negative) / (2 * n * m)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    if value in (0.0, 1.0) or variance == 0.0:
        # as `intervals`: the rows make min(m, n) disjoint pairs, all of them in that order
        reach = 1 - ((1 - confidence) / 2) ** (dilution / min(m, n))
        low, high = (value - reach if value > 0 else value), (value + reach if value < 1 else value)
    else:
        low, high = _on_logits(value, z * math.sqrt(variance * dilution) / (value * (1 - value)))
    return Area(value=value, low=max(0.0, low - bound), high=min(1.0, high + bound), bound=bound)


def precision_area(negative: Floats, positive: Floats, *, confidence: float = 0.95, dilution: float = 1.0) -> Area:
    """Average precision: sum of (recall gained) x precision, with an interval on the logit scale.

    Args: as `roc_area`. Raises: NotEnoughData: no positive row.
    Source: Boyd, Eng and Page 2013, section 3.1, for the interval. The bound: within a bin the
    positives come first, all tied, or last, one by one (then a sum of i / (i + a), which digamma values give).

    >>> found = precision_area(np.array([2.0, 1.0, 0.0]), np.array([0.0, 1.0, 2.0]))
    >>> round(found.value, 4), round(found.bound, 4)
    (0.9167, 0.0833)
    """
    no, yes = negative[::-1], positive[::-1]
    total = float(yes.sum())
    if total <= 0:
        raise NotEnoughData("pr_auc needs at least one positive row, found none")
    hits, seen = np.cumsum(yes), np.cumsum(yes + no)
    used = yes > 0
    value = float(np.sum(yes[used] * hits[used] / seen[used])) / total
    before, start = (hits - yes)[used], (seen - yes - no)[used]
    best = float(np.sum(yes[used] * (before + yes[used]) / (start + yes[used]))) / total
    worst = float(np.sum(_run(before, start + no[used], yes[used]))) / total
    bound = max(0.0, best - value, value - worst)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    if value >= 1.0:
        low, high = 1 - (1 - ((1 - confidence) / 2) ** (dilution / total)), 1.0
    else:
        low, high = _on_logits(value, z * math.sqrt(dilution / (total * value * (1 - value))))
    return Area(value=value, low=max(0.0, low - bound), high=min(1.0, high + bound), bound=bound)


def _run(hits: Floats, seen: Floats, count: Floats) -> Floats:
    """Sum over i = 1..count of (hits + i) / (seen + i), elementwise."""
    return np.asarray(count + (hits - seen) * (special.digamma(seen + count + 1) - special.digamma(seen + 1)))


def _on_logits(value: float, half: float) -> tuple[float, float]:
    middle = math.log(value / (1 - value))
    return float(special.expit(middle - half)), float(special.expit(middle + half))
