"""The Wasserstein-1 distance of two samples, read like `compare`: how far the values would have to be carried.

The distance is that of the values themselves; its law is taken from bins of equal mass, of which there are enough.
Missing values are no part of it, and the reason says how many they were; an infinite value has no distance, and is an
INVALID input rather than a number.
"""

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from flyball.stats.binning.bins import fit_numeric
from flyball.stats.two_sample.compare import LIMITS
from flyball.stats.two_sample.kolmogorov import too_few
from flyball.stats.two_sample.laws.summed import out_of_reach, wasserstein_evidence
from flyball.stats.two_sample.measure import Measure, Null, Reading, constant, read, without_value
from flyball.stats.two_sample.ordered import Norm
from flyball.stats.two_sample.present import left_out, present, whole
from flyball.stats.two_sample.settings import refuse_settings

LAW_BINS = 64


def wasserstein_distance(reference: npt.ArrayLike, current: npt.ArrayLike) -> float:
    """Integral of |F - G| in the unit of the values; shape [n] and [m], finite, none missing.

    Raises: NotEnoughData: one side has none. ValueError: some are missing.

    >>> round(wasserstein_distance([1, 2, 2, 3, 5], [2, 3, 3, 4, 9]), 9)
    1.6
    """
    r, c = whole(reference, current)
    at = np.sort(np.concatenate([r, c]))
    apart = np.searchsorted(r, at[:-1], side="right") / r.size - np.searchsorted(c, at[:-1], side="right") / c.size
    return float(np.sum(np.abs(apart) * np.diff(at)))


def compare_wasserstein(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    limit: float = LIMITS["wasserstein"],
    norm: Norm = "std",
    alpha: float = 0.01,
    floor: int = 50,
    confidence: float = 0.95,
    null: Null = "limit",
) -> Measure:
    """Is the distance, over the reference's width, above the limit?

    Args:
        reference: values, shape [n]; None and NaN are left out, and counted in the reason.
        current: values, shape [m].
        limit: distance worth acting on, in units of `norm`.
        norm: `std` or `iqr` (robust) of the reference, or a number in the unit of the values.
        alpha, floor, confidence, null: as in `compare`.

    >>> compare_wasserstein(range(1000), range(500, 1500)).verdict.value
    'DRIFT'
    """
    refuse_settings(limit=limit, alpha=alpha, floor=floor, confidence=confidence, null=null)
    try:
        (r, r_missing), (c, c_missing) = present(reference), present(current)
    except (ValueError, TypeError) as fault:
        return without_value("wasserstein", 0, 0, Reading.INVALID, f"expected numbers: {fault}")
    n, m, missing = r.size, c.size, left_out(r_missing, c_missing)
    if min(n, m) < max(floor, 1):
        return without_value("wasserstein", n, m, Reading.INSUFFICIENT, too_few(n, m, floor) + missing)
    infinite = int(np.count_nonzero(np.isinf(r)) + np.count_nonzero(np.isinf(c)))
    if infinite:
        reason = f"expected finite values, found {infinite} infinite ones, which have no distance: use ks or psi"
        return without_value("wasserstein", n, m, Reading.INVALID, reason)
    if r[0] == r[-1] == c[0] == c[-1]:
        told = constant("wasserstein", n, m, limit, floor)
        return replace(told, reason=told.reason + missing)
    scale = _width(r, norm)
    if far := out_of_reach(np.array([min(r[0], c[0]), max(r[-1], c[-1])]), scale):
        return without_value("wasserstein", n, m, Reading.INVALID, far)
    bins = fit_numeric(np.concatenate([r, c]), bins=LAW_BINS, parted=True)
    counts = bins.count(r)[:-1].astype(np.float64), bins.count(c)[:-1].astype(np.float64)
    everything = np.concatenate([r, c])
    total = np.bincount(bins.index(everything), weights=everything, minlength=bins.size)[:-1]
    used = (counts[0] + counts[1]) > 0
    at = total[used] / (counts[0] + counts[1])[used]
    exact = wasserstein_distance(r, c) / scale
    asked = {"limit": limit, "alpha": alpha, "confidence": confidence}
    found = wasserstein_evidence(counts[0][used], counts[1][used], at, scale=scale, exact=exact, **asked)
    told = read("wasserstein", found, n=n, m=m, limit=limit, alpha=alpha, floor=floor, null=null)
    return replace(told, reason=told.reason + missing)


def _width(r: npt.NDArray[np.float64], norm: Norm) -> float:
    if norm == "std":
        width = float(np.std(r))
    elif norm == "iqr":
        width = float(np.subtract(*np.quantile(r, [0.75, 0.25])))
    elif isinstance(norm, str) or not norm > 0:
        raise ValueError(f"norm: expected `std`, `iqr` or a number above 0, found {norm!r}")
    else:
        width = float(norm)
    # a reference without width: distances stay in the unit of the values
    return width if width > 0 and math.isfinite(width) else 1.0
