"""How far does the reference move by itself? Season and trend that it holds are no drift when they come again.

A reference in the order of time is kept a second time, as counts of up to SLOTS stretches. Stretches that follow one
another add up to a window of any length, so it can be asked how far such windows of the reference lie from the whole:
a year of hours has months that are far from the year. A feature that does that is given an allowance: a live window
drifts where it lies further away than the reference itself ever did, by more than the limit. Rows in no order
(shuffled, or one law all along) have no allowance.

The price: within the allowance nothing is seen. A reference that holds a change does not see such a change again.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.core.release import Reference
from flyball.stats.two_sample.divergences import psi

SLOTS = 48
SMOOTHING = 0.5
ALPHA = 0.001  # that a stretch of one law gives an allowance, over all stretches


def stretches(at: npt.ArrayLike, size: int, *, slots: int = SLOTS) -> tuple[tuple[int, ...], ...]:
    """Counts of consecutive parts of about equal length.

    Args: at: bin of each row, in the order of time, shape [n]. size: number of bins.

    >>> stretches([0, 0, 1, 1], 2, slots=2)
    ((2, 0), (0, 2))
    """
    rows = np.asarray(at, dtype=np.int64)
    parts = np.array_split(rows, min(slots, max(len(rows), 1)))
    return tuple(tuple(np.bincount(part, minlength=size).tolist()) for part in parts)


def allowance(reference: Reference, rows: int, limit: float) -> float:
    """The largest PSI that a stretch of the reference of this length has to the whole, where that is beyond the limit.

    Args: rows: of the window. limit: PSI that is a signal, nats.

    Returns: nats; 0 where stretches stay within the limit, or the reference has less than two windows.

    >>> year = Reference(kind="numeric", edges=(0.5,), counts=(500, 500, 0), stretches=((500, 0, 0), (0, 500, 0)))
    >>> allowance(year, 500, 0.1) > 1, allowance(year, 1000, 0.1)
    (True, 0.0)
    """
    if len(reference.stretches) < 2 or rows <= 0:
        return 0.0
    length = sum(reference.counts) / len(reference.stretches)
    together = max(1, round(rows / length))
    if 2 * together > len(reference.stretches):
        return 0.0
    return _furthest(reference.counts, reference.stretches, together, limit)


@lru_cache(maxsize=4096)
def _furthest(whole: tuple[int, ...], parts: tuple[tuple[int, ...], ...], together: int, limit: float) -> float:
    cumulated = np.vstack([np.zeros(len(whole)), np.cumsum(np.asarray(parts, dtype=np.float64), axis=0)])
    runs = cumulated[together:] - cumulated[:-together]
    return max((_surely(whole, run, len(runs), limit) for run in runs), default=0.0)


def _surely(whole: Sequence[int], run: npt.NDArray[np.float64], tries: int, limit: float) -> float:
    """PSI of one run, or 0 where it is within the limit or chance explains it."""
    n, m = float(sum(whole)), float(run.sum())
    used = (np.asarray(whole) + run) > 0
    df = int(used.sum()) - 1
    if df < 1 or m <= 0 or n <= 0:
        return 0.0
    found = psi(np.asarray(whole)[used], run[used], smoothing=SMOOTHING)
    p = float(special.chdtrc(df, found / (1 / n + 1 / m)))
    return found if found > limit and p < ALPHA / tries else 0.0
