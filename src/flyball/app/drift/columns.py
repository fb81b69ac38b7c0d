"""A column of either table as numbers or categories, by what the reference is; what does not fit is counted."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.float64]
_TEXT = (pl.String, pl.Categorical, pl.Enum)
FLAGS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_NESTED = (pl.List, pl.Array, pl.Struct, pl.Binary, pl.Object)


def kind_of(dtype: pl.DataType) -> Literal["numeric", "category", "unsupported"]:
    """Numbers and times are numeric; text and flags are categories.

    >>> kind_of(pl.Date()), kind_of(pl.Boolean()), kind_of(pl.List(pl.Float64))
    ('numeric', 'category', 'unsupported')
    """
    if dtype.is_numeric() or dtype.is_temporal():
        return "numeric"
    return "unsupported" if isinstance(dtype, _NESTED) else "category"


def read_as(ours: pl.DataType, theirs: pl.DataType) -> pl.DataType:
    """What a text in a column of the current table is read as.

    The reference's type, where that is text or flags, or where the current one is no more than text; else the current
    one's own, which for a CSV is what its texts look like.

    >>> read_as(pl.Date(), pl.Categorical()), read_as(pl.Float64(), pl.Boolean())
    (Date, Boolean)
    """
    return ours if isinstance(ours, (*_TEXT, pl.Boolean)) or isinstance(theirs, (*_TEXT, pl.Null)) else theirs


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
        if like == pl.Boolean:
            column = _flags(column)
        else:
            column = _moments(column, like) if like.is_temporal() else column.cast(pl.Float64, strict=False)
    if column.dtype.is_temporal():
        column = _seconds(column)
    made = column.cast(pl.Float64, strict=False)
    return made.to_numpy(), made.null_count() - nulls


def as_categories(column: pl.Series, like: pl.DataType) -> tuple[pl.Series, int]:
    """Texts, flags or codes; and how many values can be none of them.

    Args: like: as for numbers; for flags that came as texts, or as 0 and 1.

    >>> as_categories(pl.Series([1, 0, 2]), pl.Boolean())[0].to_list()
    [True, False, None]
    """
    if column.dtype.is_float():
        column = column.fill_nan(None)
    if isinstance(column.dtype, _NESTED):
        return pl.Series(column.name, [None] * len(column), dtype=pl.String), len(column) - column.null_count()
    if like == pl.Boolean and (isinstance(column.dtype, _TEXT) or column.dtype.is_numeric()):
        flags = _flags(column)
        return flags, flags.null_count() - column.null_count()
    if column.dtype == pl.Duration:
        return column.dt.to_string(), 0
    return column, 0


def _flags(column: pl.Series) -> pl.Series:
    """True and 1, false and 0, as texts in any case; anything else is missing."""
    if column.dtype.is_numeric():
        return column.cast(pl.Float64).replace_strict([1.0, 0.0], [True, False], default=None, return_dtype=pl.Boolean)
    said = column.cast(pl.String).str.strip_chars().str.to_lowercase()
    return said.replace_strict(FLAGS, default=None, return_dtype=pl.Boolean)


def spelled(column: pl.Series, values: Sequence[str]) -> pl.Series:
    """Numbers and flags in the spelling of a reference that holds texts, where a text of it says the same.

    A text with leading zeros is a code, and no number.

    >>> spelled(pl.Series([True, False, None]), ["false", "true"]).to_list()
    ['true', 'false', None]
    >>> spelled(pl.Series([1.0, 2.0, 2.5]), ["01", "2"]).to_list()
    ['1.0', '2', '2.5']
    """
    if column.dtype == pl.Boolean:
        if {"True", "False"}.issuperset(values):
            return column
        said = _flags(pl.Series(values, dtype=pl.String)).cast(pl.Float64).to_list()
    elif column.dtype.is_numeric():
        said = [number_of(text) for text in values]
    else:
        return column
    known = {number: text for number, text in zip(reversed(said), reversed(values), strict=True) if number is not None}
    own = column.cast(pl.String)
    return column.cast(pl.Float64).replace_strict(known, default=own, return_dtype=pl.String) if known else own


def number_of(text: str) -> float | None:
    """What a text says that is written as a number is."""
    try:
        number = float(text)
    except ValueError:
        return None
    plain = (str(int(number)), f"{int(number)}.0") if number.is_integer() else (repr(number),)
    return number if text in plain else None


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
