"""A column of either table as numbers or categories, by what the reference is; what does not fit is counted."""

from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.float64]
_TEXT = (pl.String, pl.Categorical, pl.Enum)
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Object)


def kind_of(dtype: pl.DataType) -> Literal["numeric", "category", "unsupported"]:
    """Numbers and times are numeric; text and flags are categories.

    >>> kind_of(pl.Date()), kind_of(pl.Boolean()), kind_of(pl.List(pl.Float64))
    ('numeric', 'category', 'unsupported')
    """
    if dtype.is_numeric() or dtype.is_temporal():
        return "numeric"
    return "unsupported" if isinstance(dtype, _NESTED) else "category"


def as_numbers(column: pl.Series, like: pl.DataType) -> tuple[Numbers, int]:
    """Values, shape [n], missing as NaN, times in seconds since the epoch (or midnight); and how many are no number.

    Args: like: the type that the table's column is meant to have, for a text that holds times.

    >>> as_numbers(pl.Series(["1", " 2.5", "n/a", None]), pl.Float64())
    (array([1. , 2.5, nan, nan]), 1)
    """
    nulls = column.null_count()
    if isinstance(column.dtype, _NESTED):
        return np.full(len(column), np.nan), len(column) - nulls
    if isinstance(column.dtype, _TEXT):
        column = column.cast(pl.String).str.strip_chars()
        column = _moments(column, like) if like.is_temporal() else column.cast(pl.Float64, strict=False)
    if column.dtype.is_temporal():
        column = _seconds(column)
    made = column.cast(pl.Float64, strict=False)
    return made.to_numpy(), made.null_count() - nulls


def as_categories(column: pl.Series, like: pl.DataType) -> tuple[pl.Series, int]:
    """Texts, flags or codes; and how many values can be none of them. `like`: as for numbers, for a text of flags."""
    nulls = column.null_count()
    if isinstance(column.dtype, _NESTED):
        return pl.Series(column.name, [None] * len(column), dtype=pl.String), len(column) - nulls
    if like == pl.Boolean and isinstance(column.dtype, _TEXT):
        lower = column.cast(pl.String).str.strip_chars().str.to_lowercase()
        flags = lower.replace_strict(["true", "false"], [True, False], default=None, return_dtype=pl.Boolean)
        return flags, flags.null_count() - nulls
    if column.dtype == pl.Duration:
        return column.dt.to_string(), 0
    return column.fill_nan(None) if column.dtype.is_float() else column, 0


def _seconds(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Time:
        return column.cast(pl.Int64) / 1e9
    if column.dtype == pl.Duration:
        return column.dt.total_microseconds() / 1e6
    return column.cast(pl.Datetime("us")).dt.epoch("us") / 1e6


def _moments(column: pl.Series, like: pl.DataType) -> pl.Series:
    if like == pl.Time:
        return column.str.to_time(strict=False)
    if like == pl.Date:
        return column.str.to_date(strict=False)
    zone = like.time_zone if isinstance(like, pl.Datetime) else None
    try:
        return column.str.to_datetime(time_unit="us", time_zone="UTC" if zone else None, strict=False)
    except pl.exceptions.ComputeError:  # no value that looks like a time, from which the format could be taken
        return pl.Series(column.name, [None] * len(column), dtype=pl.Datetime("us"))
