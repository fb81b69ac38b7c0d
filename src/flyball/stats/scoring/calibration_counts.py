"""Calibration error from counts: rows, events and summed scores of each bin of scores, as a window keeps them."""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.calibration import BINS, debiased
from flyball.stats.scoring.intervals import Interval

Floats = npt.NDArray[np.float64]
LEAST_ROWS = 100


def ece_of_counts(
    rows: Floats, events: Floats, said: Floats, *, confidence: float = 0.95, dilution: float = 1.0
) -> Interval:
    """Expected calibration error, debiased as `calibration.ece`, over at most BINS groups of about equal mass.

    Args:
        rows, events: of each bin of rising score, shape [B].
        said: sum of the scores of the bin's rows, shape [B].
        dilution: rows over effective rows, >= 1.

    The interval adds to the normal half-width of the sum what chance alone gives to the plain error: the debiased one
    keeps up to 0.59 of it, on the upper side, so the lower bound is taken down by as much.
    Raises: NotEnoughData: fewer than LEAST_ROWS rows.

    >>> ece_of_counts(np.array([500.0, 500.0]), np.array([100.0, 400.0]), np.array([100.0, 400.0])).value
    0.0
    """
    n = float(rows.sum())
    if n < LEAST_ROWS:
        raise NotEnoughData(f"n={n:g}: a calibration error needs at least {LEAST_ROWS} rows")
    used = rows > 0
    rows, events, said = rows[used], events[used], said[used]
    group = np.minimum((np.cumsum(rows) - rows / 2) * BINS // n, BINS - 1).astype(np.int64)
    size = np.bincount(group, rows)
    kept = size > 0
    size = size[kept]
    label = np.bincount(group, events)[kept] / size
    gap = label - np.bincount(group, said)[kept] / size
    value = debiased(size / dilution, gap, label)
    plain = float(size @ np.abs(gap)) / n
    smoothed = (label * size + 0.5) / (size + 1)  # a bin without events has no variance of its own, yet is not certain
    variance = smoothed * (1 - smoothed) / size * dilution
    half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(float((size / n) ** 2 @ variance))
    chance = math.sqrt(2 / math.pi) * float(size / n @ np.sqrt(variance))
    return Interval(
        value=value,
        low=max(0.0, value - half - (2 - math.sqrt(2)) * chance),
        high=min(1.0, max(value + half, plain)),
        n=round(n),
        method="normal",
    )
