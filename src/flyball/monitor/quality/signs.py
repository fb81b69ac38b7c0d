"""Signs of the supply that are told and open no incident: availability of a feature, volume, freshness.

Pure functions of a few numbers of a window, each None where nothing is to be told.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from flyball.core.record import Record

CHANCE = 0.001  # below this a share is no accident of the sample
KNOWN_WINDOWS = 8  # before which no volume is usual
ENOUGH_ROWS = 100


class Sign(Record):
    """One sign."""

    kind: str
    value: float
    limit: float
    detail: str
    feature: str | None = None  # or `label`, `rows`: what it is about


def availability(
    name: str, present: int, rows: int, *, before: tuple[int, int], limit: float
) -> Sign | None:  # fmt: skip
    """A feature came in fewer rows than it should, as a share of what its baseline had.

    Args:
        present: rows of the window that have it; rows: all of them.
        before: the same two of the baseline.
        limit: share below which it is told, such as 0.99.

    >>> availability("age", 975, 1000, before=(10_000, 10_000), limit=0.99).value
    0.975
    >>> availability("age", 975, 1000, before=(9_750, 10_000), limit=0.99) is None
    True
    """
    if rows < ENOUGH_ROWS or not before[1] or not before[0]:
        return None
    usual = before[0] / before[1]
    share = min(1.0, present / rows / usual)
    if share >= limit or float(special.bdtr(present, rows, usual)) >= CHANCE:
        return None
    return Sign(
        kind="availability",
        feature=name,
        value=share,
        limit=limit,
        detail=f"{name} came in {present} of {rows} rows, {share:.1%} of what its baseline had",
    )


def volume(rows: int, usual: Sequence[int], *, factor: float) -> Sign | None:
    """Far fewer or far more rows than windows of this length have.

    Args:
        rows: of the window.
        usual: rows of comparable windows (the newest ones, or those of the same hour of the week), any number.
        factor: told where it is beyond this factor of their median, and beyond what they themselves spread.

    >>> volume(100, [1000, 1100, 900, 1000, 1050, 980, 1010, 990], factor=3).kind
    'volume'
    >>> volume(700, [1000, 1100, 900, 1000, 1050, 980, 1010, 990], factor=3) is None
    True
    """
    if len(usual) < KNOWN_WINDOWS:
        return None
    middle = float(np.median(usual))
    spread = 1.4826 * float(np.median(np.abs(np.asarray(usual) - middle)))
    apart = abs(rows - middle)
    inside = middle / factor <= rows <= middle * factor
    if inside or apart <= 4 * max(spread, math.sqrt(max(1.0, middle))):
        return None
    return Sign(
        kind="volume",
        feature="rows",
        value=float(rows),
        limit=middle * factor if rows > middle else middle / factor,
        detail=f"{rows} rows where windows of this length have {middle:.0f}",
    )


def freshness(newest: float | None, now: float, *, max_age_s: float, skew_s: float = 60.0) -> Sign | None:
    """The newest event is too old, lies in the future, or there is none.

    Args: newest, now: seconds since the epoch; max_age_s: age from which it is stale; skew_s: of clocks, tolerated.

    >>> freshness(0.0, 7200.0, max_age_s=3600.0).detail
    'the newest event is 7200 s old, at most 3600 s are expected'
    >>> freshness(500.0, 0.0, max_age_s=3600.0).kind, freshness(None, 0.0, max_age_s=3600.0).kind
    ('from_the_future', 'stale')
    """
    if newest is None or not math.isfinite(newest):
        return Sign(kind="stale", value=math.inf, limit=max_age_s, detail="no event has a time")
    age = now - newest
    if age < -skew_s:
        detail = f"the newest event lies {-age:.0f} s in the future: a clock runs wrong"
        return Sign(kind="from_the_future", value=-age, limit=skew_s, detail=detail)
    if age <= max_age_s:
        return None
    detail = f"the newest event is {age:.0f} s old, at most {max_age_s:.0f} s are expected"
    return Sign(kind="stale", value=age, limit=max_age_s, detail=detail)
