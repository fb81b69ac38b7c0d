"""The two-sample Kolmogorov-Smirnov test, read like `compare`: an effect with a limit, a p-value with alpha.

Unlike PSI it needs the values themselves, and no bins. Values that are missing are no part of it: a column that goes
missing is seen by `psi`, or by a metric of its own.
"""

from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.compare import Measure, Reading

Values = npt.NDArray[np.float64]


def ks_distance(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Largest difference of the two empirical distribution functions, between 0 and 1.

    Args: values, shape [n] and [m], finite or infinite, none missing.

    >>> ks_distance([1, 2, 3, 4], [3, 4, 5, 6])
    0.5
    """
    r, c = np.sort(np.asarray(reference, dtype=np.float64)), np.sort(np.asarray(current, dtype=np.float64))
    at = np.concatenate([r, c])
    below = np.searchsorted(r, at, side="right") / r.size - np.searchsorted(c, at, side="right") / c.size
    return float(np.max(np.abs(below)))


def compare_ks(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, limit: float, alpha: float = 0.01, floor: int = 50
) -> Measure:
    """Is the largest difference above the limit, and not explained by chance?

    Args:
        reference: values, shape [n]; NaN is left out.
        current: values, shape [m].
        limit: difference worth acting on, in (0, 1).
        alpha: false-alarm rate of one comparison, in (0, 1); asymptotic, and conservative where values repeat.
        floor: rows below which nothing is said, count, of either side.

    Source: Smirnov 1948; the limit law of sqrt(nm / (n + m)) D.

    >>> compare_ks(range(1000), range(1000), limit=0.1).verdict.value
    'OK'
    >>> compare_ks(range(1000), range(500, 1500), limit=0.1).verdict.value
    'DRIFT'
    >>> compare_ks(range(1000), range(20), limit=0.1).verdict.value
    'INSUFFICIENT'
    """
    r, c = _present(reference), _present(current)
    n, m = r.size, c.size
    if min(n, m) < max(floor, 1):
        reason = f"n={n}, m={m}: fewer than {max(floor, 1)} rows on one side"
        return _measure(None, None, n, m, Reading.INSUFFICIENT, reason)
    value, scale = ks_distance(r, c), sqrt(n * m / (n + m))
    p = float(special.kolmogorov(scale * value))
    chance = float(special.kolmogi(alpha)) / scale
    told = f"ks {value:.4g}, p {p:.2g}, n={n}, m={m}"
    if value > limit and p < alpha:
        reason = f"{told}: above {limit:g}, and chance explains it with less than {alpha:g}"
        return _measure(value, p, n, m, Reading.DRIFT, reason)
    if chance > limit:
        reason = f"{told}: chance alone reaches {chance:.4g}, above the limit {limit:g}"
        return _measure(value, p, n, m, Reading.INSUFFICIENT, reason)
    return _measure(value, p, n, m, Reading.OK, f"{told}: not above {limit:g}")


def _present(values: npt.ArrayLike) -> Values:
    numbers = np.asarray(values, dtype=np.float64).ravel()
    return numbers[~np.isnan(numbers)]


def _measure(value: float | None, p: float | None, n: int, m: int, verdict: Reading, reason: str) -> Measure:
    return Measure(measure="ks", value=value, ci=None, p=p, n=n, m=m, mde=None, verdict=verdict, reason=reason)
