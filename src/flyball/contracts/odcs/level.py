"""`slaProperties` of ODCS as levels that can be judged: names, units and elements, each written in many ways."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flyball.contracts.durations import iso_seconds, unit_seconds
from flyball.contracts.odcs.findings import Finder
from flyball.contracts.rows.values import parse_date, parse_timestamp
from flyball.contracts.schema_faults import found
from flyball.contracts.yaml_text import Path
from flyball.core.contract import Field, ServiceLevel

DURATIONS = ("latency", "freshness", "frequency", "retention", "timeToDetect", "timeToNotify", "timeToRepair")
OF_COLUMN = ("latency", "freshness", "frequency", "retention")
SHARES = ("availability", "errorRate")
DATES = ("generalAvailability", "endOfSupport", "endOfLife")
NAMES = (*DURATIONS, *SHARES, *DATES, "throughput")
SHORT: Mapping[str, str] = {
    "av": "availability", "th": "throughput", "er": "errorRate", "ga": "generalAvailability", "es": "endOfSupport",
    "el": "endOfLife", "re": "retention", "fy": "frequency", "ly": "latency", "td": "timeToDetect",
    "tn": "timeToNotify", "tr": "timeToRepair", "fr": "freshness",
}  # fmt: skip
_CANONICAL = {name.lower(): name for name in NAMES} | dict(SHORT)
PERCENT = frozenset({"percent", "%", "pct"})


def canonical(name: str) -> str | None:
    """The name of a service level however it is written; None where it means nothing to us.

    >>> canonical("time_to_detect"), canonical("ly"), canonical("odd")
    ('timeToDetect', 'latency', None)
    """
    return _CANONICAL.get(re.sub(r"[\s_-]", "", name).lower())


def levels_of(
    given: Any, default_element: Any, table: str, columns: Sequence[Field], findings: Finder
) -> list[ServiceLevel]:
    """The levels of this table; those of other tables, and names that mean nothing to us, are listed."""
    levels: list[ServiceLevel] = []
    for index, item in enumerate(given if isinstance(given, list) else []):
        if not isinstance(item, dict):
            continue  # told by the structure
        at: Path = ("slaProperties", index)
        name = canonical(str(item.get("property")))
        if name is None:
            findings.skip(at, f"service level {item.get('property', '?')}")
            continue
        elements = item.get("element") or (default_element if name in OF_COLUMN else None)
        parts = [part.strip() for part in str(elements).split(",")] if elements else [""]
        for element in parts:
            level = _level(name, item, element, table, columns, at, findings)
            levels += [] if level is None else [level]
    return levels


def _level(
    name: str, item: dict[str, Any], element: str, table: str, columns: Sequence[Field], at: Path, findings: Finder
) -> ServiceLevel | None:
    owner, _, column = element.rpartition(".")
    if owner and owner != table:
        findings.skip(at, f"service level {name} of {element}, another table")
        return None
    if name in OF_COLUMN:
        kinds = {field.name: field.kind for field in columns}
        if not column:
            times = [known for known, kind in kinds.items() if kind in ("timestamp", "date")]
            column = times[0] if len(times) == 1 else ""
        if not column:
            findings.skip(at, f"service level {name} without an element to measure it on")
            return None
        if kinds.get(column) not in ("timestamp", "date"):
            expected = f"a column of dates or timestamps, as {table}.column"
            findings.fault((*at, "element"), expected, found(element), "name the column it is measured on")
            return None
    limit = _limit(name, item, at, findings)
    if limit is None:
        return None
    said = f"{item.get('value')} {item.get('unit') or ''}".strip()
    label = str(item.get("id") or (f"{name} of {column}" if column and name in OF_COLUMN else name))
    return ServiceLevel(id=label, name=name, limit=limit, table=table, column=column or None, said=said)


def _limit(name: str, item: dict[str, Any], at: Path, findings: Finder) -> float | None:
    value, unit = item.get("value"), item.get("unit")
    here = (*at, "value")
    if name in DATES:
        moment = _epoch(value) if isinstance(value, str) else None
        if moment is None:
            findings.fault(here, "a date or a timestamp", found(value))
        return moment
    if isinstance(value, str) and name in DURATIONS and (iso := iso_seconds(value)) is not None:
        return iso
    percent = isinstance(value, str) and value.strip().endswith("%")
    number = number_of(value)
    if number is None or number < 0:
        findings.fault(
            here, "a number from 0" + (", or an ISO 8601 duration" if name in DURATIONS else ""), found(value)
        )
        return None
    if name in SHARES:
        return _share(number, percent or str(unit).lower() in PERCENT, unit, at, findings)
    if name == "throughput":
        return number if unit in (None, "rows/s", "rps", "1/s") else _other_unit(unit, "rows/s", at, findings)
    if str(unit) == "m":
        findings.fault((*at, "unit"), "a unit with one meaning", "m: minutes or months?", "write min or mo")
        return None
    factor = unit_seconds(unit) if isinstance(unit, str) else None
    if factor is None:
        findings.fault((*at, "unit"), "a unit of time: s, min, h, d, w, mo, y", found(unit))
        return None
    return number * factor


def _share(number: float, percent: bool, unit: Any, at: Path, findings: Finder) -> float | None:
    """As 0..1. A bare number from 1 on has two meanings: 1 of availability may be all, or a hundredth."""
    if unit is not None and not percent:
        return _other_unit(unit, "percent", at, findings)
    if not percent and number >= 1:
        what = f"{number:g}: of 1, or percent?"
        findings.fault((*at, "value"), "a share below 1, or unit percent", what, "write unit: percent")
        return None
    share = share_of(number) if percent else number
    if share > 1:
        findings.fault((*at, "value"), "at most 100 percent", f"{number:g}")
        return None
    return share


def share_of(percent: float) -> float:
    """
    >>> share_of(99.9), 99.9 / 100
    (0.999, 0.9990000000000001)
    """
    return float(Decimal(str(percent)) / 100)


def _other_unit(unit: Any, expected: str, at: Path, findings: Finder) -> float | None:
    findings.fault((*at, "unit"), expected, found(unit))
    return None


def number_of(value: Any) -> float | None:
    """A number, or a text that says one, a percent sign aside; None where it is neither.

    >>> number_of("99.9 %"), number_of(3), number_of(True)
    (99.9, 3.0, None)
    """
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value.strip().removesuffix("%")) if isinstance(value, str) else float(value)
    except (ValueError, TypeError, AttributeError):
        return None
    return number if abs(number) < float("inf") else None


def _epoch(text: str) -> float | None:
    """Seconds since 1970."""
    day = parse_date(text)
    moment = parse_timestamp(text) if day is None else datetime(day.year, day.month, day.day)
    return None if moment is None else moment.replace(tzinfo=UTC).timestamp()
