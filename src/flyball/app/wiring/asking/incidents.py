"""What the prediction log says of an incident's span."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import polars as pl

from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.incidents.impact import Impact
from flyball.app.wiring.asking.levels import source_rows
from flyball.control.incidents.timeline import Timeline
from flyball.core.clock import moment, timestamp
from flyball.core.events import ServiceDeclared
from flyball.core.ledger import Entry
from flyball.core.service import Objectives


def impact_of(home: Home, found: Timeline, entries: Iterable[Entry]) -> Impact:
    """Rows that arrived between its beginning and its end. Where broken data say no time but a row, it is asked when
    that came. Args: entries: of its service, which say how many rows there were before the first of the log, and what
    was promised."""
    known = list(entries)
    folder = home.telemetry(found.service)
    if not folder.is_dir():
        return Impact(unknown="there is no prediction log of the service in this home")
    row = found.row - source_rows(known) - 1 if found.row and not found.began else -1
    broke = _arrived(folder, row) if row >= 0 else None
    since = moment(found.began or found.opened_at).timestamp() if broke is None else broke
    until = None if found.closed_at is None else moment(found.closed_at).timestamp()
    oldest = sealed(folder)[:1]
    if oldest and oldest[0].panes()[0].start > since:
        return Impact(unknown="the prediction log does not go back to its beginning")
    rows = tables(folder, ("predictions",), since=since, until=until)["predictions"]
    if "outcome" not in rows.collect_schema():
        return Impact(unknown="the prediction log is empty")
    limit_ms = _objective_ms(known, found.opened_at)
    counted = (
        rows.group_by("outcome")
        .agg(
            rows=pl.len(),
            fallback=pl.col("fallback").is_not_null().sum(),
            slow=pl.col("slow").sum(),
            late=(pl.col("latency_ms") > (limit_ms or 0.0)).sum(),
        )
        .collect(engine="streaming")
    )
    return Impact(
        rows=int(counted["rows"].sum()),
        outcomes={row["outcome"]: row["rows"] for row in counted.sort("outcome").iter_rows(named=True)},
        fallbacks=int(counted["fallback"].sum()),
        slow=int(counted["slow"].sum()),
        late=None if limit_ms is None else int(counted["late"].sum()),
        limit_ms=limit_ms,
        since="" if broke is None else timestamp(datetime.fromtimestamp(broke, UTC)),
    )


def _objective_ms(entries: Iterable[Entry], at: str) -> float | None:
    """The objective of latency as it was declared last by then."""
    declared = [one.fact.declaration for one in entries if isinstance(one.fact, ServiceDeclared) and one.at <= at]
    if not declared:
        return None
    serving = declared[-1].get("serving") or {}
    return msgspec.convert(serving.get("objectives") or {}, Objectives).latency_p99_ms


def _arrived(folder: Path, row: int) -> float | None:
    """When the row at a place of the log, from 0, came, seconds since the epoch; None: no sealed folder has it."""
    for each in reversed(sealed(folder)):
        first = each.panes()[0].first_row
        if first <= row:
            at = pl.scan_parquet(each.table("predictions")).slice(row - first, 1).select("at").collect()
            return float(at.item()) if at.height else None
    return None
