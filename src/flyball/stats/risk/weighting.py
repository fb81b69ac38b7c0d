"""Importance weights: old rows made to stand for today's, clipped, and refused where too few rows carry them all.

A row with density q today and p then counts q/p; the ratio comes from counts by bin. A few rows of huge weight make an
estimate of a few rows; so weights are clipped at their 99th percentile, and the effective sample size says what is
left.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.sample import Floats

CLIP_AT = 0.99  # quantile of the weights
LEAST_ESS = 0.05  # of the rows


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights of rows, mean 1, and how many equal rows they are worth."""

    each: Floats  # shape [n], >= 0
    ess: float  # (sum w)^2 / sum w^2, rows
    clipped: int  # rows whose weight was lowered


def weights(ratio: npt.ArrayLike) -> Weights:
    """Clip at the 99th percentile, scale to mean 1, refuse what a few rows carry.

    Args: ratio: of today's density to the old one at each row, shape [n], >= 0.
    Raises: NotEnoughData: no rows, no weight, or an effective sample under 5 % of them. ValueError: a negative weight,
    or one that is not finite.
    Source: Kish 1965 for the effective sample size.

    >>> found = weights([1.0, 1.0, 2.0, 0.0])
    >>> round(found.ess, 2), found.clipped
    (2.68, 1)
    """
    given = np.asarray(ratio, dtype=np.float64)
    if given.size == 0:
        raise NotEnoughData("no rows to weigh")
    if bad := int((~np.isfinite(given) | (given < 0)).sum()):
        raise ValueError(f"expected finite weights >= 0, found {bad} that are not")
    bound = float(np.quantile(given, CLIP_AT))
    each = np.minimum(given, bound) if bound > 0 else given
    total = float(each.sum())
    if total <= 0:
        raise NotEnoughData(f"none of {given.size} rows looks like today's: every weight is 0")
    ess = total**2 / float((each**2).sum())
    if ess < LEAST_ESS * given.size:
        raise NotEnoughData(
            f"effective sample of {ess:.1f} among {given.size} rows, under {LEAST_ESS:.0%}: today's rows are too unlike"
        )
    return Weights(each=each * (given.size / total), ess=ess, clipped=int((given > each).sum()))


def stretch(old: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """By how much fewer old rows stand behind today's mix: what is learned by bin from n old rows is as sure today as
    from n / stretch. Sum of q^2 / p over the bins, at least 1.

    Args: old, now: rows by bin, shape [bins].

    >>> stretch([50, 50], [10, 10]), round(stretch([90, 10], [0, 20]), 1)
    (1.0, 9.6)
    """
    before, today = np.asarray(old, dtype=np.float64) + 0.5, np.asarray(now, dtype=np.float64)
    if today.sum() <= 0:
        return 1.0
    p, q = before / before.sum(), today / today.sum()
    return max(1.0, float((q**2 / p).sum()))


def bin_ratio(code: npt.ArrayLike, old: npt.ArrayLike, now: npt.ArrayLike) -> Floats:
    """Today's share of each row's bin over its old share, shape [n].

    Args: code: bin of each row. old, now: rows (or weights) by bin, shape [bins].
    Raises: NotEnoughData: one side is empty.

    >>> bin_ratio([0, 1], [50, 50], [10, 30]).tolist()
    [0.5, 1.5]
    """
    before, today = np.asarray(old, dtype=np.float64), np.asarray(now, dtype=np.float64)
    if before.sum() <= 0 or today.sum() <= 0:
        raise NotEnoughData(f"expected rows on both sides, found {before.sum():g} old and {today.sum():g} of today")
    p, q = before / before.sum(), today / today.sum()
    ratio = np.divide(q, p, out=np.zeros_like(q), where=p > 0)
    return np.asarray(ratio[np.asarray(code, dtype=np.int64)])
