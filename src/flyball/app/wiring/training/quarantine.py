"""Rows that a contract keeps out, kept as Parquet so that somebody can look at them and mend them.

The file is named by its content and written whole or not at all: a crash leaves at most a draft, which nobody reads,
and running again writes the same file. It holds the rows as they came, personal values included, so it is private to
its owner.
"""

import os
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import polars as pl

from flyball.adapters.content.blobs import write_whole
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.contracts.tables.check import Report
from flyball.contracts.tables.quarantined import quarantined
from flyball.core.contract import DataContract
from flyball.core.record import Record


class Kept(Record):
    """A quarantine file."""

    file: str
    rows: int


def keep(folder: Path, name: str, table: pl.DataFrame, contract: DataContract, report: Report) -> Kept | None:
    """Write the rows that are not accepted to `folder/<name>-<12 hex digits>.parquet`; None where there are none.

    Raises: Unavailable: the disk does not take it.
    """
    if report.accepted.all():
        return None
    rows = quarantined(table, contract, report)
    out = BytesIO()
    rows.write_parquet(out, compression="zstd")
    data = out.getvalue()
    file = folder / f"{name}-{sha256(data).hexdigest()[:12]}.parquet"
    try:
        os.utime(file)  # its name says that it is the same; wanted again, it is kept as long again
    except FileNotFoundError:
        write_whole(file, data)
    return Kept(file=str(file), rows=rows.height)


def keep_left_out(home: Home, declared: Declared, table: pl.DataFrame, report: Report) -> Kept | None:
    """The rows of a service's source that no training learns from, under `quarantine/<service>/` of its home."""
    folder = home.made().root / "quarantine" / declared.service.metadata.name
    return keep(folder, declared.source.stem, table, declared.contract, report)
