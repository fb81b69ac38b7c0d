"""Distances that need the order of the bins, from counts: Kolmogorov-Smirnov and Wasserstein.

`positions` say where each bin lies, shape [B]. Bins are taken in their order; a bin whose position is NaN has no place
in it (missing values) and is left out. Without positions the bins lie at 0, 1, 2, ... as they come.
"""

import math

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.two_sample.divergences import shares

Masses = npt.NDArray[np.float64]
Norm = float | str  # a number in the unit of the positions, or `std`, `iqr` of the reference


def ks(reference: npt.ArrayLike, current: npt.ArrayLike, *, positions: npt.ArrayLike | None = None) -> float:
    """Largest difference of the two distribution functions at the edges of the bins, between 0 and 1.

    The values themselves may be farther apart, by at most the largest share of one bin: see `ks_bounds`.

    >>> ks([1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1])
    0.5
    """
    r, c, _ = ordered(reference, current, positions)
    p, q = shares(r, c)
    return float(np.max(np.abs(np.cumsum(p - q)[:-1]), initial=0.0))


def ks_bounds(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[float, float]:
    """Between which two numbers the KS distance of the values lies, whatever their order within the bins.

    >>> ks_bounds([5, 5], [5, 5])
    (0.0, 0.5)
    """
    p, q = shares(reference, current)
    low = ks(reference, current)
    above = np.cumsum(p - q)
    below = above - (p - q)
    # inside a bin F - G runs at most from its value before the bin plus p, down to it minus q
    reach = np.maximum(np.abs(below + p), np.abs(below - q))
    return low, min(1.0, float(max(low, np.max(reach))))


def wasserstein(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    positions: npt.ArrayLike | None = None,
    norm: Norm = 1.0,
) -> float:
    """Wasserstein-1 distance: the sum of |F - G| dx over the bins, in the unit of the positions, over `norm`.

    It counts a bin's mass at its position, so bins with open ends need the mean of what they hold there. Where one
    side is above the other it is the difference of the means, and never less.

    Raises: NotEnoughData: a side has no row in a bin with a position. ValueError: shapes, or an unknown norm.

    >>> wasserstein([1, 1, 0], [0, 1, 1]), wasserstein([1, 1, 0], [0, 1, 1], positions=[0, 10, 20])
    (1.0, 10.0)
    """
    r, c, at = ordered(reference, current, positions)
    p, q = shares(r, c)
    return float(np.sum(np.abs(np.cumsum(p - q)[:-1]) * np.diff(at))) / scale_of(p, at, norm)


def ordered(
    reference: npt.ArrayLike, current: npt.ArrayLike, positions: npt.ArrayLike | None
) -> tuple[Masses, Masses, Masses]:
    """Counts in the order of their positions, without the bins that have none.

    Raises: ValueError: shapes differ, or a position is infinite. NotEnoughData: a side is empty there.
    """
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if positions is None:
        return r, c, np.arange(r.size, dtype=np.float64)
    at = np.asarray(positions, dtype=np.float64)
    if at.shape != r.shape or r.shape != c.shape or bool(np.any(np.isinf(at))):
        raise ValueError(
            f"expected a finite or NaN position a bin, found {at.tolist()} for shapes {r.shape}, {c.shape}"
        )
    kept = np.flatnonzero(~np.isnan(at))
    order = kept[np.argsort(at[kept], kind="stable")]
    for name, counts in (("reference", r), ("current", c)):
        if not counts[order].sum() > 0:
            raise NotEnoughData(f"{name}: no row is in a bin with a position, so there is nothing to order")
    return r[order], c[order], at[order]


def scale_of(p: Masses, at: Masses, norm: Norm) -> float:
    """The number a distance is divided by; 1 where the reference has no width of that kind."""
    if norm == "std":
        unit = float(np.abs(at).max()) or 1.0  # squares of numbers near the end of the floats have no room
        z = at / unit
        width = unit * math.sqrt(float(p @ (z - p @ z) ** 2))
    elif norm == "iqr":
        cumulative = np.cumsum(p)
        width = float(at[np.searchsorted(cumulative, 0.75)] - at[np.searchsorted(cumulative, 0.25)])
    elif isinstance(norm, str) or not norm > 0:
        raise ValueError(f"norm: expected `std`, `iqr` or a number above 0, found {norm!r}")
    else:
        return float(norm)
    return width if width > 0 else 1.0
