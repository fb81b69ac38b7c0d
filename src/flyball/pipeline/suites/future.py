"""Future timestamps: a row cannot have happened after it was read, nor know what came after itself."""

from datetime import datetime, timedelta

import polars as pl

from flyball.core.release import TestResult
from flyball.pipeline.suites.found import named, result

SKEW = timedelta(hours=15)  # a time without a zone may be that of the earliest one, and clocks differ


def future_rows(table: pl.DataFrame, timestamp: str | None, *, now: datetime) -> TestResult | None:
    """No row is later than the moment at which the data were read; None without a declared timestamp.

    Args: now: when the rows were read, UTC, without a zone as the columns are.

    >>> rows = pl.DataFrame({"at": [datetime(2026, 1, 1), datetime(2031, 1, 1)]})
    >>> future_rows(rows, "at", now=datetime(2026, 6, 1)).verdict
    'FAIL'
    """
    if timestamp is None or not table[timestamp].dtype.is_temporal():
        return None
    times = table[timestamp].cast(pl.Datetime("us"))
    late = int((times > now + SKEW).sum())
    if not late:
        return result("data", "future timestamps", "data", "PASS", f"no {timestamp!r} is in the future", n=table.height)
    reason = (
        f"{late} of {table.height} rows have a {timestamp!r} after {now:%Y-%m-%d %H:%M}, the latest {times.max()!s}"
    )
    return result(
        "data", "future timestamps", "data", "FAIL", reason, value=late / table.height, limit=0.0, n=table.height
    )


def known_in_time(table: pl.DataFrame, inputs: tuple[str, ...], timestamp: str | None) -> TestResult | None:
    """Other times of a row that lie after its own: what was known then? A finding, not a verdict.

    >>> rows = pl.DataFrame({"at": [datetime(2026, 1, 1)], "settled": [datetime(2026, 1, 9)]})
    >>> known_in_time(rows, ("settled",), "at").verdict
    'FAIL'
    """
    if timestamp is None:
        return None
    others = [name for name in inputs if name != timestamp and table[name].dtype.is_temporal()]
    if not others:
        return None
    own = table[timestamp].cast(pl.Datetime("us"))
    later = {name: int((table[name].cast(pl.Datetime("us")) > own).sum()) for name in others}
    found = [f"{name!r} in {count} rows" for name, count in later.items() if count]
    verdict = "FAIL" if found else "PASS"
    reason = f"later than the row's own {timestamp!r}: {named(found)}" if found else "no input is later than its row"
    return result("data", "known in time", "data", verdict, reason, hard=False, n=table.height)  # type: ignore[arg-type]
