"""Where the fine bins of a number lie, for the measures that read their order.

A bin within the range of the reference lies at its middle. The two outside of it have no end: where they hold rows of
one side only, their mean follows exactly from the mean of all finite values; where both do, they lie half-way to the
farthest value.
"""

import numpy as np
import numpy.typing as npt

from flyball.app.drift.pair import FeaturePair, Side

Positions = npt.NDArray[np.float64]


def positions(pair: FeaturePair) -> Positions | None:
    """In the unit of the column, shape [B] of the fine counts; the last, missing, is NaN. None: there is no range."""
    edges = np.asarray(pair.edges, dtype=np.float64)
    if edges.size < 2 or pair.kind != "numeric":
        return None
    at = np.empty(edges.size + 2)
    at[1:-2] = edges[:-1] / 2 + edges[1:] / 2
    at[0], at[-2], at[-1] = edges[0], edges[-1], np.nan
    for side in (pair.reference, pair.current):
        below, above = side.counts[0] - side.neg_inf, side.counts[-2] - side.pos_inf
        if below > 0 and side.low is not None:
            at[0] = min(at[0], _mean_of_end(side, at, 0, below) if above <= 0 else (side.low + edges[0]) / 2)
        if above > 0 and side.high is not None:
            at[-2] = max(at[-2], _mean_of_end(side, at, -2, above) if below <= 0 else (side.high + edges[-1]) / 2)
    return at if bool(np.all(np.isfinite(at[:-1]))) else None


def _mean_of_end(side: Side, at: Positions, end: int, rows: int) -> float:
    """The mean of an end's finite rows, from the mean of all; kept between its edge and the farthest value."""
    assert side.mean is not None
    assert side.low is not None
    assert side.high is not None
    with np.errstate(over="ignore", invalid="ignore"):  # sums near the end of the floats: then there is no position
        within = float(np.asarray(side.counts[1:-2], dtype=np.float64) @ at[1:-2])
        mean = (np.float64(side.mean) * side.n - within) / rows
    return float(np.clip(mean, side.low, at[0]) if end == 0 else np.clip(mean, at[-2], side.high))
