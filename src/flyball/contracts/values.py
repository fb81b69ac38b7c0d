"""What a single value must be to count as a contract's string, number, date ...: one meaning for rows and for tables.

Dates and timestamps travel as ISO 8601 text; only those forms are taken that `core.frames` turns into a value, so that
nothing which passed the contract becomes a null in front of the model. NaN in a numeric column is a missing value.
"""

import re
from datetime import UTC, date, datetime
from math import isinf
from typing import Any

from flyball.core.contract import Column, Kind

LARGEST = 2**63  # integers are 64 bits wide
TOLERANCE = 1e-9  # of `multipleOf`, relative to the value: 0.3 is a multiple of 0.1
EXPECTED: dict[Kind, str] = {
    "string": "text",
    "integer": "a whole number of 64 bits",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-11-21",
    "timestamp": "a timestamp such as 2026-11-21T10:00:00Z",
}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_TIMESTAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})(?:(:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?)?\Z",
)


def parse_date(text: str) -> date | None:
    """The date that a text says, or None.

    >>> parse_date("2026-11-21"), parse_date("2026-02-30"), parse_date("21.11.2026")
    (datetime.date(2026, 11, 21), None, None)
    """
    if not _DATE.match(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None  # the right form, but no day of the calendar


def parse_timestamp(text: str) -> datetime | None:
    """The moment that a text says, in UTC without a zone, to the microsecond; or None.

    >>> parse_timestamp("2026-11-21T10:00:00+02:00")
    datetime.datetime(2026, 11, 21, 8, 0)
    >>> parse_timestamp("2026-11-21") is None
    True
    """
    parts = _TIMESTAMP.match(text)
    if parts is None:
        return None
    minutes, seconds, fraction, offset = parts.groups(default="")
    try:
        moment = datetime.fromisoformat(f"{minutes}{seconds or ':00'}{fraction[:7]}{offset}")
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None  # the right form, but no moment of the calendar


def bound(kind: Kind, value: Any) -> Any:
    """A limit or an allowed value in the form that values of the kind are compared in; None if it is of another kind.

    >>> bound("number", 3), bound("date", "2026-11-21"), bound("integer", "3")
    (3, datetime.date(2026, 11, 21), None)
    """
    match kind:
        case "string":
            return value if isinstance(value, str) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "date":
            return parse_date(value) if isinstance(value, str) else None
        case "timestamp":
            if not isinstance(value, str):
                return None
            day = parse_date(value)
            return parse_timestamp(value) if day is None else datetime(day.year, day.month, day.day)
        case _:
            return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def is_multiple(value: float, step: float) -> bool:
    """Whether the value is a whole number of steps, within rounding.

    >>> is_multiple(0.3, 0.1), is_multiple(0.35, 0.1)
    (True, False)
    """
    steps = value / step
    # beyond all floats: neighbouring values are further apart than a step, so each is within rounding of one
    return isinf(steps) or abs(value - round(steps) * step) <= TOLERANCE * max(1.0, abs(value))


def range_of(column: Column) -> str:
    """The bounds of a column in words.

    >>> range_of(Column(name="a", kind="number", minimum=0, exclusive_maximum=10))
    'at least 0 and below 10'
    """
    words = (
        ("at least", column.minimum),
        ("above", column.exclusive_minimum),
        ("at most", column.maximum),
        ("below", column.exclusive_maximum),
    )
    return " and ".join(
        f"{word} {limit:g}" if isinstance(limit, float) else f"{word} {limit}"
        for word, limit in words
        if limit is not None
    )


def length_of(column: Column) -> str:
    """The allowed length of a text in words."""
    words = (("at least", column.min_length), ("at most", column.max_length))
    return " and ".join(f"{word} {count}" for word, count in words if count is not None) + " characters"
