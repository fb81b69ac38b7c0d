"""How far two distributions over the same bins are apart: plain formulas on count vectors.

Arguments are counts (or masses) of the same bins, shape [B], reference first. Logarithms are natural unless a base is
asked for. Bins that are empty on both sides say nothing and count nothing; unsmoothed, a bin that is empty on one
side makes psi and kl infinite, as it should. An effect has no error rate of its own: `compare` adds it.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.core.errors import NotEnoughData

Masses = npt.NDArray[np.float64]

SHARES_TO = 1.01  # a sum that rounded shares do not pass; counts that are no whole numbers are weights of more rows


class ChiSquare(NamedTuple):
    """Result of a chi-square test."""

    statistic: float
    p: float
    df: int


def psi(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> float:
    """Population stability index: sum (q - p) ln(q / p); symmetric, >= 0, unitless.

    Args:
        reference: counts, shape [B].
        current: counts of the same bins.
        smoothing: added to every bin of both sides before normalising; 0.5 = Jeffreys.

    Raises: NotEnoughData: one side is empty. ValueError: the two are not counts of the same bins.
    Source: Yurdakul and Naranjo 2020, eq. 1.

    >>> round(psi([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]), 7)
    0.0372184
    """
    p, q = shares(reference, current, smoothing=smoothing)
    return _relative_entropy(p, q) + _relative_entropy(q, p)


def kl(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> float:
    """Kullback-Leibler divergence KL(reference || current) in nats: sum p ln(p / q).

    >>> kl([1, 1], [1, 0])
    inf
    """
    return _relative_entropy(*shares(reference, current, smoothing=smoothing))


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> float:
    """Jensen-Shannon divergence in nats, between 0 and ln 2: mean KL of each side to their mixture.

    >>> round(jensen_shannon([1, 0], [0, 1]), 6) == round(math.log(2), 6)
    True
    """
    p, q = shares(reference, current, smoothing=smoothing)
    middle = (p + q) / 2
    return max(0.0, (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2)


def jensen_shannon_distance(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, base: float = 2, smoothing: float = 0.0
) -> float:
    """Square root of the divergence in the given base; with base 2 between 0 and 1, a metric.

    >>> round(jensen_shannon_distance([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]), 7)
    0.0817342
    """
    return math.sqrt(jensen_shannon(reference, current, smoothing=smoothing) / math.log(base))


def hellinger(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> float:
    """Hellinger distance sqrt(1 - sum sqrt(p q)), between 0 and 1.

    >>> round(hellinger([16, 18, 16, 14, 12, 12], [16, 16, 16, 16, 16, 8]), 5)
    0.06813
    """
    p, q = shares(reference, current, smoothing=smoothing)
    # the same value as the formula above, without its cancellation near 0
    return math.sqrt(float(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2)) / 2)


def l_infinity(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> float:
    """Largest difference of one bin's share, between 0 and 1.

    >>> round(l_infinity([1, 9], [3, 7]), 6)
    0.2
    """
    p, q = shares(reference, current, smoothing=smoothing)
    return float(np.max(np.abs(p - q)))


def total_variation(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> float:
    """Half the sum of the absolute differences: the share of rows that would have to move, between 0 and 1."""
    p, q = shares(reference, current, smoothing=smoothing)
    return float(np.sum(np.abs(p - q))) / 2


def chi_square(reference: npt.ArrayLike, current: npt.ArrayLike) -> ChiSquare:
    """Two-sample chi-square test that both counts come from one distribution.

    Expected counts come from the pooled margin, so the reference is a sample too, not the truth.

    >>> result = chi_square([4, 2, 0], [1, 1, 4])
    >>> round(result.statistic, 6), round(result.p, 6), result.df
    (6.133333, 0.046576, 2)
    """
    r, c = _pair(reference, current)
    n, m = r.sum(), c.sum()
    pooled = r + c
    kept = pooled > 0
    r, c, pooled = r[kept], c[kept], pooled[kept]
    # sum over both rows of (O - E)^2 / E, collected in one term a bin
    statistic = float(np.sum((r * math.sqrt(m / n) - c * math.sqrt(n / m)) ** 2 / pooled))
    df = int(pooled.size) - 1
    return ChiSquare(statistic, float(special.chdtrc(df, statistic)) if df else 1.0, df)


def balanced_v(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> float:
    """Cramer's V of the two-row table in which both sides weigh the same: sqrt(sum (p - q)^2 / (p + q) / 2), 0..1.

    Plain V shrinks when one side is much larger than the other; this does not, and is the same where n = m.

    >>> balanced_v([1, 0], [0, 1000]), round(balanced_v([50, 50], [30, 70]), 4)
    (1.0, 0.2041)
    """
    p, q = shares(reference, current, smoothing=smoothing)
    total = p + q
    return math.sqrt(float(np.sum((p - q)[total > 0] ** 2 / total[total > 0])) / 2)


def cramers_v(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Cramer's V of side against bin, between 0 and 1, bias-corrected; two bins with Yates' correction.

    Source: Bergsma 2013 for the bias, Yates 1934 for 2 x 2.

    >>> round(cramers_v([200, 800], [400, 600]), 7)
    0.2160258
    """
    r, c = _pair(reference, current)
    kept = (r + c) > 0
    r, c = r[kept], c[kept]
    bins, total = r.size, float(r.sum() + c.sum())
    if bins < 2:
        return 0.0
    statistic = _yates(r, c) if bins == 2 else chi_square(r, c).statistic
    corrected = max(0.0, statistic / total - (bins - 1) / (total - 1))
    rows, columns = 2 - 1 / (total - 1), bins - (bins - 1) ** 2 / (total - 1)
    return math.sqrt(corrected / (min(rows, columns) - 1))


def merge_small(reference: npt.ArrayLike, current: npt.ArrayLike, *, least: float = 5.0) -> tuple[Masses, Masses]:
    """Counts with the rarest cells put together until each expects `least` rows on both sides; two cells stay.

    Which cells are merged is decided by the pooled counts alone, so that the merging favours neither side.

    >>> [side.tolist() for side in merge_small([50, 4, 3, 2], [50, 1, 0, 4])]
    [[50.0, 9.0], [50.0, 5.0]]
    """
    r, c = _pair(reference, current)
    pooled = r + c
    expected = pooled * min(r.sum(), c.sum()) / pooled.sum()
    order = np.argsort(expected, kind="stable")  # rarest first
    gathered = np.cumsum(expected[order])
    small = int(np.searchsorted(expected[order], least))
    while 0 < small < r.size and gathered[small - 1] < least:
        small += 1
    small = min(small, r.size - 1)
    if small < 2:
        return r, c
    kept = np.sort(order[small:])
    return np.append(r[kept], r[order[:small]].sum()), np.append(c[kept], c[order[:small]].sum())


def _yates(r: Masses, c: Masses) -> float:
    n, m = r.sum(), c.sum()
    expected = np.outer([n, m], r + c) / (n + m)
    apart = np.abs(np.array([r, c]) - expected)
    return float(np.sum((apart - np.minimum(0.5, apart)) ** 2 / expected))


def shares(reference: npt.ArrayLike, current: npt.ArrayLike, *, smoothing: float = 0.0) -> tuple[Masses, Masses]:
    """Both sides as distributions, each shape [B] with sum 1, smoothed alike.

    Raises: NotEnoughData: one side has no mass. ValueError: shapes differ, a count is negative or not finite, or the
        smoothing is; and smoothing of shares, to which no rows can be added.
    """
    r, c = _pair(reference, current)
    if smoothing:
        if not 0 < smoothing < math.inf:
            raise ValueError(f"smoothing: expected rows to add to each bin, at least 0, found {smoothing}")
        refuse_shares(r, c)
        r, c = r + smoothing, c + smoothing
    return r / r.sum(), c / c.sum()


def refuse_shares(reference: Masses, current: Masses) -> None:
    """What needs to know of how many rows. Raises: ValueError: a side, or both, hold shares.

    >>> refuse_shares(np.array([0.5, 0.5]), np.array([40.0, 60.0]))
    Traceback (most recent call last):
    ValueError: reference: expected counts of rows, found shares (their sum is 1): multiply them by the number of rows
    """
    faults = [
        f"{name}: expected counts of rows, found shares (their sum is {total:.4g}): multiply them by the number of rows"
        for name, masses in (("reference", reference), ("current", current))
        if 0 < (total := float(masses.sum())) < SHARES_TO and bool((masses != np.floor(masses)).any())
    ]
    if faults:
        raise ValueError("; ".join(faults))


def _pair(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[Masses, Masses]:
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if r.ndim != 1 or r.shape != c.shape:
        raise ValueError(f"expected counts of the same bins, found shapes {r.shape} and {c.shape}")
    # one comparison a side for nearly all: nan is not >= 0, and a sum below infinity has no infinite term
    if r.size and r.min() >= 0 and c.min() >= 0 and 0 < r.sum() < math.inf and 0 < c.sum() < math.inf:
        return r, c
    sides = (("reference", r), ("current", c))
    faults = [
        f"{name}: expected finite counts >= 0, found {counts.tolist()}"
        for name, counts in sides
        if not bool(np.all(np.isfinite(counts) & (counts >= 0)))
    ]
    if faults:
        raise ValueError("; ".join(faults))
    if empty := [name for name, counts in sides if not counts.sum() > 0]:
        raise NotEnoughData(f"{' and '.join(empty)}: no rows were counted, so there is no distribution to compare")
    return r, c


def _relative_entropy(p: Masses, q: Masses) -> float:
    return float(special.rel_entr(p, q).sum())
