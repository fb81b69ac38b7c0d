"""Nested columns of a table: structs and lists, taken apart level by level and judged by whole columns.

A struct's properties become columns of an inner table, a list's items its rows; each remembers the row it came from,
so that what is broken inside is broken in that row. No value is looked at by itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.contracts.rows.promises import NORM_TOLERANCE, SCALARS, Reason, expected, within
from flyball.contracts.tables.column_tests import Test, column_tests, readable
from flyball.core.contract import Field

Mask = npt.NDArray[np.bool_]  # shape [rows of the table], true where broken


@dataclass(frozen=True, kw_only=True)
class Broken:
    """One promise, judged."""

    test: Test
    mask: Mask


@dataclass(frozen=True)
class _Level:
    """An inner table, and which row of the outer one each of its rows came from."""

    frame: pl.DataFrame
    rows: npt.NDArray[np.int64]


def nested_tests(field: Field, frame: pl.DataFrame, path: str, column: str) -> Iterator[Broken]:
    """Every promise of the field, in the order of `promises.of_field`; `frame` has a column of the field's name.

    >>> tags = Field(name="tags", kind="array", max_items=2, fields=(Field(name="[]", kind="string", min_length=1),))
    >>> table = pl.DataFrame({"tags": [["a"], ["a", "b", "c"], [""], None]})
    >>> [(b.test.rule, b.mask.tolist()) for b in nested_tests(tags, table, "tags", "tags") if b.mask.any()]
    [('tags.items', [False, True, False, False]), ('tags[].length', [False, False, True, False])]
    """
    if field.kind in SCALARS:
        tests = list(column_tests(field, frame, path=path, column=column))
        masks = frame.select(_mask(test.broken).alias(str(index)) for index, test in enumerate(tests))
        for index, test in enumerate(tests):
            yield Broken(test=test, mask=_column(masks, str(index), frame.height))
        return

    def told(reason: Reason, mask: Mask) -> Broken:
        rule = f"{path}.{reason}"
        nothing = pl.lit(False)  # already judged
        test = Test(rule=rule, column=column, reason=reason, expected=expected(field, reason), broken=nothing)
        return Broken(test=test, mask=mask)

    required = field.required or field.primary_key
    if field.name not in frame.columns:
        if required:
            yield told("required", np.ones(frame.height, dtype=np.bool_))
        return
    values = frame.get_column(field.name)
    missing = values.is_null().to_numpy()
    if required:
        yield told("required", missing)
    known = values.dtype == pl.Null or _fits(field, values.dtype)
    yield told("type", np.zeros(frame.height, dtype=np.bool_) if known else ~missing)
    if not known or values.dtype == pl.Null:
        return
    if isinstance(values.dtype, pl.Array):
        values = values.arr.to_list()
    yield from (told(reason, mask) for reason, mask in _own(field, values))
    yield from _parts(field, values, path, column)


def _fits(field: Field, dtype: pl.DataType) -> bool:
    match field.kind:
        case "object":
            return isinstance(dtype, pl.Struct)
        case "map":
            if not isinstance(dtype, pl.List) or not isinstance(dtype.inner, pl.Struct):
                return False
            return {part.name for part in dtype.inner.fields} == {"key", "value"}
        case _:
            return isinstance(dtype, (pl.List, pl.Array))


def _parts(field: Field, values: pl.Series, path: str, column: str) -> Iterator[Broken]:
    """The promises of everything inside, brought back to the rows."""
    if field.kind == "object":
        level = _properties(values)
    else:
        level = _items(values)
        if field.kind == "map":
            level = _Level(level.frame.get_column("[]").struct.unnest(), level.rows)
    for part in field.fields:
        for broken in nested_tests(part, level.frame, within(path, part), column):
            mask = np.zeros(values.len(), dtype=np.bool_)
            mask[level.rows[broken.mask]] = True
            yield Broken(test=broken.test, mask=mask)


def _properties(values: pl.Series) -> _Level:
    present = values.is_not_null()
    frame = values.filter(present).struct.unnest()
    if not frame.columns:  # a struct of nothing: the rows are still there
        frame = pl.DataFrame({"": np.zeros(int(present.sum()), dtype=np.bool_)})
    return _Level(frame, np.flatnonzero(present.to_numpy()))


def _items(values: pl.Series) -> _Level:
    counts = values.list.len().fill_null(0)
    filled = values.filter(counts > 0)
    rows = np.repeat(np.arange(values.len()), counts.to_numpy())
    return _Level(pl.DataFrame({"[]": filled.explode()}), rows)


def _own(field: Field, values: pl.Series) -> Iterator[tuple[Reason, Mask]]:
    """What each value as a whole promises, in the order of `promises.reasons`."""
    present = values.is_not_null().to_numpy()
    if field.kind == "object":
        if field.min_properties is not None or field.max_properties is not None or field.needs:
            yield "properties", _lacking(field, values)
        return
    counts = values.list.len().fill_null(0).to_numpy().astype(np.int64)
    if field.min_items is not None or field.max_items is not None:
        few = counts < (field.min_items or 0)
        many = np.zeros_like(few) if field.max_items is None else counts > field.max_items
        yield "items", present & (few | many)
    if field.unique_items:
        yield "unique_items", _repeating(values)
    if field.dimensions is not None:
        yield "dimensions", present & (counts != field.dimensions)
    if field.normalized:
        yield "normalized", present & ~_units(field, values)


def _lacking(field: Field, values: pl.Series) -> Mask:
    level = _properties(values)
    frame, height = level.frame, level.rows.size
    filled = {name: frame.get_column(name).is_not_null().to_numpy() for name in frame.columns}
    present = sum((mask.astype(np.int64) for mask in filled.values()), start=np.zeros(height, dtype=np.int64))
    broken = present < (field.min_properties or 0)
    if field.max_properties is not None:
        broken = broken | (present > field.max_properties)
    for name in field.needs:
        broken = broken | ~filled.get(name, np.zeros(height, dtype=np.bool_))
    mask = np.zeros(values.len(), dtype=np.bool_)
    mask[level.rows[broken]] = True
    return mask


def _repeating(values: pl.Series) -> Mask:
    level = _items(values)
    pairs = level.frame.with_columns(row=pl.Series(level.rows))
    again = pairs.select((~pl.struct("row", "[]").is_first_distinct()).alias("again")).get_column("again").to_numpy()
    mask = np.zeros(values.len(), dtype=np.bool_)
    mask[level.rows[again]] = True
    return mask


def _units(field: Field, values: pl.Series) -> Mask:
    """Whether the Euclidean length is 1, as `rows.nested.is_unit` has it."""
    level = _items(values)
    if not level.frame.schema["[]"].is_numeric():
        return np.zeros(values.len(), dtype=np.bool_)
    read = readable(field.fields[0], level.frame) if field.fields else None
    numbers = level.frame.select((pl.col("[]") if read is None else read.value).cast(pl.Float64).alias("[]"))
    each = numbers.get_column("[]").fill_null(np.nan).to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.bincount(level.rows, weights=each**2, minlength=values.len())
        return np.asarray(np.abs(np.sqrt(squares) - 1) <= NORM_TOLERANCE)


def _mask(broken: pl.Expr) -> pl.Expr:
    return broken.fill_null(False)


def _column(masks: pl.DataFrame, name: str, height: int) -> Mask:
    """A literal gives one row: it is meant for all."""
    mask = masks.get_column(name).to_numpy()
    return mask if mask.size == height else np.full(height, bool(mask[0]) if mask.size else False)
