"""A fence around each value of a reference that has few, so that a value which it never had is in no bin of one it had.

Theory of operation. Edges half-way between the values would take 0.7 for the 1 of a flag, and 1,000 as well. So each
value gets two edges, closely below and above it: the bins between the fences hold no row of the reference. A fence is
as wide as rounding, not as a point: 0.1 that travelled as float32 is no new value. Whole numbers have no neighbours
nearer than 1, so theirs is never wider than a quarter. Many values are fenced off exactly: they may lie close.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

FEW_VALUES = 64
DUST = 2.0**-22  # of a value, to each side: four times the rounding of float32
AT_ZERO = 1e-12  # what is left of a difference that should be 0
WHOLE = 0.25
FEW_STRAY = 0.01  # share of the reference beside its fences, as bins may come from a sample of it

Floats = npt.NDArray[np.float64]


def fences(distinct: Floats) -> tuple[Floats, Floats]:
    """The edge below each value and the one above it, shape [k] each; infinite where there is no such number.

    Args: the values, finite, strictly increasing, shape [k], k >= 1.

    >>> low, high = fences(np.array([0.0, 1000.0]))
    >>> bool(low[0] < 0 < high[0] < low[1] < 1000 < high[1] < 1000.001)
    True
    """
    with np.errstate(over="ignore"):
        point = np.nextafter(distinct, np.inf)
        if distinct.size > FEW_VALUES:
            return distinct, point
        room = np.diff(distinct / 4)  # quarters first: the difference may overflow
        room = np.minimum(np.append(np.inf, room), np.append(room, np.inf))
        whole = WHOLE if bool((distinct == np.floor(distinct)).all()) else np.inf
        dust = np.where(distinct == 0, AT_ZERO, np.abs(distinct) * DUST)
        reach = np.minimum(np.minimum(dust, room), whole)
        return distinct - reach, np.maximum(distinct + reach, point)


def edges_of(distinct: Floats) -> tuple[float, ...]:
    """Two edges a value, strictly increasing; one where two values are neighbours among the floats.

    >>> edges_of(np.array([0.0]))
    (-1e-12, 1e-12)
    """
    edges = np.unique(np.concatenate(fences(distinct)))
    return tuple(edges[np.isfinite(edges)].tolist())


def is_fence(low: float, high: float) -> bool:
    """Whether these two edges hold one value, give or take its rounding.

    >>> is_fence(1.0 - 1e-7, 1.0 + 1e-7), is_fence(1.0, 1.1)
    (True, False)
    """
    if low < 0 < high:
        return high - low <= 2 * AT_ZERO
    return high == math.nextafter(low, math.inf) or high - low <= 3 * DUST * max(abs(low), abs(high))


def strangers(reference: Sequence[int], current: Sequence[int]) -> float | None:
    """Share of the current rows between the values of a reference that has few, beyond that of its own rows.

    Args: rows in each bin, the last is missing; the first and the last but one are outside of the reference's range.

    Returns: 0..1; None: the bins fence no values off, or one only.

    >>> strangers([0, 50, 0, 50, 0, 0], [0, 50, 40, 10, 0, 0])
    0.4
    >>> strangers([0, 50, 50, 0, 0], [0, 50, 50, 0, 0]) is None
    True
    """
    if len(reference) < 6 or len(reference) % 2 or not sum(reference[:-1]) or not sum(current[:-1]):
        return None
    before, now = (sum(counts[2:-3:2]) / sum(counts[:-1]) for counts in (reference, current))
    outside = (reference[0] + reference[-2]) / sum(reference[:-1])
    return now - before if before + outside <= FEW_STRAY else None
