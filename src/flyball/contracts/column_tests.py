"""What a column promises, as polars expressions that are true where it is broken.

Patterns and dates in text are judged on the distinct values with the very functions that judge single rows: Rust's
regular expressions and date parsers differ from Python's in corners, and a row must not get two verdicts.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from flyball.contracts.rows import Reason, expected
from flyball.contracts.values import LARGEST, TOLERANCE, bound, parse_date, parse_timestamp, range_of
from flyball.core.contract import Column
from flyball.core.frames import DTYPES


@dataclass(frozen=True, kw_only=True)
class Test:
    """One promise of one column."""

    rule: str
    column: str | None
    reason: Reason | Literal["unique"]
    expected: str
    broken: pl.Expr


@dataclass(frozen=True, kw_only=True)
class Readable:
    """A column as values of its kind."""

    value: pl.Expr  # null where missing or of another type
    dtype: pl.DataType  # of `value`
    missing: pl.Expr
    mistyped: pl.Expr

    def among(self, items: Iterable[Any]) -> pl.Expr:
        """Whether the value is one of these, compared in the value's own dtype; nothing is rounded to fit."""
        if self.dtype == pl.Int64:
            items = [int(item) for item in items if item == item // 1 and -LARGEST <= item < LARGEST]
        return self.value.is_in(pl.lit(pl.Series(list(items), dtype=self.dtype, strict=False)).implode())


def column_tests(column: Column, frame: pl.DataFrame) -> Iterator[Test]:
    """All tests of one column against the dtype it has in this frame."""
    read = readable(column, frame)

    def test(reason: Reason, broken: pl.Expr) -> Test:
        rule = f"{column.name}.{reason}"
        return Test(rule=rule, column=column.name, reason=reason, expected=expected(column, reason), broken=broken)

    if column.required or column.primary_key:
        yield test("required", read.missing)
    if column.name not in frame.columns:
        return
    yield test("type", read.mistyped)
    value = read.value
    if column.enum is not None:
        allowed = [bound(column.kind, item) for item in column.enum]
        yield test("enum", value.is_not_null() & ~read.among(allowed))
    if range_of(column):
        yield test("range", _outside(column, value))
    if column.multiple_of is not None:
        yield test("multiple_of", _off_step(value.cast(pl.Float64), column.multiple_of))
    if column.min_length is not None or column.max_length is not None:
        length = value.str.len_chars()
        longest = length.max() if column.max_length is None else pl.lit(column.max_length)
        yield test("length", ~length.is_between(pl.lit(column.min_length or 0), longest))
    if column.pattern is not None:
        yield test("pattern", read.among(_unmatched(frame, column.name, column.pattern)))
    if column.unique:
        yield Test(
            rule=f"{column.name}.unique",
            column=column.name,
            reason="unique",
            expected="each value once",
            broken=value.is_not_null() & value.is_duplicated(),
        )


def readable(column: Column, frame: pl.DataFrame) -> Readable:
    """The column as the contract's kind sees it."""
    own = DTYPES[column.kind]
    nothing = pl.lit(None, dtype=own)
    if column.name not in frame.columns:
        return Readable(value=nothing, dtype=own, missing=pl.lit(True), mistyped=pl.lit(False))
    raw, dtype = pl.col(column.name), frame.schema[column.name]
    if dtype == pl.Null:
        return Readable(value=raw.cast(own), dtype=own, missing=raw.is_null(), mistyped=pl.lit(False))
    wrong = Readable(value=nothing, dtype=own, missing=raw.is_null(), mistyped=raw.is_not_null())
    match column.kind:
        case "string":
            if not isinstance(dtype, (pl.String, pl.Categorical, pl.Enum)):
                return wrong
            return Readable(value=raw.cast(own), dtype=own, missing=raw.is_null(), mistyped=pl.lit(False))
        case "boolean":
            if dtype != pl.Boolean:
                return wrong
            return Readable(value=raw, dtype=own, missing=raw.is_null(), mistyped=pl.lit(False))
        case "number" | "integer":
            return _numeric(raw, dtype, whole=column.kind == "integer") if dtype.is_numeric() else wrong
        case "date" | "timestamp":
            return _temporal(column, frame, raw, dtype, wrong)


def _numeric(raw: pl.Expr, dtype: pl.DataType, *, whole: bool) -> Readable:
    if dtype.is_integer():
        large = raw.is_not_null() & (raw > LARGEST - 1) if dtype in (pl.UInt64, pl.Int128) else pl.lit(False)
        value = pl.when(~large).then(raw).cast(pl.Int64)
        return Readable(value=value, dtype=pl.Int64(), missing=raw.is_null(), mistyped=large)
    value = raw.cast(pl.Float64).fill_nan(None)
    broken = pl.lit(False)
    if whole:
        broken = ~(value.is_finite() & (value == value.floor()) & (value >= -LARGEST) & (value < LARGEST))
    sound = pl.when(~broken).then(value)
    return Readable(value=sound, dtype=pl.Float64(), missing=value.is_null(), mistyped=broken)


def _temporal(column: Column, frame: pl.DataFrame, raw: pl.Expr, dtype: pl.DataType, wrong: Readable) -> Readable:
    if column.kind == "date" and dtype == pl.Date:
        return Readable(value=raw, dtype=pl.Date(), missing=raw.is_null(), mistyped=pl.lit(False))
    if column.kind == "timestamp" and isinstance(dtype, pl.Datetime):
        plain = raw if dtype.time_zone is None else raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        value = plain.cast(pl.Datetime("us"))
        return Readable(value=value, dtype=pl.Datetime("us"), missing=raw.is_null(), mistyped=pl.lit(False))
    if not isinstance(dtype, pl.String):
        return wrong
    texts = frame.get_column(column.name).drop_nulls().unique()
    target = DTYPES[column.kind]
    parse = parse_date if column.kind == "date" else parse_timestamp
    parsed = pl.Series([parse(text) for text in texts], dtype=target)
    value = raw.replace_strict(texts, parsed, default=None, return_dtype=target)
    mistyped = raw.is_not_null() & value.is_null()
    return Readable(value=value, dtype=target, missing=raw.is_null(), mistyped=mistyped)


def _outside(column: Column, value: pl.Expr) -> pl.Expr:
    """Beyond a bound; an infinity is outside wherever there is one."""
    broken = pl.lit(False)
    if column.kind in ("number", "integer"):
        broken = value.cast(pl.Float64).is_infinite()
    low, high = bound(column.kind, column.minimum), bound(column.kind, column.maximum)
    above, below = bound(column.kind, column.exclusive_minimum), bound(column.kind, column.exclusive_maximum)
    if low is not None:
        broken = broken | (value < low)
    if high is not None:
        broken = broken | (value > high)
    if above is not None:
        broken = broken | (value <= above)
    if below is not None:
        broken = broken | (value >= below)
    return broken


def _off_step(value: pl.Expr, step: float) -> pl.Expr:
    allowed = pl.max_horizontal(value.abs(), pl.lit(1.0)) * TOLERANCE
    steps = value / step
    return value.is_infinite() | (steps.is_finite() & ((value - steps.round() * step).abs() > allowed))


def _unmatched(frame: pl.DataFrame, name: str, pattern: str) -> list[str]:
    search = re.compile(pattern).search
    texts = frame.get_column(name)
    if not isinstance(texts.dtype, (pl.String, pl.Categorical, pl.Enum)):
        return []
    return [text for text in texts.cast(pl.String).drop_nulls().unique() if search(text) is None]
