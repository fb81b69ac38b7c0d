"""One property of an ODCS schema as an executable column."""

import re
from collections.abc import Mapping
from typing import Any, Protocol, get_args

from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.values import EXPECTED, bound
from flyball.contracts.yaml_text import Path
from flyball.core.contract import Column, Kind
from flyball.core.service import Scalar

KINDS: tuple[str, ...] = get_args(Kind)
BEYOND = ("time", "object", "array", "map", "vector")  # logical types of ODCS that no model of ours takes
_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern"),
    "integer": (*_BOUNDS, "multipleOf"),
    "number": (*_BOUNDS, "multipleOf"),
    "boolean": (),
    "date": _BOUNDS,
    "timestamp": _BOUNDS,
}
_SKIPPED = ("format", "timezone", "defaultTimezone")


class Findings(Protocol):
    """Where faults and unexecuted promises go."""

    def fault(self, path: Path, expected: str, what: str, fix: str = "") -> None: ...

    def skip(self, path: Path, what: str) -> None: ...


def column_of(item: Mapping[str, Any], at: Path, version: str, findings: Findings) -> Column | None:
    """The column, or None where it cannot be executed; why is in the findings."""
    name, kind = item.get("name"), item.get("logicalType")
    if not isinstance(name, str) or not name:
        findings.fault((*at, "name"), "the name of the column", found(name), "add it")
        return None
    if kind in BEYOND:
        findings.skip(at, f"column {name} of logicalType {kind}")
        return None
    if kind not in KINDS:
        fix = nearest(kind, KINDS) if kind is not None else "add it"
        findings.fault((*at, "logicalType"), f"one of {', '.join((*KINDS, *BEYOND))}", found(kind), fix)
        return None
    _list_skipped(item, name, at, findings)
    options = item.get("logicalTypeOptions")
    options = options if isinstance(options, dict) else {}
    limits = _limits(options, kind, (*at, "logicalTypeOptions"), version, findings)
    return Column(
        name=name,
        kind=kind,
        required=item.get("required") is True,
        unique=item.get("unique") is True,
        primary_key=item.get("primaryKey") is True,
        enum=_enum(item.get("enum"), kind, (*at, "enum"), findings),
        classification=_text(item.get("classification")),
        **limits,
    )


def _list_skipped(item: Mapping[str, Any], name: str, at: Path, findings: Findings) -> None:
    if item.get("relationships"):
        findings.skip((*at, "relationships"), f"relationships of {name}")
    physical = item.get("physicalName")
    if isinstance(physical, str) and physical != name:
        findings.skip((*at, "physicalName"), f"column {name} is read under this name, physicalName {physical}")


def _limits(options: dict[str, Any], kind: Kind, at: Path, version: str, findings: Findings) -> dict[str, Any]:
    known = _OPTIONS[kind]
    limits: dict[str, Any] = {}
    for key, value in options.items():
        here: Path = (*at, key)
        if key in _SKIPPED:
            findings.skip(here, f"{key} {value}")
        elif key not in known:
            findings.fault(
                here, f"one of {', '.join((*known, *_SKIPPED))}", f"no option of {kind}", nearest(key, known)
            )
        elif key in ("minLength", "maxLength"):
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                findings.fault(here, "a whole number from 0", found(value))
            else:
                limits["min_length" if key == "minLength" else "max_length"] = value
        elif key == "pattern":
            if is_pattern(value, here, findings):
                limits["pattern"] = value
        elif key == "multipleOf":
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
                findings.fault(here, "a number above 0", found(value))
            else:
                limits["multiple_of"] = float(value)
        elif isinstance(value, bool) and key.startswith("exclusive") and version.startswith("v3.0"):
            continue  # v3.0 marks the bound itself as exclusive; below
        elif bound(kind, value) is None:
            findings.fault(here, EXPECTED[kind], found(value))
        else:
            limits[_field(key)] = value if isinstance(value, str) else float(value)
    if version.startswith("v3.0"):
        _mark_exclusive(options, limits)
    _crossed(limits, kind, at, findings)
    return limits


def _field(key: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), key)


def _mark_exclusive(options: dict[str, Any], limits: dict[str, Any]) -> None:
    for side in ("minimum", "maximum"):
        if options.get(f"exclusive{side.capitalize()}") is True and side in limits:
            limits[f"exclusive_{side}"] = limits.pop(side)


def _crossed(limits: dict[str, Any], kind: Kind, at: Path, findings: Findings) -> None:
    """A range that nothing can lie in is a slip of the pen, not a promise."""
    low = [bound(kind, limits[key]) for key in ("minimum", "exclusive_minimum") if key in limits]
    high = [bound(kind, limits[key]) for key in ("maximum", "exclusive_maximum") if key in limits]
    if low and high and max(low) > min(high):
        findings.fault(at, "a minimum below the maximum", f"{max(low)} above {min(high)}")
    if limits.get("min_length", 0) > limits.get("max_length", float("inf")):
        findings.fault(at, "minLength at most maxLength", f"{limits['min_length']} above {limits['max_length']}")


def is_pattern(value: Any, at: Path, findings: Findings) -> bool:
    if not isinstance(value, str):
        findings.fault(at, "a regular expression", found(value))
        return False
    try:
        re.compile(value)
    except re.error as error:
        findings.fault(at, "a regular expression", f"{value!r}: {error}")
        return False
    return True


def _enum(values: Any, kind: Kind, at: Path, findings: Findings) -> tuple[Scalar, ...] | None:
    if not isinstance(values, list):
        return None  # absent, or told by the structure
    allowed: list[Scalar] = []
    for index, entry in enumerate(values):
        value = entry.get("value") if isinstance(entry, dict) else entry
        if bound(kind, value) is None:
            findings.fault((*at, index, "value"), EXPECTED[kind], found(value))
        else:
            allowed.append(value)
    if not values:
        findings.fault(at, "at least one value", "an empty list", "remove the key")
    return tuple(allowed)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
