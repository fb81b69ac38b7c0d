"""Durations in files: seconds, or `10m`, `24h`, `7d`. Inside, a duration is always a number of seconds."""

import re
from typing import Any

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
PATTERN = r"^\d+(\.\d+)?(ms|s|m|h|d|w)$"


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
