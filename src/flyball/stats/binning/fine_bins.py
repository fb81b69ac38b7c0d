"""Fine bins: a refinement of the bins that PSI is read on, with the range of the reference fenced off at both ends.

Theory of operation. PSI wants about ten bins, KS and Wasserstein want many, and both want the same counts. So the fine
edges contain the coarse ones, and a coarse count is a sum of fine ones, exactly. Two edges more than quantiles give:
the least value of the reference and the number after the greatest. Below the first and from the last on the reference
has no row, so that what lies outside of its range is a count and not a guess. Where the reference has no more values
than there are to be bins, each is fenced off, and what is between them is counted by itself (see `fences`).
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from flyball.stats.binning.bins import Counts, NumericBins, fit_numeric

MOST_BINS = 256


def fit_fine(
    values: npt.ArrayLike,
    coarse: Sequence[float],
    *,
    bins: int = 64,
    low: float | None = None,
    high: float | None = None,
) -> NumericBins:
    """About `bins` bins of equal mass that refine the coarse ones, and one below and one above the reference's range.

    Args:
        values: the reference or a sample of it, shape [n]; NaN is missing.
        coarse: interior edges of the coarse bins, strictly increasing.
        bins: wanted number between both ends, count, 2 to `MOST_BINS`.
        low: least finite value of the whole reference; None: that of `values`. high: the greatest.

    >>> fit_fine(range(100), (50.0,), bins=4).edges
    (0.0, 25.0, 50.0, 75.0, 99.00000000000001)
    """
    if not 2 <= bins <= MOST_BINS:
        raise ValueError(f"bins={bins}: expected 2 to {MOST_BINS}")
    sample = np.asarray(values, dtype=np.float64).ravel()
    finite = sample[np.isfinite(sample)]
    edges = {*fit_numeric(finite, bins=bins).edges, *coarse}
    if finite.size or low is not None:
        least = float(finite.min()) if low is None else low
        edges |= {least} if not edges or least < min(edges) else set()
    if finite.size or high is not None:
        most = float(finite.max()) if high is None else high
        beyond = math.nextafter(most, math.inf)
        edges |= {beyond} if math.isfinite(beyond) and (not edges or most >= max(edges)) else set()
    return NumericBins(edges=tuple(sorted(edges)))


def coarsened(counts: npt.ArrayLike, fine: Sequence[float], coarse: Sequence[float]) -> Counts:
    """Counts on fine bins as counts on coarse ones, shape [len(coarse) + 2]; the last is missing in both.

    Raises: ValueError: the fine edges do not contain the coarse ones, or the counts are of other bins.

    >>> coarsened([1, 2, 3, 4, 0], (0.0, 1.0, 2.0), (1.0,)).tolist()
    [3, 7, 0]
    """
    found = np.asarray(counts, dtype=np.int64)
    if found.shape != (len(fine) + 2,):
        raise ValueError(f"expected {len(fine) + 2} counts for {len(fine)} edges, found {found.shape}")
    lost = sorted(set(coarse) - set(fine))
    if lost:
        raise ValueError(f"expected fine edges that contain the coarse ones, found none at {lost}")
    starts = np.r_[0, np.searchsorted(np.asarray(fine), np.asarray(coarse)) + 1].astype(np.intp)
    return np.concatenate([np.add.reduceat(found[:-1], starts), found[-1:]])
