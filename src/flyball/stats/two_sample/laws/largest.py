"""The law of the measures that are a largest difference: L-infinity over the bins, Kolmogorov-Smirnov over the edges.

L-infinity: a union bound over the bins is an upper bound of p and sharp in the tail; each bin has its normal law where
both samples are expected to have `DENSE` rows in it, else a binomial one that is no narrower than the true law.
Kolmogorov-Smirnov: the limit law of the supremum over all values bounds that over some edges, so p is conservative.
Intervals: the true largest difference lies somewhere, and there the estimate is normal, so the upper end takes one
place at a time; the lower end must hold at all places at once.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.two_sample.laws.quadratic import POWER
from flyball.stats.two_sample.measure import Evidence

Masses = npt.NDArray[np.float64]
ROUNDING = 1e-9  # rows: a difference that is met exactly counts
DENSE = 30  # rows expected in a bin, above which its normal law is good to the tails that are asked for


def l_infinity_evidence(r: Masses, c: Masses, *, limit: float, alpha: float, confidence: float) -> Evidence:
    """Largest difference of one bin's share. Args as in `quadratic.evidence`; counts of at least two bins in use."""
    n, m = float(r.sum()), float(c.sum())
    p, q, pooled = r / n, c / m, (r + c) / (n + m)
    apart = np.abs(p - q)
    value = float(apart.max())
    null = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    own = np.maximum(deviation(p, q, n, m), null)  # a rare bin that happens to be empty is not for that a sure one
    dense = np.minimum(pooled, 1 - pooled) * min(n, m) >= DENSE
    sparse_r, sparse_c = r[~dense], c[~dense]

    def tail(at: float) -> float:
        normal = float(np.sum(2 * special.ndtr(-at / null[dense])))
        return min(1.0, normal + float(np.sum(beyond(at, sparse_r, sparse_c, n, m))))

    critical = _solve(tail, alpha, 1.0)
    return Evidence(
        value=value,
        plain=value,
        ci=largest_interval(apart, own, confidence),
        p=tail(value),
        p_limit=min(1.0, float(np.sum(special.ndtr((limit - value) / own) + special.ndtr(-(limit + value) / own)))),
        chance=critical,
        mde=critical + float(special.ndtri(POWER) * null.max()),
    )


def ks_evidence(r: Masses, c: Masses, *, limit: float, alpha: float, confidence: float) -> Evidence:
    """Largest difference of the distribution functions at the edges. Args as in `quadratic.evidence`.

    Source: Smirnov 1948 for the limit law; for the tolerance null |D - true D| is at most the largest error.
    """
    n, m = float(r.sum()), float(c.sum())
    f, g = np.cumsum(r)[:-1] / n, np.cumsum(c)[:-1] / m
    apart = np.abs(f - g)
    pooled = np.cumsum(r + c)[:-1] / (n + m)
    return ks_law(
        float(apart.max()),
        largest_interval(apart, deviation(f, g, n, m), confidence),
        n=n,
        m=m,
        limit=limit,
        alpha=alpha,
        places=np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m)),
    )


def ks_law(
    value: float,
    ci: tuple[float, float],
    *,
    n: float,
    m: float,
    limit: float,
    alpha: float,
    p: float | None = None,
    places: Masses | None = None,
) -> Evidence:
    """What the Kolmogorov law adds to a distance and its interval.

    Args:
        p: exact, where it is known.
        places: standard deviation of the difference at each edge, shape [B - 1]; over a few edges the union bound is
            below Kolmogorov's, and both are upper bounds.
    """
    root = math.sqrt(n * m / (n + m))

    def tail(at: float) -> float:
        bound = float(special.kolmogorov(root * at))
        return bound if places is None else min(bound, float(np.sum(2 * special.ndtr(-at / places))))

    critical = _solve(tail, alpha, 1.0)
    return Evidence(
        value=value,
        plain=value,
        ci=ci,
        p=tail(value) if p is None else p,
        p_limit=float(special.kolmogorov(root * max(0.0, value - limit))),
        chance=critical,
        mde=critical + float(special.ndtri(POWER)) / 2 / root,
    )


def deviation(p: Masses, q: Masses, n: float, m: float) -> Masses:
    """Standard deviation of each difference of two shares, with one half added to each cell so that none is 0."""
    at_p, at_q = (n * p + 0.5) / (n + 1), (m * q + 0.5) / (m + 1)
    return np.sqrt(at_p * (1 - at_p) / n + at_q * (1 - at_q) / m)


def beyond(at: float, r: Masses, c: Masses, n: float, m: float) -> Masses:
    """Chance that a bin's shares differ by `at` or more while nothing has changed, given its rows in both: an upper
    bound, shape of `r`.

    Given its total, a bin's count in one sample is hypergeometric. A binomial count with as many draws as the rarer
    of "in the bin" and "in that sample" has the same mean and a variance that is larger by the share of the other.
    Source of the order of both laws (convex): Hoeffding 1963, theorem 4.

    >>> beyond(0.01, np.array([0.0, 9.0]), np.array([1.0, 2.0]), 1000.0, 100.0).round(3).tolist()
    [0.091, 0.614]
    """
    total, all_rows = r + c, n + m
    middle = total / all_rows
    in_bin = total / all_rows <= m / all_rows
    draws = np.where(in_bin, total, m)
    chance = np.where(in_bin, m / all_rows, middle)
    unit = 1 / m + 1 / n
    least = np.ceil((total / n + at) / unit - ROUNDING)
    most = np.floor((total / n - at) / unit + ROUNDING)
    with np.errstate(all="ignore"):
        above = np.where(
            least > draws, 0.0, special.betainc(np.maximum(least, 1), np.maximum(draws - least + 1, 1), chance)
        )
        below = np.where(
            most < 0, 0.0, special.betainc(np.maximum(draws - most, 1), np.maximum(most, 0) + 1, 1 - chance)
        )
    return np.asarray(np.where(least < 1, 1.0, above) + np.where(most >= draws, 1.0, below))


def largest_interval(apart: Masses, own: Masses, confidence: float) -> tuple[float, float]:
    """Of the largest true difference. Args: apart: observed ones; own: the standard deviation of each."""
    tail = (1 - confidence) / 2
    low = float(np.max(apart - special.ndtri(1 - tail / apart.size / 2) * own))  # at all places, in both directions
    high = float(np.max(apart + special.ndtri(1 - tail) * own))
    return max(0.0, low), min(1.0, high)


def _solve(tail: Callable[[float], float], level: float, high: float) -> float:
    """Where a falling tail probability has come down to the level."""
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if tail(middle) > level else (low, middle)
    return high
