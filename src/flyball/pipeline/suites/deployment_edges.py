"""Rows on which a converted model gives itself away: next to its splits, missing, extreme, never seen.

The splits are found by asking, not by reading: whatever is between the table and the trees (a scaler, a calibration),
a place where the answer jumps lies between two neighbouring floats, and halving the interval finds both. A conversion
that rounds jumps somewhere else than the original, so one of the two rows tells.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Numbers = npt.NDArray[np.float64]
Ask = Callable[[pl.DataFrame], Numbers]  # one number or one row of numbers for each row; NaN where it refuses

BASES = 4  # rows that are varied
GRID = 24  # values of a column between which jumps are looked for
JUMPS = 6  # places of a column that are narrowed down
COLUMNS = 128  # of a wider table, that many at even distances
HALVINGS = 66  # there are fewer than 2**64 floats
UNSEEN = "a text that is no category"


def edge_rows(table: pl.DataFrame, ask: Ask) -> pl.DataFrame:
    """Rows of the table's columns and types. `ask`: the converted model.

    >>> step = lambda table: (table["x"].to_numpy() > 0.3).astype(float)
    >>> found = edge_rows(pl.DataFrame({"x": [0.0, 1.0]}), step)["x"].to_list()
    >>> 0.3 in found, float(np.nextafter(0.3, 1)) in found, None in found
    (True, True, True)
    """
    bases = table[np.unique(np.linspace(0, table.height - 1, BASES).astype(np.int64)).tolist()]
    chosen = _columns(table)
    parts = [bases, *(_set(bases.head(1), name, _odd(table[name])) for name in chosen)]
    parts.append(bases.head(1).with_columns(pl.lit(None, dtype=t).alias(n) for n, t in table.schema.items()))
    numeric = [name for name in chosen if table.schema[name].is_numeric()]
    rows: pl.DataFrame = pl.concat([*parts, *_next_to_jumps(table, bases, numeric, ask)])
    return rows


def _columns(table: pl.DataFrame) -> list[str]:
    at = np.unique(np.linspace(0, table.width - 1, min(COLUMNS, table.width)).astype(np.int64))
    return [table.columns[column] for column in at.tolist()]


def _odd(column: pl.Series) -> list[Any]:
    """Missing, extreme and unseen values of this type."""
    dtype = column.dtype
    if dtype == pl.String:
        return [None, "", UNSEEN]
    if dtype == pl.Boolean:
        return [None, True, False]
    if dtype.is_integer():
        lowest = 0 if dtype.is_unsigned_integer() else -1
        return [None, lowest, 0, 100, column.max(), column.min()]
    if dtype.is_float():
        wide = [float("inf"), float("-inf"), 1e300, -1e300] if dtype == pl.Float64 else [float("inf"), float("-inf")]
        return [None, float("nan"), 0.0, -0.0, 1e-40, 3e38, -3e38, *wide]
    return [None]


def _set(row: pl.DataFrame, name: str, values: list[Any]) -> pl.DataFrame:
    many = pl.concat([row] * len(values))
    return many.with_columns(pl.Series(name, values, dtype=row.schema[name], strict=False))


def _next_to_jumps(table: pl.DataFrame, bases: pl.DataFrame, names: list[str], ask: Ask) -> Iterator[pl.DataFrame]:
    found = [_intervals(table, bases, name, ask) for name in names]
    rows = pl.concat([row for row, _, _ in found]) if found else bases.clear()
    if rows.height == 0:
        return
    column = np.concatenate([np.full(len(low), at) for at, (_, low, _) in enumerate(found)])
    low, high = (np.concatenate([entry[side] for entry in found]) for side in (1, 2))
    low, high = _narrowed(rows, names, column, low, high, ask)
    for values in (np.nextafter(low, -np.inf), low, high, np.nextafter(high, np.inf)):
        yield _varied(rows, names, column, values)


def _intervals(table: pl.DataFrame, bases: pl.DataFrame, name: str, ask: Ask) -> tuple[pl.DataFrame, Numbers, Numbers]:
    """Base rows, with two values of the column between which the answer changes."""
    known = table[name].drop_nulls().cast(pl.Float64)
    known = known.filter(known.is_finite()).unique().sort()
    if known.len() < 2:
        return bases.clear(), np.empty(0), np.empty(0)
    at = np.unique(np.linspace(0, known.len() - 1, GRID).astype(np.int64))
    grid = known[at.tolist()].to_numpy()
    many = pl.concat([_set(bases[row], name, grid.tolist()) for row in range(bases.height)])
    answers = _flat(ask(many)).reshape(bases.height, len(grid), -1)
    row, step = np.nonzero((answers[:, 1:] != answers[:, :-1]).any(axis=2))
    kept = np.unique(np.linspace(0, len(row) - 1, min(JUMPS, len(row))).astype(np.int64))
    row, step = row[kept], step[kept]
    return bases[row.tolist()], grid[step], grid[step + 1]


def _narrowed(
    rows: pl.DataFrame, names: list[str], column: npt.NDArray[np.int64], low: Numbers, high: Numbers, ask: Ask
) -> tuple[Numbers, Numbers]:
    """Neighbouring values between which the answer changes."""
    whole = np.array([rows.schema[name].is_integer() for name in names])[column]
    below = _flat(ask(_varied(rows, names, column, low)))
    for _ in range(HALVINGS):
        middle = np.where(whole, np.floor(low + (high - low) / 2), _between(low, high))
        if np.all((middle <= low) | (middle >= high)):
            break
        same = (_flat(ask(_varied(rows, names, column, middle))) == below).all(axis=1)
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return low, high


def _between(low: Numbers, high: Numbers) -> Numbers:
    """The float with as many floats below it as above: next to zero the mean would need a thousand halvings.

    >>> _between(np.array([0.0]), np.array([1e-323])).tolist()
    [5e-324]
    """
    one, two = _rank(low), _rank(high)
    middle = (one >> 1) + (two >> 1) + (one & two & 1)
    return _turned(middle).view(np.float64)


def _rank(values: Numbers) -> npt.NDArray[np.int64]:
    """Whole numbers in the order of the floats."""
    return _turned(np.ascontiguousarray(values).view(np.int64))


def _turned(bits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Negative floats count backwards in their bits; turning that twice gives the bits again."""
    return bits ^ ((bits >> 63) & np.int64(0x7FFF_FFFF_FFFF_FFFF))


def _varied(rows: pl.DataFrame, names: list[str], column: npt.NDArray[np.int64], values: Numbers) -> pl.DataFrame:
    """Each row with one value in its own column."""
    changed = []
    for at, name in enumerate(names):
        mine = pl.Series(column == at)
        fresh = pl.Series(np.where(column == at, values, 0.0)).cast(rows.schema[name], strict=False)
        changed.append(fresh.zip_with(mine, rows[name]).alias(name))
    return rows.with_columns(changed)


def _flat(answers: Numbers) -> Numbers:
    """One line a row; refusals equal one another."""
    return np.nan_to_num(answers.reshape(len(answers), -1), nan=-1e9)
