"""A property of an ODCS schema object as a field: a column that a model can take, or one that is only checked.

The item of an array, the properties of an object, key and value of a map are fields themselves, at any depth.
"""

from collections.abc import Mapping, Sequence
from typing import Any, get_args

import msgspec

from flyball.contracts.odcs.findings import Finder
from flyball.contracts.odcs.options import ELEMENTS, options_of
from flyball.contracts.rows.values import EXPECTED, limit
from flyball.contracts.schema_faults import found, nearest
from flyball.contracts.yaml_text import Path
from flyball.core.contract import AnyKind, Column, Field, Kind
from flyball.core.service import Scalar

KINDS: tuple[str, ...] = get_args(Kind)
BEYOND: tuple[str, ...] = tuple(kind for kind in get_args(AnyKind) if kind not in KINDS)  # no model takes them
_SINCE_NEWEST = ("map", "vector")


def column_of(item: Mapping[str, Any], at: Path, version: str, findings: Finder) -> Field | None:
    """The column: a `Column` where a model can take it. None where it cannot be executed; why is in the findings."""
    name = item.get("name")
    if not isinstance(name, str) or not name:
        findings.fault((*at, "name"), "the name of the column", found(name), "add it")
        return None
    if item.get("semanticType") == "measure":
        findings.skip(at, f"{name}, a measure, is computed from columns and no column itself")
        return None
    physical = item.get("physicalName")
    if isinstance(physical, str) and physical != name:
        findings.skip((*at, "physicalName"), f"column {name} is read under this name, physicalName {physical}")
    field = field_of(item, name, at, version, findings)
    if field is None or field.kind not in KINDS:
        return field
    return Column(**msgspec.structs.asdict(field))


def field_of(item: Mapping[str, Any], name: str, at: Path, version: str, findings: Finder) -> Field | None:
    """A property, the item of an array, or the key or value of a map."""
    kind = item.get("logicalType")
    known = tuple(k for k in (*KINDS, *BEYOND) if version == "v3.2.0" or k not in _SINCE_NEWEST)
    if kind not in known:
        fix = nearest(kind, known) if kind is not None else "add it"
        findings.fault((*at, "logicalType"), f"one of {', '.join(known)}", found(kind), fix)
        return None
    options = options_of(item.get("logicalTypeOptions"), kind, (*at, "logicalTypeOptions"), version, findings)
    parts = _parts(item, kind, at, version, findings)
    if kind == "map" and parts and parts[0].kind != "string":
        findings.skip(at, f"map {name} with keys of logicalType {parts[0].kind}, which JSON cannot carry")
        return None
    needs = options.pop("needs", ())
    declared = {part.name for part in parts}
    parts = tuple(
        msgspec.structs.replace(part, required=True) if part.name in needs and kind == "object" else part
        for part in parts
    )
    sketch = Field(name=name, kind=kind, **options)
    return msgspec.structs.replace(
        sketch,
        required=item.get("required") is True,
        unique=item.get("unique") is True,
        primary_key=item.get("primaryKey") is True,
        primary_key_position=_position(item, at, findings),
        enum=_enum(item.get("enum"), sketch, (*at, "enum"), findings),
        needs=tuple(need for need in needs if need not in declared),
        fields=parts,
        classification=_text(item.get("classification")),
    )


def key_positions(columns: Sequence[Field], at: Path, findings: Finder) -> None:
    """Key columns that give positions give each one once."""
    places = [column.primary_key_position for column in columns if column.primary_key]
    given = [place for place in places if place is not None]
    if len(set(given)) < len(given) or (given and len(given) < len(places)):
        said = ", ".join("none" if place is None else str(place) for place in places)
        findings.fault((*at, "primaryKeyPosition"), "each key column at a position of its own", said)


def _position(item: Mapping[str, Any], at: Path, findings: Finder) -> int | None:
    place = item.get("primaryKeyPosition")
    if not isinstance(place, int) or isinstance(place, bool) or place == -1:
        return None  # -1 is the standard's way to say none
    if place < 1:
        findings.fault((*at, "primaryKeyPosition"), "a position from 1", found(place))
        return None
    return place if item.get("primaryKey") is True else None


def _parts(item: Mapping[str, Any], kind: str, at: Path, version: str, findings: Finder) -> tuple[Field, ...]:
    match kind:
        case "object":
            return _properties(item.get("properties"), (*at, "properties"), version, findings)
        case "array":
            inner = item.get("items")
            return _one(inner, "[]", (*at, "items"), version, findings) if isinstance(inner, dict) else ()
        case "map":
            return _entries(item.get("map"), (*at, "map"), version, findings)
        case "vector":
            options = item.get("logicalTypeOptions")
            said = options.get("elementType", "float32") if isinstance(options, dict) else "float32"
            element = ELEMENTS.get(said) if isinstance(said, str) else None
            if element is None:
                return ()  # told by the options
            bits = (0, 1) if said == "binary" else None
            return (Field(name="[]", kind=element[0], format=element[1], required=True, enum=bits),)
        case _:
            return ()


def _properties(given: Any, at: Path, version: str, findings: Finder) -> tuple[Field, ...]:
    parts: list[Field] = []
    for index, item in enumerate(given if isinstance(given, list) else []):
        if not isinstance(item, dict):
            continue  # told by the structure
        name = item.get("name")
        if not isinstance(name, str) or not name:
            findings.fault((*at, index, "name"), "the name of the property", found(name), "add it")
        elif any(part.name == name for part in parts):
            findings.fault((*at, index, "name"), "each property once", f"{name!r} again")
        else:
            parts += _one(item, name, (*at, index), version, findings)
    return tuple(parts)


def _entries(given: Any, at: Path, version: str, findings: Finder) -> tuple[Field, ...]:
    parts: list[Field] = []
    for name in ("key", "value"):
        inner = given.get(name) if isinstance(given, dict) else None
        if not isinstance(inner, dict):
            findings.fault((*at, name), f"what a {name} of the map is", found(inner), "add it")
            inner = {"logicalType": "string"}
        parts += _one(inner, name, (*at, name), version, findings)
    if parts and parts[0].name == "key":
        parts[0] = msgspec.structs.replace(parts[0], required=True)
    return tuple(parts)


def _one(item: Mapping[str, Any], name: str, at: Path, version: str, findings: Finder) -> tuple[Field, ...]:
    if item.get("quality"):
        findings.skip((*at, "quality"), f"quality inside of a nested column ({name})")
    if item.get("relationships"):
        findings.skip((*at, "relationships"), f"relationships inside of a nested column ({name})")
    field = field_of(item, name, at, version, findings)
    return () if field is None else (field,)


def _enum(values: Any, field: Field, at: Path, findings: Finder) -> tuple[Scalar, ...] | None:
    if not isinstance(values, list):
        return None  # absent, or told by the structure
    allowed: list[Scalar] = []
    for index, entry in enumerate(values):
        value = entry.get("value") if isinstance(entry, dict) else entry
        if limit(field, value) is None:
            findings.fault((*at, index, "value"), EXPECTED[field.kind], found(value))
        else:
            allowed.append(value)
    if not values:
        findings.fault(at, "at least one value", "an empty list", "remove the key")
    return tuple(allowed)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
