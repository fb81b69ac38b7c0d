"""Parquet and CSV files as frames, with errors that say what is wrong with the file and where in it."""

from collections.abc import Collection, Mapping
from pathlib import Path

import polars as pl

from flyball.app.csv_cells import settled
from flyball.app.csv_text import faults_of_lines, read_csv
from flyball.app.table_faults import refuse
from flyball.core.contract import Kind

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".tsv")
_MAGIC = b"PAR1"


def read(path: Path, kinds: Mapping[str, Kind] | None = None, placed: Collection[str] = ()) -> pl.DataFrame:
    """The whole table; timestamps with a zone are turned into UTC without one.

    Args:
        kinds: what a contract says of the columns. A CSV says nothing of types: with them text stays text ("007"), and
            a cell that is no number is told by its place. Without them types are inferred.
        placed: columns whose times without an offset have a zone by the contract (`defaultTimezone`): there both may
            stand in one column.

    Raises: BadInput: absent, a folder, of another format or encoding, empty, ragged, a column name twice, a cell that
        does not fit its column, times with and without a zone in one column.
    """
    first = first_line(path)
    if is_parquet(path):
        table = _parquet(path, first)
    else:
        separator = "\t" if path.suffix.lower() == ".tsv" else ","
        # a time without an offset, once it is parsed, would be one in UTC
        texts: dict[str, Kind] = {**(kinds or {}), **dict.fromkeys(placed, "string")}
        table = read_csv(path, first, separator, texts)
        faults_of_lines(path, separator, table.width)
    if table.height == 0 or table.width == 0:
        what = "a header and no rows" if table.width else "no columns"
        raise refuse(path, "(rows)", "at least one row", what)
    table = settled(path, table, kinds, of_text=path.suffix.lower() in _CSV, placed=placed)
    return table.with_columns(
        pl.col(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        for name, dtype in table.schema.items()
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    )


def first_line(path: Path) -> bytes:
    """How a file begins that may be a table. Raises: BadInput: a folder, of another format, not to be read."""
    if path.is_dir():
        raise refuse(path, "(file)", "a table", "a folder", "name one file in it")
    if path.suffix.lower() not in (*_PARQUET, *_CSV):
        raise refuse(path, "(file)", "a file that ends in .parquet, .pq, .csv or .tsv", path.suffix or "no ending")
    try:
        with path.open("rb") as file:
            return file.readline()
    except OSError as error:
        fix = "" if path.is_absolute() else "relative to the current folder; FLYBALL_DATA names the folder of the data"
        raise refuse(path, "(file)", "a file that can be read", str(error.strerror), fix) from error


def is_parquet(path: Path) -> bool:
    """By its ending."""
    return path.suffix.lower() in _PARQUET


def check_parquet(path: Path, first: bytes) -> None:
    """Raises: BadInput: it does not begin as Parquet does."""
    if not first:
        raise refuse(path, "(file)", "a Parquet file", "an empty file")
    if not first.startswith(_MAGIC):
        fix = "if it is text, give it the ending .csv"
        raise refuse(path, "(file)", "a Parquet file, which begins with PAR1", f"one that begins {first[:12]!r}", fix)


def _parquet(path: Path, first: bytes) -> pl.DataFrame:
    check_parquet(path, first)
    try:
        return pl.read_parquet(path)
    except pl.exceptions.DuplicateError as error:
        raise refuse(path, "(columns)", "each column name once", str(error)) from error
    except (pl.exceptions.PolarsError, OSError) as error:
        fix = "it may be cut off: write or copy it again"
        raise refuse(path, "(file)", "a Parquet file", str(error).splitlines()[0], fix) from error
