"""Durations in files: seconds, or `10m`, `24h`, `7d`. Inside, a duration is always a number of seconds."""

import re
from typing import Any

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
PATTERN = r"^\d+(\.\d+)?(ms|s|m|h|d|w)$"

YEAR_S, MONTH_S = 365.2425 * 86_400.0, 365.2425 * 86_400.0 / 12  # of the calendar, on average
_UNITS = {  # of service levels, as ODCS leaves them to "the ISO standard" and to habit; `m` alone has two meanings
    "ms": 0.001, "millisecond": 0.001,
    "s": 1.0, "sec": 1.0, "second": 1.0,
    "min": 60.0, "minute": 60.0,
    "h": 3_600.0, "hr": 3_600.0, "hour": 3_600.0,
    "d": 86_400.0, "day": 86_400.0,
    "w": 604_800.0, "wk": 604_800.0, "week": 604_800.0,
    "mo": MONTH_S, "mon": MONTH_S, "month": MONTH_S,
    "y": YEAR_S, "a": YEAR_S, "yr": YEAR_S, "year": YEAR_S,
}  # fmt: skip
_ISO = re.compile(
    r"P(?!$)(?:([\d.,]+)Y)?(?:([\d.,]+)M)?(?:([\d.,]+)W)?(?:([\d.,]+)D)?"
    r"(?:T(?!$)(?:([\d.,]+)H)?(?:([\d.,]+)M)?(?:([\d.,]+)S)?)?\Z"
)


def is_duration(key: str | int) -> bool:
    """Whether a key holds a duration: its name ends in its unit.

    >>> is_duration("cooldown_s"), is_duration("latency_p99_ms"), is_duration("steps")
    (True, False, False)
    """
    return isinstance(key, str) and key.endswith("_s")


def seconds(text: str) -> float | None:
    """The duration that a text says, in seconds; None if it says none.

    >>> seconds("10m"), seconds("1.5h"), seconds("soon")
    (600.0, 5400.0, None)
    """
    if not re.match(PATTERN, text):
        return None
    unit = text.lstrip("0123456789.")
    return float(text.removesuffix(unit)) * SECONDS[unit]


def unit_seconds(unit: str) -> float | None:
    """How many seconds a unit of a service level has; None where it is none, or has two meanings.

    >>> unit_seconds("Days"), unit_seconds("min"), unit_seconds("m"), unit_seconds("P1D")
    (86400.0, 60.0, None, 86400.0)
    """
    name = unit.strip().lower()
    found = _UNITS.get(name, _UNITS.get(name.removesuffix("s")))
    return iso_seconds(unit.strip()) if found is None else found


def iso_seconds(text: str) -> float | None:
    """An ISO 8601 duration in seconds; a year and a month have their mean length.

    >>> iso_seconds("P1DT2H"), iso_seconds("PT0.5S"), iso_seconds("P2W"), iso_seconds("P"), iso_seconds("4 d")
    (93600.0, 0.5, 1209600.0, None, None)
    """
    parts = _ISO.match(text)
    if parts is None:
        return None
    lengths = (YEAR_S, MONTH_S, 604_800.0, 86_400.0, 3_600.0, 60.0, 1.0)
    try:
        counts = [float(part.replace(",", ".")) for part in parts.groups("0")]
    except ValueError:
        return None  # 1.2.3
    return sum(count * length for count, length in zip(counts, lengths, strict=True))


def resolved(value: Any, key: str | int = "") -> Any:
    """The same value with every readable duration turned into seconds; unreadable ones stay, to be reported.

    What lies under a key `config` belongs to the user's code and stays as it is written.

    >>> resolved({"retrain": {"cooldown_s": "24h", "note": "24h"}})
    {'retrain': {'cooldown_s': 86400.0, 'note': '24h'}}
    """
    match value:
        case dict() if key != "config":
            return {name: resolved(item, name) for name, item in value.items()}
        case list():
            return [resolved(item) for item in value]
        case str() if is_duration(key):
            found = seconds(value)
            return value if found is None else found
        case _:
            return value
