"""Rows of each known category, from codes: a text is looked up once in a dictionary, then only numbers are counted."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

Counts = npt.NDArray[np.int64]


def count_categories(column: pl.Series, values: Sequence[str]) -> Counts:
    """Rows in each bin, shape [len(values) + 2]; the last two are other and missing.

    A column that is coded already (Categorical, Enum: a dictionary of Arrow) is counted by its codes.

    >>> count_categories(pl.Series(["a", "z", None, "a"]), ("a", "b")).tolist()
    [2, 0, 1, 1]
    >>> count_categories(pl.Series([True, False, True]), ("True", "False")).tolist()
    [2, 1, 0, 0]
    """
    found = np.zeros(len(values) + 2, dtype=np.int64)
    found[-1] = column.null_count()
    place = {value: at for at, value in enumerate(values)}
    if column.dtype == pl.Boolean:
        true = int(column.sum() or 0)
        for value, rows in (("True", true), ("False", len(column) - column.null_count() - true)):
            found[place.get(value, len(values))] += rows
        return found
    if isinstance(column.dtype, pl.Categorical | pl.Enum):
        there = column.unique().drop_nulls()
        codes = there.to_physical().to_numpy()
        rows_of_code = _tally(column.to_physical(), int(codes.max(initial=0)) + 1)
        at = [place.get(value, len(values)) for value in there.cast(pl.String).to_list()]
        np.add.at(found, np.asarray(at, dtype=np.intp), rows_of_code[codes])
        return found
    texts = column if column.dtype == pl.String else column.cast(pl.String)
    found[: len(values)] = _tally(texts.cast(pl.Enum(list(values)), strict=False).to_physical(), len(values))
    found[-2] = len(column) - int(found.sum())
    return found


def _tally(codes: pl.Series, size: int) -> Counts:
    """Rows of each code, nulls left out, shape [size]."""
    present = codes.drop_nulls() if codes.null_count() else codes
    return np.bincount(present.to_numpy(), minlength=size).astype(np.int64)
