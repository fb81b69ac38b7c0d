"""The data contract compiled for single rows on their way to a model.

Missing though required, or of another type: the model could not read the row, so it is rejected. Readable but outside
what was promised (enum, range, step, length, pattern): quarantine, an answer from the fallback chain. Keys the
contract does not know are ignored: clients may send more than a model needs, and `core.frames` drops the rest.

Each column becomes one closure that knows its limits; a sound value passes with one call and two comparisons.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from math import inf
from typing import Any, Literal

from flyball.contracts.values import (
    EXPECTED,
    LARGEST,
    bound,
    is_multiple,
    length_of,
    parse_date,
    parse_timestamp,
    range_of,
)
from flyball.core.contract import Checked, Column, DataContract

Reason = Literal["required", "type", "enum", "range", "multiple_of", "length", "pattern"]
REJECTS: frozenset[Reason] = frozenset({"required", "type"})
_Test = Callable[[Any], Reason | None]


class CompiledRows:
    """A `core.contract.RowChecker`."""

    def __init__(self, contract: DataContract, *, label: str | None = None) -> None:
        """`label`: the column that clients do not send."""
        self._columns = tuple(column for column in contract.columns if column.name != label)
        self._names = tuple(column.name for column in self._columns)
        self._tests = tuple((column.name, _test(column)) for column in self._columns)
        self._by_name = {column.name: column for column in self._columns}

    @property
    def columns(self) -> tuple[str, ...]:
        return self._names

    def check(self, rows: Sequence[dict[str, Any]]) -> list[Checked | None]:
        """One answer a row, in order: the first reason to reject, else the first to quarantine, else None."""
        return [self._check(row) for row in rows]

    def _check(self, row: dict[str, Any]) -> Checked | None:
        quarantined: tuple[str, Reason] | None = None
        get = row.get
        for name, test in self._tests:
            reason = test(get(name))
            if reason is None:
                continue
            if reason in REJECTS:
                return self._said("reject", name, reason, row)
            quarantined = quarantined or (name, reason)
        return self._said("quarantine", *quarantined, row) if quarantined else None

    def _said(
        self, verdict: Literal["quarantine", "reject"], name: str, reason: Reason, row: dict[str, Any]
    ) -> Checked:
        found = repr(row.get(name))
        found = found if len(found) <= 60 else found[:57] + "..."
        message = f"{name}: expected {expected(self._by_name[name], reason)}, found {found}"
        return Checked(verdict=verdict, column=name, reason=reason, message=message)


def expected(column: Column, reason: Reason) -> str:
    """What a column's promise asks for, in words."""
    match reason:
        case "required":
            return "a value"
        case "type":
            return EXPECTED[column.kind]
        case "enum":
            values = column.enum or ()
            return f"one of {', '.join(map(str, values[:20]))}{', ...' if len(values) > 20 else ''}"
        case "range":
            return range_of(column)
        case "multiple_of":
            return f"a multiple of {column.multiple_of:g}"
        case "length":
            return length_of(column)
        case "pattern":
            return f"text that matches {column.pattern}"


def _test(column: Column) -> _Test:
    missing: Reason | None = "required" if column.required or column.primary_key else None
    match column.kind:
        case "string":
            return _string(column, missing)
        case "boolean":
            return _boolean(column, missing)
        case "integer" | "number":
            return _numeric(column, missing)
        case "date" | "timestamp":
            return _temporal(column, missing)


def _string(column: Column, missing: Reason | None) -> _Test:
    allowed = None if column.enum is None else frozenset(column.enum)
    shortest, longest = column.min_length or 0, inf if column.max_length is None else column.max_length
    measured = column.min_length is not None or column.max_length is not None
    search = None if column.pattern is None else re.compile(column.pattern).search

    def test(value: Any) -> Reason | None:
        if value is None:
            return missing
        if value.__class__ is not str:
            return "type"
        if allowed is not None and value not in allowed:
            return "enum"
        if measured and not shortest <= len(value) <= longest:
            return "length"
        if search is not None and search(value) is None:
            return "pattern"
        return None

    return test


def _boolean(column: Column, missing: Reason | None) -> _Test:
    allowed = frozenset((True, False) if column.enum is None else column.enum)

    def test(value: Any) -> Reason | None:
        if value is None:
            return missing
        if value.__class__ is not bool:
            return "type"
        return None if value in allowed else "enum"

    return test


def _numeric(column: Column, missing: Reason | None) -> _Test:
    whole = column.kind == "integer"
    allowed = None if column.enum is None else frozenset(column.enum)
    low, high, above, below = (
        -inf if column.minimum is None else float(column.minimum),
        inf if column.maximum is None else float(column.maximum),
        column.exclusive_minimum,
        column.exclusive_maximum,
    )
    open_ended = above is not None or below is not None
    floor, ceiling = (-inf if above is None else float(above)), (inf if below is None else float(below))
    # infinity is outside wherever a bound exists, on whichever side
    bounded = range_of(column) != ""
    step = column.multiple_of

    def test(value: Any) -> Reason | None:
        kind = value.__class__
        if kind is float:
            if value != value:
                return missing
            if whole and not (value.is_integer() and -LARGEST <= value < LARGEST):
                return "type"
        elif kind is int:
            if not -LARGEST <= value < LARGEST:
                return "type"
        else:
            return missing if value is None else "type"
        if allowed is not None and value not in allowed:
            return "enum"
        if bounded:
            if not low <= value <= high or value in (inf, -inf):
                return "range"
            if open_ended and not floor < value < ceiling:
                return "range"
        if step is not None and not (abs(value) < inf and is_multiple(value, step)):
            return "multiple_of"
        return None

    return test


def _temporal(column: Column, missing: Reason | None) -> _Test:
    own, parse = (date, parse_date) if column.kind == "date" else (datetime, parse_timestamp)
    allowed = None if column.enum is None else frozenset(bound(column.kind, value) for value in column.enum)
    low, high, above, below = _limits(column)
    ranged = range_of(column) != ""

    def test(value: Any) -> Reason | None:
        if value is None:
            return missing
        if value.__class__ is str:
            value = parse(value)
            if value is None:
                return "type"
        elif value.__class__ is not own or getattr(value, "tzinfo", None) is not None:
            return "type"
        if allowed is not None and value not in allowed:
            return "enum"
        if ranged and not _within(value, low, high, above, below):
            return "range"
        return None

    return test


def _limits(column: Column) -> tuple[Any, Any, Any, Any]:
    limits = (column.minimum, column.maximum, column.exclusive_minimum, column.exclusive_maximum)
    low, high, above, below = (None if limit is None else bound(column.kind, limit) for limit in limits)
    return low, high, above, below


def _within(value: Any, low: Any, high: Any, above: Any, below: Any) -> bool:
    return not (
        (low is not None and value < low)
        or (high is not None and value > high)
        or (above is not None and value <= above)
        or (below is not None and value >= below)
    )
