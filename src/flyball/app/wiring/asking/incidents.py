"""What the prediction log says of an incident's span."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.query import tables
from flyball.app.home import Home
from flyball.app.incidents.impact import Impact
from flyball.app.wiring.asking.levels import source_rows
from flyball.control.incidents.timeline import Timeline
from flyball.core.clock import moment, timestamp
from flyball.core.ledger import Entry


def impact_of(home: Home, found: Timeline, entries: Iterable[Entry]) -> Impact:
    """Rows that arrived between its beginning and its end. Where broken data say no time but a row, it is asked when
    that came. Args: entries: of its service, which say how many rows there were before the first of the log."""
    folder = home.telemetry(found.service)
    if not folder.is_dir():
        return Impact(unknown="there is no prediction log of the service in this home")
    row = found.row - source_rows(entries) - 1 if found.row and not found.began else -1
    broke = _arrived(folder, row) if row >= 0 else None
    since = moment(found.began or found.opened_at).timestamp() if broke is None else broke
    until = None if found.closed_at is None else moment(found.closed_at).timestamp()
    oldest = sealed(folder)[:1]
    if oldest and oldest[0].panes()[0].start > since:
        return Impact(unknown="the prediction log does not go back to its beginning")
    rows = tables(folder, ("predictions",), since=since, until=until)["predictions"]
    if "outcome" not in rows.collect_schema():
        return Impact(unknown="the prediction log is empty")
    counted = (
        rows.group_by("outcome")
        .agg(rows=pl.len(), fallback=pl.col("fallback").is_not_null().sum(), slow=pl.col("slow").sum())
        .collect(engine="streaming")
    )
    return Impact(
        rows=int(counted["rows"].sum()),
        outcomes={row["outcome"]: row["rows"] for row in counted.sort("outcome").iter_rows(named=True)},
        fallbacks=int(counted["fallback"].sum()),
        slow=int(counted["slow"].sum()),
        since="" if broke is None else timestamp(datetime.fromtimestamp(broke, UTC)),
    )


def _arrived(folder: Path, row: int) -> float | None:
    """When the row at a place of the log, from 0, came, seconds since the epoch; None: no sealed folder has it."""
    for each in reversed(sealed(folder)):
        first = each.panes()[0].first_row
        if first <= row:
            at = pl.scan_parquet(each.table("predictions")).slice(row - first, 1).select("at").collect()
            return float(at.item()) if at.height else None
    return None
