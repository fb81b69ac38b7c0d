"""The `format` of a date, timestamp or time: a pattern of the JDK's DateTimeFormatter, read by Python.

Only letters that say the same in every locale are read: y u M d H h m s S a, X x Z for offsets, quoted text. A pattern
with another letter has no form here, and the reader of the contract lists it as not executed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone
from functools import lru_cache

ISO = "YYYY-MM-DDTHH:mm:ss.SSSZ"  # how the standard writes its default, ISO 8601 (in the JDK's letters it is not)
_OFFSET = r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)"
_PARTS: Mapping[str, str] = {
    "yyyy": r"(?P<y>\d{4})", "uuuu": r"(?P<y>\d{4})", "yy": r"(?P<yy>\d{2})",
    "MM": r"(?P<M>\d{2})", "M": r"(?P<M>\d{1,2})", "MMM": r"(?P<name>[A-Z][a-z]{2})",
    "dd": r"(?P<d>\d{2})", "d": r"(?P<d>\d{1,2})",
    "HH": r"(?P<H>\d{2})", "H": r"(?P<H>\d{1,2})", "hh": r"(?P<h>\d{2})", "h": r"(?P<h>\d{1,2})", "a": r"(?P<a>[AP]M)",
    "mm": r"(?P<m>\d{2})", "m": r"(?P<m>\d{1,2})", "ss": r"(?P<s>\d{2})", "s": r"(?P<s>\d{1,2})",
    **dict.fromkeys(("X", "XX", "x", "xx", "Z", "ZZ", *(letter * 3 for letter in "XxZ"), "Z" * 5), _OFFSET),
}  # fmt: skip
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_TOKEN = re.compile(r"'((?:[^']|'')*)'|([A-Za-z])\2*|(.)", re.DOTALL)


@dataclass(frozen=True)
class Form:
    """A pattern that can be read."""

    pattern: str
    regex: re.Pattern[str]

    def read(self, text: str) -> datetime | None:
        """The moment that the text says, with a zone where it names one; None if it is not of this form.

        A form without a date is read on 1970-01-01.

        >>> form_of("dd.MM.yyyy HH:mm").read("21.11.2026 10:05")
        datetime.datetime(2026, 11, 21, 10, 5)
        >>> form_of("dd.MM.yyyy").read("31.02.2026") is None
        True
        """
        found = self.regex.fullmatch(text)
        if found is None or not text.isascii():
            return None
        part = {name: value for name, value in found.groupdict().items() if value is not None}
        try:
            return datetime(*_day(part), *_clock(part), tzinfo=_zone(part.get("zone")))
        except ValueError:
            return None  # the right form, but no moment of the calendar

    @property
    def dated(self) -> bool:
        return bool(self.regex.groupindex.keys() & {"y", "yy"}) and "d" in self.regex.groupindex

    @property
    def timed(self) -> bool:
        return bool(self.regex.groupindex.keys() & {"H", "h"})


@lru_cache(maxsize=256)
def form_of(pattern: str) -> Form | None:
    """The pattern compiled, or None where it uses a letter that is not read.

    >>> form_of("yyyy-MM-dd") is None, form_of("EEE d MMM") is None
    (False, True)
    """
    pieces: list[str] = []
    for token in _TOKEN.finditer(pattern):
        quoted, letter, other = token.groups()
        text = token[0]
        if quoted is not None:
            pieces.append(re.escape(quoted.replace("''", "'") or "'"))
        elif other is not None or text == "T":  # T alone is no letter of the JDK, but everyone's separator
            pieces.append(re.escape(text))
        elif letter == "S":
            pieces.append(rf"(?P<S>\d{{{len(text)}}})")
        elif text in _PARTS:
            pieces.append(_PARTS[text])
        else:
            return None
    try:
        return Form(pattern, re.compile("".join(pieces)))
    except re.error:
        return None  # one part twice


def is_iso(pattern: str | None, kind: str) -> bool:
    """Whether every text of this form is ISO 8601, which is what a model's input is read from.

    >>> is_iso("yyyy-MM-dd", "date"), is_iso("dd.MM.yyyy", "date"), is_iso(None, "timestamp")
    (True, False, True)
    """
    if pattern is None or pattern == ISO:
        return True
    bare = pattern.replace("'", "").replace("uuuu", "yyyy")
    if kind == "date":
        return bare == "yyyy-MM-dd"
    return re.fullmatch(r"yyyy-MM-dd[T ]HH:mm(:ss(\.S{1,9})?(X{2,3}|Z)?)?", bare) is not None


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC, without a zone; one without a zone stays as it is."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def clock_of(moment: datetime) -> time:
    """The time of day in UTC.

    >>> clock_of(datetime(1970, 1, 2, 1, 30, tzinfo=timezone(timedelta(hours=2))))
    datetime.time(23, 30)
    """
    return in_utc(moment).time()


def _day(part: Mapping[str, str]) -> tuple[int, int, int]:
    year = int(part["y"]) if "y" in part else 2000 + int(part["yy"]) if "yy" in part else 1970
    month = _MONTHS.get(part["name"], 0) if "name" in part else int(part.get("M", 1))
    return year, month, int(part.get("d", 1))


def _clock(part: Mapping[str, str]) -> tuple[int, int, int, int]:
    hour = int(part.get("H", 0))
    if "h" in part:
        twelve = int(part["h"])
        if not 1 <= twelve <= 12:
            raise ValueError("no hour of a twelve-hour clock")
        hour = twelve % 12 + (12 if part.get("a") == "PM" else 0)
    return hour, int(part.get("m", 0)), int(part.get("s", 0)), int(part.get("S", "0").ljust(6, "0")[:6])


def _zone(text: str | None) -> timezone | None:
    if text is None:
        return None
    if text == "Z":
        return UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    if int(digits[2:]) > 59:
        raise ValueError("no offset has more than 59 minutes")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(offset if text[0] == "+" else -offset)
