"""Rows to a typed polars frame: the one place that decides dtypes, so that training and serving see the same bytes."""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from flyball.core.contract import DataContract, Kind

DTYPES: Mapping[Kind, pl.DataType] = {
    "string": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
    "timestamp": pl.Datetime("us"),
}

_PLAIN = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")  # no offset


def schema(contract: DataContract, *, without: Sequence[str] = ()) -> dict[str, pl.DataType]:
    """Column names and dtypes in the contract's order."""
    return {column.name: DTYPES[column.kind] for column in contract.columns if column.name not in without}


def frame(rows: Sequence[Mapping[str, Any]], dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Checked rows as a frame with exactly these columns; a key that a row lacks is null.

    Dates and timestamps come as ISO 8601 text, as JSON carries them.

    >>> frame([{"a": 1}, {"b": "x"}], {"a": pl.Float64(), "b": pl.String()}).rows()
    [(1.0, None), (None, 'x')]
    """
    columns: dict[str, pl.Series] = {}
    for name, dtype in dtypes.items():
        values = [row.get(name) for row in rows]
        if isinstance(dtype, (pl.Date, pl.Datetime)) and any(isinstance(value, str) for value in values):
            text = pl.Series(name, values, dtype=pl.String())
            columns[name] = text.str.to_date(strict=True) if isinstance(dtype, pl.Date) else _timestamps(text)
        else:
            columns[name] = pl.Series(name, values, dtype=dtype, strict=False)
    return pl.DataFrame(columns)


def conform(table: pl.DataFrame, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """A stored table brought to the same dtypes and column order; absent columns are null.

    Raises: polars.exceptions.InvalidOperationError where a value cannot be converted without loss.
    """
    return table.select(
        [
            pl.col(name).cast(dtype) if name in table.columns else pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in dtypes.items()
        ]
    )


def _timestamps(text: pl.Series) -> pl.Series:
    """ISO 8601 with or without an offset; an offset is turned into UTC, then dropped."""
    column = pl.col("text")
    forms = [column.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False).dt.replace_time_zone(None)]
    forms += [column.str.to_datetime(form, time_unit="us", strict=False) for form in _PLAIN]
    return text.alias("text").to_frame().select(pl.coalesce(forms).alias(text.name)).to_series()
