"""Does a log hold enough of what another policy would have done? Looked at before any estimate of it is believed.

A log answers for a policy by the rows in which that policy could have done what was done, each weighted by how much
oftener it would have: w = P(target takes the logged action) / propensity. Where that is rare, or where the propensities
are not those that acted, an estimate is a number without a meaning. Four signs are read:

- the effective sample size: how many equally weighted units the weighted ones are worth;
- the mean weight: 1 on average, whatever the target, if every propensity is right and every action that the target
  takes had a chance. It is tested with the variance that the weights have under this hypothesis, E[w^2] - 1, where
  E[w^2], the target's own mean of w, is the weighted mean of w: a plain studentised test takes a log that is short of
  followed rows for a precise one;
- rows whose action was certain and not the target's: what the target does there was never tried;
- the largest weight, and the share that the heaviest rows have of all: whose answer it is.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

MIN_EFFECTIVE = 100.0  # units; below, intervals that rest on a normal limit miss oftener than they say
SURE = 0.001  # p of the mean weight below which propensities are not believed
CERTAIN = 1 - 1e-9  # a propensity from here on left no chance to another action
_TOP = 0.01


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """What the log holds of the target's actions."""

    rows: int
    units: int  # what was drawn independently: rows, or the groups that were named
    effective: float  # units, Kish's effective sample size
    followed: float  # share of the rows whose logged action the target may take, 0..1
    untried: float  # share of the rows whose action was certain and not surely the target's, 0..1
    mean_weight: float  # 1 on average where the propensities are right
    mean_weight_p: float  # of the test that it is 1, two-sided
    largest_weight: float
    top_share: float  # of all weight, in the hundredth of the rows with the largest, 0..1

    def lacks(self, min_effective: float = MIN_EFFECTIVE) -> tuple[str, ...]:
        """Why no estimate should be believed; empty where one may be.

        >>> overlap(np.full(400, 0.5), np.tile([1.0, 0.0], 200)).lacks()
        ()
        >>> overlap(np.ones(400), np.ones(400) * (np.arange(400) > 3)).lacks()[0]
        '1.00% of the rows had one possible action, and the target takes another: what it does there was never tried'
        """
        found = []
        if self.effective < min_effective:
            found.append(
                f"the rows that the target follows are worth {self.effective:.3g} of at least {min_effective:.3g} units"
                f" ({self.followed:.2%} of {self.rows} rows are followed)"
            )
        if self.untried > 0:
            found.append(
                f"{self.untried:.2%} of the rows had one possible action, and the target takes another: what it does"
                " there was never tried"
            )
        if self.mean_weight_p < SURE:
            found.append(
                f"the mean weight is {self.mean_weight:.4g} and not 1 (p {self.mean_weight_p:.1g}): propensities are"
                " not those that acted, or the target takes actions that had no chance"
            )
        return tuple(found)


def overlap(propensity: npt.ArrayLike, target: npt.ArrayLike, unit: Codes | None = None) -> Overlap:
    """What a log holds of a target's actions.

    Args:
        propensity: with which the logged action was taken, above 0, at most 1, shape [n], n >= 1.
        target: probability with which the target takes that action, 0..1, shape [n].
        unit: number of the unit that a row belongs to, 0.., shape [n]; rows of one unit are not independent.

    Source: effective sample size, Kish 1965, (sum w)^2 / sum w^2.

    >>> found = overlap([0.5, 0.5, 0.5, 0.5], [1, 0, 1, 0])
    >>> found.effective, found.mean_weight, found.followed
    (2.0, 1.0, 0.5)
    """
    p, t = np.asarray(propensity, dtype=np.float64), np.asarray(target, dtype=np.float64)
    w, n = t / p, t.size
    codes = np.arange(n) if unit is None else unit
    sums = np.bincount(codes, w)
    total, top = float(w.sum()), max(1, math.ceil(n * _TOP))
    return Overlap(
        rows=n,
        units=sums.size,
        effective=_kish(sums.astype(np.float64)) if total > 0 else 0.0,
        followed=float((t > 0).mean()),
        untried=float(((p >= CERTAIN) & (t < CERTAIN)).mean()),
        mean_weight=total / n,
        mean_weight_p=_p_of_mean(w, codes),
        largest_weight=float(w.max()),
        top_share=float(np.sort(w)[-top:].sum()) / total if total > 0 else 0.0,
    )


def _kish(weights: Floats) -> float:
    """In units of the largest: squares of weights far below 1 would be nothing."""
    share = weights / weights.max()
    return float(share.sum()) ** 2 / float((share**2).sum())


def spread_of_mean(values: Floats, codes: Codes) -> float:
    """Standard error of the mean of rows that come in units, from the units' sums of deviations; a mean by row with
    units as what was drawn. inf: one unit.

    Source: linearised ratio, Cochran 1977, eq. 9A.3 without the finite-population term.

    >>> round(spread_of_mean(np.array([0.0, 1.0, 0.0, 1.0]), np.arange(4)), 4)
    0.2887
    """
    sums = np.bincount(codes, values - values.mean())
    if sums.size < 2:
        return math.inf
    return math.sqrt(sums.size / (sums.size - 1) * float((sums**2).sum())) / values.size


def _p_of_mean(w: Floats, codes: Codes) -> float:
    n, mean = w.size, float(w.mean())
    if mean <= 0:
        return 0.0
    spread = float((w * w).mean()) / mean - 1  # of one weight, were the mean 1
    if spread <= 1e-9:  # weights that cannot vary
        return 1.0 if abs(mean - 1) <= 1e-6 else 0.0
    by_row = float(((w - mean) ** 2).sum()) / n**2
    shared = spread_of_mean(w, codes) ** 2 / by_row if by_row > 0 else 1.0  # what units add to the variance
    z = abs(mean - 1) / math.sqrt(spread / n * max(1.0, shared))
    return float(2 * special.ndtr(-z))
