"""The two-sample Kolmogorov-Smirnov test, read like `compare`: an effect with a limit, a p-value with alpha.

Unlike PSI it needs the values themselves, and no bins. Values that are missing are no part of it, and the reason says
how many they were: a column that goes missing is seen by `psi`, or by a metric of its own.
"""

from dataclasses import replace
from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.two_sample.compare import LIMITS
from flyball.stats.two_sample.laws.largest import deviation, ks_law
from flyball.stats.two_sample.measure import Measure, Null, Reading, read, without_value
from flyball.stats.two_sample.present import left_out, present, whole
from flyball.stats.two_sample.settings import refuse_settings

EXACT_UP_TO = 10_000_000  # n m up to which p is exact

Values = npt.NDArray[np.float64]


def ks_distance(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Largest difference of the two empirical distribution functions, between 0 and 1.

    Args: values, shape [n] and [m], finite or infinite, none missing.

    Raises: NotEnoughData: one side has none. ValueError: some are missing.

    >>> ks_distance([1, 2, 3, 4], [3, 4, 5, 6])
    0.5
    """
    r, c = whole(reference, current)
    at = np.concatenate([r, c])
    below = np.searchsorted(r, at, side="right") / r.size - np.searchsorted(c, at, side="right") / c.size
    return float(np.max(np.abs(below)))


def compare_ks(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    limit: float = LIMITS["ks"],
    alpha: float = 0.01,
    floor: int = 50,
    confidence: float = 0.95,
    null: Null = "limit",
) -> Measure:
    """Is the largest difference above the limit, and not explained by chance?

    Args:
        reference: values, shape [n]; None and NaN are left out, and counted in the reason.
        current: values, shape [m].
        limit: difference worth acting on, in (0, 1).
        alpha: false-alarm rate of one comparison, in (0, 1); p is exact where n m is at most EXACT_UP_TO, else
            asymptotic, and conservative where values repeat.
        floor: rows below which nothing is said, count, of either side.
        confidence: of the interval.
        null: as in `compare`.

    Source: Smirnov 1948; the limit law of sqrt(nm / (n + m)) D. Values that are no numbers read INVALID.

    >>> compare_ks(range(1000), range(1000), limit=0.1).verdict.value
    'OK'
    >>> compare_ks(range(1000), range(500, 1500), limit=0.1).verdict.value
    'DRIFT'
    >>> compare_ks(range(1000), range(20), limit=0.1).verdict.value
    'INSUFFICIENT'
    """
    refuse_settings(limit=limit, alpha=alpha, floor=floor, confidence=confidence, null=null, most=1.0)
    try:
        (r, r_missing), (c, c_missing) = present(reference), present(current)
    except (ValueError, TypeError) as fault:
        return without_value("ks", 0, 0, Reading.INVALID, f"expected numbers: {fault}")
    n, m, missing = r.size, c.size, left_out(r_missing, c_missing)
    if min(n, m) < max(floor, 1):
        return without_value("ks", n, m, Reading.INSUFFICIENT, too_few(n, m, floor) + missing)
    at = np.unique(np.concatenate([r, c]))
    f, g = np.searchsorted(r, at, side="right") / n, np.searchsorted(c, at, side="right") / m
    apart, own = np.abs(f - g), deviation(f, g, n, m)
    value, tail = float(apart.max()), (1 - confidence) / 2
    # the lower end holds for all values at once: Kolmogorov's bound, not one over places
    low = max(0.0, value - float(special.kolmogi(tail)) * sqrt(1 / n + 1 / m))
    high = min(1.0, float(np.max(apart + special.ndtri(1 - tail) * own)))
    p: float | None = None
    if n * m <= EXACT_UP_TO:
        from scipy.stats import ks_2samp  # here: it takes half a second to load

        p = float(ks_2samp(r, c, method="exact").pvalue)
    found = ks_law(value, (low, high), n=n, m=m, limit=limit, alpha=alpha, p=p)
    told = read("ks", found, n=n, m=m, limit=limit, alpha=alpha, floor=floor, null=null)
    return replace(told, reason=told.reason + missing)


def too_few(n: int, m: int, floor: int) -> str:
    """The reason of a comparison on too few rows."""
    return f"n={n}, m={m}: fewer than {max(floor, 1)} rows on one side"
