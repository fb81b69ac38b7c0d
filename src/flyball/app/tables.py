"""Parquet and CSV files as frames, with errors that say what is wrong with the file."""

from collections import Counter
from pathlib import Path

import polars as pl

from flyball.core.errors import BadInput, Fault

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".tsv")


def read(path: Path) -> pl.DataFrame:
    """The whole table. Raises: BadInput."""
    if path.suffix.lower() not in (*_PARQUET, *_CSV):
        raise _bad(path, "a file that ends in .parquet, .pq, .csv or .tsv", path.suffix or "no ending")
    try:
        with path.open("rb") as file:
            first = file.readline()
    except OSError as error:
        fix = "" if path.is_absolute() else "relative to the current folder; FLYBALL_DATA names the folder of the data"
        raise _bad(path, "a file that can be read", str(error.strerror), fix) from error
    table = _parquet(path) if path.suffix.lower() in _PARQUET else _csv(path, first)
    if table.height == 0 or table.width == 0:
        raise _bad(path, "at least one row", f"{table.height} rows of {table.width} columns")
    return table.with_columns(
        pl.col(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        for name, dtype in table.schema.items()
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
    )


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise _bad(path, "a Parquet file", str(error).splitlines()[0]) from error


def _csv(path: Path, header: bytes) -> pl.DataFrame:
    separator = "\t" if path.suffix.lower() == ".tsv" else ","
    if not header.strip():
        raise _bad(path, "a header with column names", "an empty file")
    try:
        # polars would rename the second of two equal names, and a contract would then miss it
        named = pl.read_csv(header, separator=separator, has_header=False, infer_schema=False, encoding="utf8")
        repeated = [str(name) for name, count in Counter(named.row(0)).items() if count > 1]
        if repeated:
            raise _bad(path, "each column name once", f"{', '.join(repeated)} more than once")
        return pl.read_csv(path, separator=separator, try_parse_dates=True, infer_schema_length=None)
    except pl.exceptions.PolarsError as error:
        raise _bad(path, "a CSV file in UTF-8", str(error).splitlines()[0]) from error


def _bad(path: Path, expected: str, found: str, fix: str = "") -> BadInput:
    return BadInput(
        f"{path} is no table.", (Fault(where=str(path), path="(file)", expected=expected, found=found, fix=fix),)
    )
