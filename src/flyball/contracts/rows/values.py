"""What a single value must be to count as a contract's string, number, date ...: one meaning for rows and for tables.

Dates and timestamps travel as ISO 8601 text; only those forms are taken that `core.frames` turns into a value, so that
nothing which passed the contract becomes a null in front of the model. NaN in a numeric column is a missing value.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from functools import lru_cache
from math import isinf
from typing import Any
from zoneinfo import ZoneInfo

from flyball.contracts.rows.date_forms import ISO, clock_of, form_of, in_utc
from flyball.core.contract import AnyKind, Field

LARGEST = 2**63  # integers are 64 bits wide
TOLERANCE = 1e-9  # of `multipleOf`, relative to the value: 0.3 is a multiple of 0.1
EXPECTED: dict[AnyKind, str] = {
    "string": "text",
    "integer": "a whole number of 64 bits",
    "number": "a number",
    "boolean": "true or false",
    "date": "a date such as 2026-11-21",
    "timestamp": "a timestamp such as 2026-11-21T10:00:00Z",
    "time": "a time of day such as 10:00:00",
    "object": "an object",
    "array": "a list",
    "map": "a mapping from keys to values",
    "vector": "a list of numbers",
}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_TIMESTAMP = re.compile(
    r"(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2})(?:(:\d{2})(\.\d{1,9})?(Z|[+-]\d{2}:?\d{2})?)?\Z",
)
_TIME = re.compile(r"(\d{2}:\d{2})(?:(:\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?\Z")
_ENDS_IN_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})\Z")

Parse = Callable[[str], Any]


@lru_cache(maxsize=1024)
def parser(kind: AnyKind, form: str | None = None, zone: str | None = None) -> Parse:
    """How a text of this kind is read: ISO 8601, or the JDK pattern `form`; without an offset it was written in `zone`.

    >>> parser("date", "dd.MM.yyyy")("21.11.2026"), parser("timestamp", None, "Europe/Oslo")("2026-07-01T10:00:00")
    (datetime.date(2026, 11, 21), datetime.datetime(2026, 7, 1, 8, 0))
    """
    pattern = None if form is None or form == ISO else form_of(form)
    if kind == "date":
        return parse_date if pattern is None else lambda text: _mapped(pattern.read(text), datetime.date)
    if kind == "time":
        return parse_time if pattern is None else lambda text: _mapped(pattern.read(text), clock_of)
    if pattern is None and zone is None:
        return parse_timestamp
    read = _read_timestamp if pattern is None else pattern.read
    local = None if zone is None else ZoneInfo(zone)
    return lambda text: _mapped(read(text), lambda moment: _placed(moment, local))


def reader(field: Field) -> Parse:
    """How the texts of this field are read."""
    return parser(field.kind, field.format, field.default_timezone)


def has_offset(field: Field, text: str) -> bool:
    """Whether a text, readable as the field's kind, names its offset from UTC."""
    pattern = None if field.format is None or field.format == ISO else form_of(field.format)
    if pattern is None:
        return _ENDS_IN_OFFSET.search(text) is not None
    found = pattern.regex.fullmatch(text)
    return found is not None and found.groupdict().get("zone") is not None


def utc(moment: datetime) -> datetime | None:
    """A moment with a zone in UTC, without one; None where that is beyond the calendar."""
    return _mapped(moment, in_utc)  # type: ignore[no-any-return]


def _mapped(moment: datetime | None, into: Callable[[datetime], Any]) -> Any:
    try:
        return None if moment is None else into(moment)
    except OverflowError:
        return None  # beyond the calendar once it is in UTC


def _placed(moment: datetime, zone: ZoneInfo | None) -> datetime | None:
    """In UTC; a local time that the clocks skipped is no moment, one that came twice is the first."""
    if moment.tzinfo is not None or zone is None:
        return in_utc(moment)
    placed = moment.replace(tzinfo=zone).astimezone(UTC)
    back = placed.astimezone(zone).replace(tzinfo=None)
    return placed.replace(tzinfo=None) if back == moment else None


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
    return _mapped(_read_timestamp(text), in_utc)  # type: ignore[no-any-return]


def parse_time(text: str) -> time | None:
    """The time of day that a text says, in UTC if it names an offset; or None.

    >>> parse_time("09:00-08:00"), parse_time("9:00"), parse_time("23:59:59.5")
    (datetime.time(17, 0), None, datetime.time(23, 59, 59, 500000))
    """
    parts = _TIME.match(text)
    if parts is None:
        return None
    minutes, seconds, fraction, offset = parts.groups(default="")
    return _mapped(  # type: ignore[no-any-return]
        _read_timestamp(f"1970-01-02T{minutes}{seconds or ':00'}{fraction}{offset}"), clock_of
    )


def _read_timestamp(text: str) -> datetime | None:
    parts = _TIMESTAMP.match(text)
    if parts is None:
        return None
    minutes, seconds, fraction, offset = parts.groups(default="")
    try:
        return datetime.fromisoformat(f"{minutes}{seconds or ':00'}{fraction[:7]}{offset}")
    except ValueError:
        return None  # the right form, but no moment of the calendar


def bound(kind: AnyKind, value: Any) -> Any:
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
        case "time":
            return parse_time(value) if isinstance(value, str) else None
        case "object" | "array" | "map" | "vector":
            return None
        case _:
            return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def limit(field: Field, value: Any) -> Any:
    """A bound or an allowed value of this field: ISO 8601 or in the field's own format, in its own zone.

    >>> limit(Field(name="a", kind="date", format="dd.MM.yyyy"), "21.11.2026")
    datetime.date(2026, 11, 21)
    """
    if isinstance(value, str) and field.kind in ("date", "timestamp", "time"):
        own = reader(field)(value)
        return own if own is not None else bound(field.kind, value)
    return bound(field.kind, value)


def is_multiple(value: float, step: float) -> bool:
    """Whether the value is a whole number of steps, within rounding.

    >>> is_multiple(0.3, 0.1), is_multiple(0.35, 0.1)
    (True, False)
    """
    steps = value / step
    # beyond all floats: neighbouring values are further apart than a step, so each is within rounding of one
    return isinf(steps) or abs(value - round(steps) * step) <= TOLERANCE * max(1.0, abs(value))


def range_of(column: Field) -> str:
    """The bounds of a column in words.

    >>> range_of(Field(name="a", kind="number", minimum=0, exclusive_maximum=10))
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


def length_of(column: Field) -> str:
    """The allowed length of a text in words."""
    words = (("at least", column.min_length), ("at most", column.max_length))
    return " and ".join(f"{word} {count}" for word, count in words if count is not None) + " characters"
