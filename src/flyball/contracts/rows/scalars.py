"""The test of one value without parts, as a closure that knows its limits: why the value is refused, or None."""

import re
from collections.abc import Callable
from datetime import date, datetime, time
from math import inf
from typing import Any

from flyball.contracts.rows.formats import REAL, WHOLE, is_text_of
from flyball.contracts.rows.promises import Reason
from flyball.contracts.rows.values import LARGEST, has_offset, is_multiple, limit, range_of, reader, utc
from flyball.core.contract import Field

_Test = Callable[[Any], Reason | None]
_OWN = {"date": date, "timestamp": datetime, "time": time}


def scalar_test(field: Field) -> _Test:
    """The test of a value that has no parts."""
    missing: Reason | None = "required" if field.required or field.primary_key else None
    match field.kind:
        case "string":
            return _string(field, missing)
        case "boolean":
            return _boolean(field, missing)
        case "integer" | "number":
            return _numeric(field, missing)
        case "date" | "timestamp" | "time":
            return _temporal(field, missing)
        case "object" | "array" | "map" | "vector":
            raise ValueError(f"{field.name}: a {field.kind} has parts")


def _string(field: Field, missing: Reason | None) -> _Test:
    allowed = None if field.enum is None else frozenset(field.enum)
    shortest, longest = field.min_length or 0, inf if field.max_length is None else field.max_length
    measured = field.min_length is not None or field.max_length is not None
    search = None if field.pattern is None else re.compile(field.pattern).search
    formed = None if field.format is None else is_text_of(field.format)

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
        if formed is not None and not formed(value):
            return "format"
        return None

    return test


def _boolean(field: Field, missing: Reason | None) -> _Test:
    allowed = frozenset((True, False) if field.enum is None else field.enum)

    def test(value: Any) -> Reason | None:
        if value is None:
            return missing
        if value.__class__ is not bool:
            return "type"
        return None if value in allowed else "enum"

    return test


def _numeric(field: Field, missing: Reason | None) -> _Test:
    whole = field.kind == "integer"
    allowed = None if field.enum is None else frozenset(field.enum)
    low, high, above, below = (
        -inf if field.minimum is None else float(field.minimum),
        inf if field.maximum is None else float(field.maximum),
        field.exclusive_minimum,
        field.exclusive_maximum,
    )
    open_ended = above is not None or below is not None
    floor, ceiling = (-inf if above is None else float(above)), (inf if below is None else float(below))
    # infinity is outside wherever a bound exists, on whichever side
    bounded = range_of(field) != ""
    step = field.multiple_of
    least, most = _width(field)
    formed = field.format is not None

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
        if formed and not least <= value <= most and abs(value) < inf:
            return "format"
        return None

    return test


def _temporal(field: Field, missing: Reason | None) -> _Test:
    own, parse, zoned = _OWN[field.kind], reader(field), field.timezone
    allowed = None if field.enum is None else frozenset(limit(field, value) for value in field.enum)
    low, high, above, below = _limits(field)
    ranged = range_of(field) != ""

    def test(value: Any) -> Reason | None:
        if value is None:
            return missing
        text = value if value.__class__ is str else None
        if text is not None:
            value = parse(text)
            if value is None:
                return "type"
        elif value.__class__ is not own:
            return "type"
        elif isinstance(value, (datetime, time)) and value.tzinfo is not None:
            value = utc(value) if isinstance(value, datetime) else None  # a time of day would need its day
            if value is None:
                return "type"
        if allowed is not None and value not in allowed:
            return "enum"
        if ranged and not _within(value, low, high, above, below):
            return "range"
        if zoned is not None and text is not None and has_offset(field, text) is not zoned:
            return "timezone"
        return None

    return test


def _width(field: Field) -> tuple[float, float]:
    """The numbers that the declared format can hold, inclusive."""
    if field.format is None:
        return -inf, inf
    if field.kind == "integer":
        return WHOLE[field.format]
    return -REAL[field.format], REAL[field.format]


def _limits(field: Field) -> tuple[Any, Any, Any, Any]:
    given = (field.minimum, field.maximum, field.exclusive_minimum, field.exclusive_maximum)
    low, high, above, below = (None if value is None else limit(field, value) for value in given)
    return low, high, above, below


def _within(value: Any, low: Any, high: Any, above: Any, below: Any) -> bool:
    return not (
        (low is not None and value < low)
        or (high is not None and value > high)
        or (above is not None and value <= above)
        or (below is not None and value >= below)
    )
