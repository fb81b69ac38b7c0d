"""Rows of a prediction log that were made again after a repair, beside it: the log itself is never rewritten.

    telemetry/<service>/repairs/<hex of the backfill>/rows.parquet    id, and the inputs as the log has them: `x.<name>`
    telemetry/<service>/repairs/<hex of the backfill>/repair.json     written last: without it there is no repair

What clients were answered stays as it was. Whoever reads the log through `mended` sees the repaired inputs in the place
of the ones that came, as rows that no release answered; every other row of the span is left out of analysis.
"""

import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import polars as pl

from flyball.adapters.content.blobs import write_whole
from flyball.core.errors import Untrusted
from flyball.core.ports import Segment
from flyball.core.record import Record

FOLDER, HEADER, ROWS = "repairs", "repair.json", "rows.parquet"
_OVER = ".over-"  # out of the way, to be removed
BY = "backfill"  # in the column `fallback` of a row that was made again


class RepairHeader(Record):
    """What a repair is of."""

    backfill: str  # digest of what went in
    since: float  # seconds since the epoch
    until: float  # not in it
    output: str  # digest of its rows file
    rows: int


@dataclass(frozen=True, kw_only=True)
class Repair:
    header: RepairHeader
    rows: pl.DataFrame  # id, x.<name>


def rows_bytes(rows: pl.DataFrame) -> bytes:
    """The rows file."""
    buffer = io.BytesIO()
    rows.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def keep_repair(folder: Path, header: RepairHeader, data: bytes) -> None:
    """Write it; written again it is the same. `folder`: of the service's log. Raises: Unavailable."""
    place = _place(folder, header.backfill)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(place / ROWS, data)
    write_whole(place / HEADER, msgspec.json.encode(header))  # crash point: before it there is no repair


def repair_of(folder: Path, backfill: str) -> Repair:
    """One that the ledger names. Raises: Untrusted: it is not there, or not whole."""
    place = _place(folder, backfill)
    try:
        header = msgspec.json.decode((place / HEADER).read_bytes(), type=RepairHeader)
        return Repair(header=header, rows=pl.read_parquet(place / ROWS))
    except (OSError, msgspec.DecodeError, pl.exceptions.PolarsError) as error:
        raise Untrusted(
            f"the rows of backfill {backfill} cannot be read: {error}",
            hint="run the same `flyball backfill` again, which writes them again",
        ) from error


def repairs_over(folder: Path, is_over: Callable[[float], bool]) -> list[Path]:
    """Folders of the repairs whose span is over, by its end in seconds since the epoch.

    A torn one has rows too and no header: its span ended before it was written. `folder`: of the service's log."""
    found = (path for path in sorted((folder / FOLDER).glob("*")) if not path.name.startswith(_OVER))
    return [path for path in found if is_over(_until(path))]


def _until(place: Path) -> float:
    try:
        return msgspec.json.decode((place / HEADER).read_bytes(), type=RepairHeader).until
    except (FileNotFoundError, msgspec.DecodeError):
        return max(each.stat().st_mtime for each in (place, *place.iterdir()))


def remove_repair(place: Path) -> None:
    """For good; killed in between, `sweep_repairs` does the rest."""
    place.rename(place.with_name(_OVER + place.name))
    sweep_repairs(place.parent.parent)


def sweep_repairs(folder: Path) -> None:
    """What a killed removal has left."""
    for path in (folder / FOLDER).glob(f"{_OVER}*"):
        shutil.rmtree(path)


def mended(segment: Segment, repairs: Sequence[Repair]) -> Segment:
    """A pane with what was repaired in its place; the same pane where no repair touches it. A later repair of a row
    takes the place of an earlier one."""
    rows = segment.predictions
    for repair in repairs:
        span = repair.header
        if rows.height and segment.pane.start <= span.until and segment.pane.end >= span.since - _SLACK_S:
            rows = _mended(rows, repair)
    if rows is segment.predictions:
        return segment
    return msgspec.structs.replace(segment, predictions=rows, came=segment.as_it_came)


_SLACK_S = 120.0  # a row's arrival and the pane that it is in may be this far apart


def _mended(rows: pl.DataFrame, repair: Repair) -> pl.DataFrame:
    span = repair.header
    inside = (pl.col("at") >= span.since) & (pl.col("at") < span.until)
    if not rows.select(inside.any()).item():
        return rows
    inputs = [name for name in repair.rows.columns if name != "id" and name in rows.columns]
    again = repair.rows.select("id", *(pl.col(name).cast(rows.schema[name], strict=False) for name in inputs))
    joined = rows.join(again.with_columns(mended=pl.lit(value=True)), on="id", how="left", suffix=" again")
    here = inside & pl.col("mended").fill_null(value=False)
    lost = inside & ~here
    return joined.select(
        *(
            pl.when(here).then(pl.col(f"{name} again")).otherwise(pl.col(name)).alias(name)
            if name in inputs
            else _column(name, here, lost)
            for name in rows.columns
        )
    )


def _column(name: str, here: pl.Expr, lost: pl.Expr) -> pl.Expr:
    """A repaired row was accepted, and what the client got is no release's answer to these inputs."""
    match name:
        case "outcome":
            return pl.when(here).then(pl.lit("fallback")).otherwise(pl.col(name)).alias(name)
        case "fallback":
            return pl.when(here).then(pl.lit(BY)).otherwise(pl.col(name)).alias(name)
        case "reason" | "answered_by":
            return pl.when(here).then(pl.lit(None)).otherwise(pl.col(name)).alias(name)
        case "excluded":
            return pl.when(lost).then(pl.lit(value=True)).otherwise(pl.col(name)).alias(name)
        case _:
            return pl.col(name)


def _place(folder: Path, backfill: str) -> Path:
    return folder / FOLDER / backfill.rpartition(":")[2]
