"""Which values occur more than once, exactly, and without grouping a million different texts.

Equal values have equal hashes, so only rows whose hash occurs twice can repeat anything: sorting 64-bit numbers finds
them at a tenth of the cost of a group for every value, and only those few rows are then compared as they are.
"""

import numpy as np
import polars as pl


def repeated(frame: pl.DataFrame, value: pl.Expr, *, beyond_first: bool = False) -> pl.Series:
    """True on the rows whose value another row has too; rows without a value repeat nothing.

    Args:
        beyond_first: the first row of each value is not counted.

    >>> table = pl.DataFrame({"a": ["x", "y", "x", None, None]})
    >>> repeated(table, pl.col("a")).to_list(), repeated(table, pl.col("a"), beyond_first=True).to_list()
    ([True, False, True, False, False], [False, False, True, False, False])
    """
    seen = frame.select(value=_plain(frame, value))
    rows = np.zeros(frame.height, dtype=np.bool_)
    if seen.height != frame.height or frame.height < 2:
        return pl.Series(rows)  # a literal: an absent column, which has no values
    column = seen.get_column("value")
    hashes = column.hash()
    ordered = hashes.sort()
    twice = ordered.filter(ordered == ordered.shift(1))
    if twice.is_empty():
        return pl.Series(rows)
    suspects = column.is_not_null()
    if twice.len() * 2 < frame.height:  # otherwise nearly every row is one, and there are few groups
        suspects = suspects & hashes.is_in(twice.unique().implode())
    few = seen.filter(suspects)
    exact = ~pl.col("value").is_first_distinct() if beyond_first else pl.col("value").is_duplicated()
    rows[suspects.to_numpy()] = few.select(exact).to_series().to_numpy()
    return pl.Series(rows)


def _plain(frame: pl.DataFrame, value: pl.Expr) -> pl.Expr:
    """With one zero: -0.0 equals 0.0, but their bits do not."""
    dtype = frame.lazy().select(value=value).collect_schema()["value"]
    return value + 0.0 if dtype.is_float() else value
