"""The reference page's tables, made from the schema: key, what it may be, default, meaning."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from flyball.contracts.declaration.json_schema import resolved_schema, service_schema
from flyball.contracts.durations import is_duration
from flyball.contracts.schema_faults import describe


def tables() -> str:
    """Markdown: one table for each section of `service.yaml`, in the order of the file.

    >>> tables().splitlines()[0]
    '### (top level)'
    """
    schema = resolved_schema()
    texts = service_schema()["$defs"]
    sections = []
    for path, name in _sections(schema, "Service", ""):
        definition = schema["$defs"][name]
        lines = [f"### {path or '(top level)'}", "", "| key | value | default | meaning |", "|---|---|---|---|"]
        for key, value in definition["properties"].items():
            said = texts[name]["properties"][key]["description"]
            required = key in definition.get("required", ())
            lines.append(f"| `{key}` | {_value(key, value, schema)} | {_default(value, required)} | {said} |")
        sections.append("\n".join(lines))
    return "\n\n".join(sections) + "\n"


def _sections(schema: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, str]]:
    properties = schema["$defs"][name].get("properties", {})
    if properties:
        yield path, name
    for key, value in properties.items():
        for inner, many in _references(value):
            yield from _sections(schema, inner, f"{path}.{key}".lstrip(".") + ("[]" if many else ""))


def _references(value: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    if "$ref" in value:
        yield value["$ref"].rsplit("/", 1)[-1], False
    for branch in value.get("anyOf", ()):
        yield from _references(branch)
    if isinstance(value.get("items"), dict):
        yield from ((name, True) for name, _ in _references(value["items"]))


def _value(key: str, value: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if any(_references(value)):
        return "see below"
    words = describe(value, schema)
    if is_duration(key):
        words = words.replace("a number", "seconds, or `10m`, `24h`, `7d`")
    return words.replace("|", "\\|")


def _default(value: Mapping[str, Any], required: bool) -> str:
    if required:
        return "required"
    if "default" not in value:
        return ""
    default = value["default"]
    return "none" if default is None else f"`{msgspec.json.encode(default).decode()}`"
