"""What a column promises, as polars expressions that are true where it is broken.

Where Rust and Python could differ (patterns, dates in text) both executions mean the same: patterns as `patterns` says,
dates of the plain ISO forms by polars, every other text once, on the distinct values, by the function that judges rows.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from flyball.contracts.rows.date_forms import ISO
from flyball.contracts.rows.formats import PATTERNS, REAL, WHOLE, is_text_of
from flyball.contracts.rows.patterns import in_rust, unfit, unmatched
from flyball.contracts.rows.promises import Reason, expected
from flyball.contracts.rows.values import LARGEST, TOLERANCE, has_offset, limit, range_of, reader
from flyball.contracts.tables.repeats import repeated
from flyball.core.contract import AnyKind, Field
from flyball.core.frames import DTYPES

TYPES: Mapping[AnyKind, pl.DataType] = {**dict(DTYPES.items()), "time": pl.Time()}
_ISO_DATE = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\z"
_ISO_MOMENT = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-5][0-9](?:\.[0-9]{1,6})?Z?\z"
_OFFSET = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})\z"


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


def column_tests(
    field: Field, frame: pl.DataFrame, *, path: str | None = None, column: str | None = None
) -> Iterator[Test]:
    """All tests of one column without parts, in the order of `promises`, against the dtype it has in this frame.

    Args:
        path: how the field is called in rules; the field's own name where it is a column of the table.
        column: the table's column that the field belongs to.
    """
    path, column = path or field.name, column or field.name
    read = readable(field, frame)

    def test(reason: Reason, broken: pl.Expr) -> Test:
        told = expected(field, reason)
        return Test(rule=f"{path}.{reason}", column=column, reason=reason, expected=told, broken=broken)

    if field.required or field.primary_key:
        yield test("required", read.missing)
    if field.name not in frame.columns:
        return
    yield test("type", read.mistyped)
    value = read.value
    if field.enum is not None:
        allowed = [limit(field, item) for item in field.enum]
        yield test("enum", value.is_not_null() & ~read.among(allowed))
    if range_of(field):
        yield test("range", _outside(field, value))
    if field.multiple_of is not None:
        yield test("multiple_of", _off_step(value.cast(pl.Float64), field.multiple_of))
    if field.min_length is not None or field.max_length is not None:
        length = value.str.len_chars()
        longest = length.max() if field.max_length is None else pl.lit(field.max_length)
        yield test("length", ~length.is_between(pl.lit(field.min_length or 0), longest))
    if field.pattern is not None:
        yield test("pattern", unmatched(field.pattern, value, _texts(field, frame)))
    if field.format is not None and field.kind in ("string", "integer", "number"):
        yield test("format", _misformed(field, value, frame))
    if field.timezone is not None:
        yield test("timezone", _wrong_zone(field, value, frame))
    if field.unique:
        broken = pl.lit(repeated(frame, value))
        told = "each value once"
        yield Test(rule=f"{path}.unique", column=column, reason="unique", expected=told, broken=broken)


def readable(column: Field, frame: pl.DataFrame) -> Readable:
    """The column as the contract's kind sees it; of a kind without parts."""
    own = TYPES[column.kind]
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
        case "date" | "timestamp" | "time":
            return _temporal(column, frame, raw, dtype, wrong)
        case "object" | "array" | "map" | "vector":
            return wrong


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


def _temporal(column: Field, frame: pl.DataFrame, raw: pl.Expr, dtype: pl.DataType, wrong: Readable) -> Readable:
    target = TYPES[column.kind]
    if column.kind in ("date", "time") and dtype == target:
        return Readable(value=raw, dtype=target, missing=raw.is_null(), mistyped=pl.lit(False))
    if column.kind == "timestamp" and isinstance(dtype, pl.Datetime):
        plain = raw if dtype.time_zone is None else raw.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return Readable(value=plain.cast(target), dtype=target, missing=raw.is_null(), mistyped=pl.lit(False))
    if not isinstance(dtype, pl.String):
        return wrong
    value, fast = _iso(column, raw)
    texts = frame.get_column(column.name).drop_nulls() if fast is None else frame.select(raw.filter(~fast)).to_series()
    distinct = texts.unique()
    if fast is None or distinct.len():
        parse = reader(column)
        parsed = pl.Series([parse(text) for text in distinct], dtype=target)
        slow = raw.replace_strict(distinct, parsed, default=None, return_dtype=target)
        value = slow if fast is None else pl.coalesce(value, slow)
    mistyped = raw.is_not_null() & value.is_null()
    return Readable(value=value, dtype=target, missing=raw.is_null(), mistyped=mistyped)


def _iso(column: Field, raw: pl.Expr) -> tuple[pl.Expr, pl.Expr | None]:
    """The plain ISO forms, which polars reads as Python does, and where they stand; None where there are none."""
    if column.kind == "time" or column.default_timezone is not None or column.format not in (None, ISO):
        return pl.lit(None), None
    if column.kind == "date":
        fast = raw.str.contains(_ISO_DATE) & ~raw.str.starts_with("0000")
        return pl.when(fast).then(raw).str.to_date("%Y-%m-%d", strict=False), fast
    fast = raw.str.contains(_ISO_MOMENT) & ~raw.str.starts_with("0000")
    plain = pl.when(fast).then(raw).str.strip_suffix("Z").str.replace(" ", "T", literal=True)
    return plain.str.to_datetime("%Y-%m-%dT%H:%M:%S%.f", time_unit="us", strict=False), fast


def _outside(column: Field, value: pl.Expr) -> pl.Expr:
    """Beyond a bound; an infinity is outside wherever there is one."""
    broken = pl.lit(False)
    if column.kind in ("number", "integer"):
        broken = value.cast(pl.Float64).is_infinite()
    low, high = limit(column, column.minimum), limit(column, column.maximum)
    above, below = limit(column, column.exclusive_minimum), limit(column, column.exclusive_maximum)
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


def _misformed(field: Field, value: pl.Expr, frame: pl.DataFrame) -> pl.Expr:
    name = str(field.format)
    if field.kind == "string":
        rust = in_rust(PATTERNS[name]) if name in PATTERNS else None
        return unfit(is_text_of(name), value, _texts(field, frame), rust=rust)
    if field.kind == "integer":
        low, high = WHOLE[name]
        return pl.lit(False) if name in ("i64", "i128") else ~value.is_between(low, high)
    return value.is_finite() & (value.abs() > REAL[name])


def _wrong_zone(field: Field, value: pl.Expr, frame: pl.DataFrame) -> pl.Expr:
    """Of texts only: a typed column holds moments, however they were written."""
    texts = _texts(field, frame)
    raw = pl.col(field.name)
    if texts.is_empty():
        return pl.lit(False)
    zoned: pl.Expr = raw.str.contains(_OFFSET)
    if field.format not in (None, ISO):
        zoned = ~unfit(lambda text: has_offset(field, text), raw, texts)
    return value.is_not_null() & (zoned if field.timezone is False else ~zoned)


def _texts(field: Field, frame: pl.DataFrame) -> pl.Series:
    """The column's texts; none where it holds something else."""
    column = frame.get_column(field.name)
    if not isinstance(column.dtype, (pl.String, pl.Categorical, pl.Enum)):
        return pl.Series(dtype=pl.String())
    return column.cast(pl.String())
