"""Columns that polars left as text although they hold numbers or times: made what they are, or the odd cells named.

One cell such as `n/a` makes inference give up a whole column. With a contract each cell that is no number is named;
without one only rare strangers are, for a column that is half numbers may well be text.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import polars as pl

from flyball.app.table_faults import fault, refuse_all
from flyball.core.contract import Kind
from flyball.core.errors import Fault

MOST_CELLS = 3  # named of one column
LEAST_ALIKE = 10  # so many cells are needed before others among them are strangers
RARE = 0.01  # share of the cells that have a value
_ZONE = r"(Z|[+-]\d{2}:?\d{2})$"
_MOMENT = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"


def settled(
    path: Path,
    table: pl.DataFrame,
    kinds: Mapping[str, Kind] | None,
    *,
    of_text: bool,
    placed: Collection[str] = (),
) -> pl.DataFrame:
    """The table with text columns of numbers as numbers.

    Args:
        placed: columns of which a contract says where a time without an offset was written.
        of_text: the file holds no types (CSV): what is text there may be meant as something else.

    Raises: BadInput: with all cells that do not fit their columns, and all columns of mixed time zones.
    """
    faults: list[Fault] = []
    columns: list[pl.Series] = []
    for values in table.get_columns():
        if not isinstance(values.dtype, pl.String):
            continue
        kind = None if kinds is None else kinds.get(values.name)
        if kind != "string" and values.name not in placed:
            faults += _mixed_zones(path, values)
        if of_text and (kinds is None or kind in ("number", "integer")):
            columns += _numbers(path, values, kind, faults)
        if of_text and kind == "boolean":
            columns += _truths(path, values, faults)
        if of_text and kinds is None:
            faults += _odd_moments(path, values)
    if faults:
        raise refuse_all(path, faults)
    return table.with_columns(columns)


def _numbers(path: Path, values: pl.Series, kind: Kind | None, faults: list[Fault]) -> list[pl.Series]:
    present = values.drop_nulls().len()
    made = values.str.strip_chars().cast(pl.Float64, strict=False)
    odd = values.is_not_null() & made.is_null()
    if present == 0:
        return []
    if not odd.any():
        whole = values.str.strip_chars().cast(pl.Int64, strict=False)
        return [whole if whole.null_count() == values.null_count() else made]
    if kind is not None or _strangers(odd, present):
        rest = "as the contract says" if kind is not None else f"as in the other {present - int(odd.sum())} rows"
        faults += _cells(path, values, odd, f"a number, {rest}")
    return []


def _truths(path: Path, values: pl.Series, faults: list[Fault]) -> list[pl.Series]:
    lower = values.str.strip_chars().str.to_lowercase()
    odd = values.is_not_null() & ~lower.is_in(["true", "false"]).fill_null(False)
    if odd.any():
        faults += _cells(path, values, odd, "true or false, as the contract says")
        return []
    return [(lower == "true").alias(values.name)]


def _odd_moments(path: Path, values: pl.Series) -> Iterator[Fault]:
    alike = values.str.contains(_MOMENT)
    odd = values.is_not_null() & ~alike.fill_null(False)
    if odd.any() and _strangers(odd, values.drop_nulls().len()):
        yield from _cells(path, values, odd, f"a date or time, as in the other {int(alike.sum())} rows")


def _strangers(odd: pl.Series, present: int) -> bool:
    count = int(odd.sum())
    return present - count >= LEAST_ALIKE and count <= max(1, RARE * present)


def _cells(path: Path, values: pl.Series, odd: pl.Series, expected: str) -> Iterator[Fault]:
    places = odd.arg_true()
    more = places.len() - MOST_CELLS
    fix = "mend the cell, or leave it empty where the value is missing"
    fix += f"; {more} more cells of this column are like this" if more > 0 else ""
    for place in places.head(MOST_CELLS):
        yield fault(path, f"{values.name}, row {place + 1} below the header", expected, repr(values[place]), fix)


def _mixed_zones(path: Path, values: pl.Series) -> Iterator[Fault]:
    """A time without a zone beside times with one: nobody can say which moment it is."""
    first = values.drop_nulls().head(1)
    if first.is_empty() or not first.str.contains(_MOMENT).all():
        return
    moments = values.str.contains(_MOMENT).fill_null(False) & values.str.contains(":", literal=True).fill_null(False)
    zoned = moments & values.str.contains(_ZONE).fill_null(False)
    plain = moments & ~zoned
    if zoned.any() and plain.any():
        with_zone, without = int(zoned.arg_true()[0]), int(plain.arg_true()[0])
        found = f"row {with_zone + 1} {values[with_zone]!r} with one, row {without + 1} {values[without]!r} without"
        fix = "write every time with its offset, or all of them in UTC without one"
        yield fault(path, values.name, "a time zone in every row or in none", found, fix)
