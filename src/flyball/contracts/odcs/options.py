"""`logicalTypeOptions` of ODCS: which each logical type has, and what a value of one must be."""

import re
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from flyball.contracts.odcs.findings import Finder, is_pattern
from flyball.contracts.rows.date_forms import ISO, form_of
from flyball.contracts.rows.formats import TEXTS, WHOLE
from flyball.contracts.rows.values import EXPECTED, limit
from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.yaml_text import Path
from flyball.core.contract import AnyKind, Field

_BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_CLOCK = (*_BOUNDS, "format", "timezone", "defaultTimezone")
OPTIONS: Mapping[AnyKind, tuple[str, ...]] = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "integer": (*_BOUNDS, "multipleOf", "format"),
    "number": (*_BOUNDS, "multipleOf", "format"),
    "boolean": (),
    "date": (*_BOUNDS, "format"),
    "timestamp": _CLOCK,
    "time": _CLOCK,
    "object": ("minProperties", "maxProperties", "required"),
    "array": ("minItems", "maxItems", "uniqueItems"),
    "map": (),
    "vector": (
        "dimensions", "elementType", "normalized", "distanceMetric", "embeddingModel", "embeddingModelVersion",
    ),
}  # fmt: skip
_COUNTS = frozenset({"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "dimensions"})
_FLAGS = frozenset({"uniqueItems", "normalized", "timezone"})
_TOLD = frozenset({"distanceMetric", "embeddingModel", "embeddingModelVersion"})  # they describe, and promise nothing
_RENAMED = {"required": "needs", "defaultTimezone": "default_timezone"}
ELEMENTS: Mapping[str, tuple[AnyKind, str | None]] = {  # of a vector: kind and format of its items
    "bfloat16": ("number", "bf16"),
    "binary": ("integer", None),
    "float16": ("number", "f16"),
    "float32": ("number", "f32"),
    "float64": ("number", "f64"),
    "int8": ("integer", "i8"),
    "uint8": ("integer", "u8"),
}


def options_of(given: Any, kind: AnyKind, at: Path, version: str, findings: Finder) -> dict[str, Any]:
    """The options as fields of `core.contract.Field`; faults and what is not executed go to the findings."""
    options = given if isinstance(given, dict) else {}
    made: dict[str, Any] = {}
    for key in sorted(options, key=lambda key: key in _BOUNDS):  # a format comes before the bounds written in it
        value, here = options[key], (*at, key)
        if key not in OPTIONS[kind]:
            known = OPTIONS[kind]
            findings.fault(here, f"one of {', '.join(known) or '(none)'}", f"no option of {kind}", nearest(key, known))
        elif isinstance(value, bool) and key.startswith("exclusive") and version.startswith("v3.0"):
            continue  # v3.0 marks the bound itself as exclusive; below
        elif key not in _TOLD and key != "elementType":
            _read(key, value, kind, here, made, findings)
        elif key == "elementType" and (not isinstance(value, str) or value not in ELEMENTS):
            findings.fault(here, f"one of {', '.join(ELEMENTS)}", found(value), nearest(value, ELEMENTS))
    if version.startswith("v3.0"):
        _mark_exclusive(options, made)
    if kind == "vector" and "dimensions" not in options:
        findings.fault((*at, "dimensions"), "how many numbers a vector has", "nothing", "add it")
    _crossed(made, kind, at, findings)
    return made


def _read(key: str, value: Any, kind: AnyKind, here: Path, made: dict[str, Any], findings: Finder) -> None:
    if key in _COUNTS:
        least = 1 if key == "dimensions" else 0
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            findings.fault(here, f"a whole number from {least}", found(value))
            return
    elif key in _FLAGS:
        if not isinstance(value, bool):
            findings.fault(here, "true or false", found(value))
            return
    elif key == "pattern":
        if not is_pattern(value, here, findings):
            return
    elif key == "multipleOf":
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            findings.fault(here, "a number above 0", found(value))
            return
        value = float(value)
    elif key == "required":
        if not isinstance(value, list) or not value or not all(isinstance(name, str) for name in value):
            findings.fault(here, "a list of property names", found(value))
            return
        value = tuple(value)
    elif key == "format":
        value = _format(value, kind, here, findings)
        if value is None:
            return
    elif key == "defaultTimezone":
        value = _zone(value, kind, here, findings)
        if value is None:
            return
    elif limit(_sketch(kind, made), value) is None:
        findings.fault(here, EXPECTED[kind], found(value))
        return
    else:
        value = value if isinstance(value, str) else float(value)
    made[_RENAMED.get(key) or re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), key)] = value


def _sketch(kind: AnyKind, made: Mapping[str, Any]) -> Field:
    """As much of the field as its bounds are read with."""
    return Field(name="", kind=kind, format=made.get("format"), default_timezone=made.get("default_timezone"))


def _format(value: Any, kind: AnyKind, here: Path, findings: Finder) -> str | None:
    """The format, if it is executed."""
    if not isinstance(value, str):
        findings.fault(here, "text", found(value))
    elif kind == "integer":
        if value in WHOLE:
            return value
        findings.fault(here, f"one of {', '.join(sorted(WHOLE))}", found(value), nearest(value, WHOLE))
    elif kind == "number":
        if value in ("f32", "f64"):
            return value
        findings.fault(here, "f32 or f64", found(value))
    elif kind == "string":
        if value in TEXTS:
            return value
        findings.skip(here, f"format {value}")
    else:
        form = form_of(value)
        if value == ISO or (form is not None and (form.timed if kind == "time" else form.dated)):
            return value
        findings.skip(here, f"format {value}")
    return None


def _zone(value: Any, kind: AnyKind, here: Path, findings: Finder) -> str | None:
    """The zone, if there is one of that name and it changes anything."""
    try:
        ZoneInfo(value if isinstance(value, str) else "")
    except (ValueError, OSError, KeyError):
        findings.fault(here, "the name of a time zone such as Europe/Oslo", found(value))
        return None
    if value in ("UTC", "Etc/UTC"):
        return None  # what a text without an offset is read in anyway
    if kind == "time":
        findings.skip(here, f"defaultTimezone {value} of a time, which without its day has no offset")
        return None
    return str(value)


def _mark_exclusive(options: Mapping[str, Any], made: dict[str, Any]) -> None:
    for side in ("minimum", "maximum"):
        if options.get(f"exclusive{side.capitalize()}") is True and side in made:
            made[f"exclusive_{side}"] = made.pop(side)


def _crossed(made: dict[str, Any], kind: AnyKind, at: Path, findings: Finder) -> None:
    """A range that nothing can lie in is a slip of the pen, not a promise."""
    sketch = _sketch(kind, made)
    low = [limit(sketch, made[key]) for key in ("minimum", "exclusive_minimum") if key in made]
    high = [limit(sketch, made[key]) for key in ("maximum", "exclusive_maximum") if key in made]
    if low and high and max(low) > min(high):
        findings.fault(at, "a minimum below the maximum", f"{max(low)} above {min(high)}")
    for what in ("Length", "Items", "Properties"):
        least, most = made.get(f"min_{what.lower()}", 0), made.get(f"max_{what.lower()}", float("inf"))
        if least > most:
            findings.fault(at, f"min{what} at most max{what}", f"{least} above {most}")
