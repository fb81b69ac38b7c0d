"""Rows to a typed polars frame: the one place that decides dtypes, so that training and serving see the same bytes."""

from collections.abc import Mapping, Sequence
from types import NoneType
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

_OWN: Mapping[type[pl.DataType], tuple[type, ...]] = {pl.String: (str, NoneType), pl.Boolean: (bool, NoneType)}
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
    made = _at_once(rows, dtypes)
    return made if made is not None else column_by_column(rows, dtypes)


def column_by_column(rows: Sequence[Mapping[str, Any]], dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """`frame`, each column by itself: a value that does not fit its column is null, and costs the others nothing.

    Raises: polars.exceptions.PolarsError: a text that is no date.
    """
    return pl.DataFrame([series(name, [row.get(name) for row in rows], dtype) for name, dtype in dtypes.items()])


def _at_once(rows: Sequence[Mapping[str, Any]], dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
    """The same frame for a sixth of the time where rows are few, as polars reads all columns of a row in one go.

    None: it would read them otherwise. That is an error where a value does not fit, and another word for a number in a
    column of texts or a truth value that is none.
    """
    dated = [(at, name) for at, (name, dtype) in enumerate(dtypes.items()) if isinstance(dtype, (pl.Date, pl.Datetime))]
    plain = {name: dtype for name, dtype in dtypes.items() if not isinstance(dtype, (pl.Date, pl.Datetime))}
    for name, dtype in plain.items():
        own = _OWN.get(type(dtype))
        if own is not None and any(type(row.get(name)) not in own for row in rows):
            return None
    if not plain or not rows:
        return None
    try:
        made = pl.from_dicts(rows, schema=plain, strict=False)
    except (pl.exceptions.PolarsError, TypeError, OverflowError):
        return None
    for at, name in dated:
        made.insert_column(at, series(name, [row.get(name) for row in rows], dtypes[name]))
    return made


def series(name: str, values: Sequence[Any], dtype: pl.DataType) -> pl.Series:
    """One column of checked values, as `frame` makes it.

    Raises: polars.exceptions.PolarsError: a text that is no date.
    """
    if isinstance(dtype, (pl.Date, pl.Datetime)) and any(isinstance(value, str) for value in values):
        text = pl.Series(name, values, dtype=pl.String())
        return text.str.to_date(strict=True) if isinstance(dtype, pl.Date) else _timestamps(text)
    return pl.Series(name, values, dtype=dtype, strict=False)


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
