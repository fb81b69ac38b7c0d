"""The law of the measures that are a largest difference: L-infinity over the bins, Kolmogorov-Smirnov over the edges.

L-infinity: a union bound over the bins, each with its normal law, is an upper bound of p and sharp in the tail.
Kolmogorov-Smirnov: the limit law of the supremum over all values bounds that over some edges, so p is conservative.
Intervals: the true largest difference lies somewhere, and there the estimate is normal, so the upper end takes one
place at a time; the lower end must hold at all places at once.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.laws.quadratic import POWER
from flyball.stats.measure import Evidence

Masses = npt.NDArray[np.float64]


def l_infinity_evidence(r: Masses, c: Masses, *, limit: float, alpha: float, confidence: float) -> Evidence:
    """Largest difference of one bin's share. Args as in `quadratic.evidence`; counts of at least two bins in use."""
    n, m = float(r.sum()), float(c.sum())
    p, q, pooled = r / n, c / m, (r + c) / (n + m)
    apart = np.abs(p - q)
    value = float(apart.max())
    null = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    own = np.maximum(deviation(p, q, n, m), null)  # a rare bin that happens to be empty is not for that a sure one
    critical = _solve(lambda at: float(np.sum(2 * special.ndtr(-at / null))), alpha, 10 * float(null.max()))
    return Evidence(
        value=value,
        plain=value,
        ci=largest_interval(apart, own, confidence),
        p=min(1.0, float(np.sum(2 * special.ndtr(-value / null)))),
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
