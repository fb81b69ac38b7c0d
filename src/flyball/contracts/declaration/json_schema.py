"""The JSON Schema of `service.yaml`, made from the records themselves, so that it cannot fall behind them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from flyball.contracts.declaration.descriptions import DESCRIPTIONS
from flyball.contracts.declaration.presets import NAMED
from flyball.contracts.durations import PATTERN, is_duration
from flyball.contracts.schema_faults import MARGIN
from flyball.core import measures
from flyball.core.service import Service
from flyball.stats.scoring.metrics import METRICS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_METRIC_KEYS = {("Experiment", "metric"), ("LiveMetric", "name")}
_MEASURED = {("Gate", "metric")}  # a metric, or a measure of a suite or of the clock
_PRESETS = {(each.section.title(), each.key): each.presets for each in NAMED}  # a section's record has its name
_MARGINS = {
    ("Gate", "not_worse_by"),
    ("Gate", "better_by"),
    ("LiveMetric", "max_loss"),
    ("MetricGuardrail", "max_loss"),
    ("OffPolicyTest", "max_loss"),
}


def service_schema() -> dict[str, Any]:
    """For editors: descriptions, metric names, and durations as a number of seconds or text such as `10m`.

    >>> service_schema()["$schema"]
    'https://json-schema.org/draft/2020-12/schema'
    """
    schema = resolved_schema()
    for name, definition in schema["$defs"].items():
        definition.setdefault("description", f"{name} of a service.")
        for key, value in definition.get("properties", {}).items():
            if is_duration(key):
                value = definition["properties"][key] = _or_duration(value)
            if (name, key) in _PRESETS:
                value = definition["properties"][key] = _or_preset(value, _PRESETS[name, key])
            value["description"] = DESCRIPTIONS[name][key]
    return {
        "$schema": DIALECT,
        "title": "Flyball service",
        "description": "Declaration of one model service: data, experiment, serving, and the bounds of autonomy.",
        **schema,
    }


def resolved_schema() -> dict[str, Any]:
    """For checking after durations have been turned into seconds."""
    schema: dict[str, Any] = msgspec.json.schema(Service)
    for name, definition in schema["$defs"].items():
        properties = definition.get("properties", {})
        for key in properties:
            if (name, key) in _METRIC_KEYS:
                properties[key] = {"enum": sorted(METRICS)}
            elif (name, key) in _MEASURED:
                properties[key] = _measured()
            elif (name, key) in _MARGINS:
                properties[key] = _margin(properties[key])
    _exactly_one(schema["$defs"]["Step"])
    return schema


def _measured() -> dict[str, Any]:
    """Metrics by name, measures by their form."""
    return {
        "anyOf": [
            {"enum": sorted(METRICS)},
            {
                "type": "string",
                "pattern": measures.PATTERN,
                "title": "a measure such as slice.worst.accuracy or latency_p99_ms",
            },
            {"type": "null"},
        ],
        "default": None,
    }


def _or_duration(value: dict[str, Any]) -> dict[str, Any]:
    branches = value.pop("anyOf", None) or [{key: value.pop(key) for key in list(value) if key != "default"}]
    return {"anyOf": [*branches, {"type": "string", "pattern": PATTERN}], **value}


def _or_preset(value: dict[str, Any], presets: Mapping[str, Any]) -> dict[str, Any]:
    """Beside what may stand there else, the names. Args: value: of the property; its default stays."""
    shape = {key: value.pop(key) for key in ("$ref", "anyOf", "type", "items") if key in value}
    return {"anyOf": [shape, {"enum": list(presets)}], **value}


def _margin(value: dict[str, Any]) -> dict[str, Any]:
    for branch in value["anyOf"]:
        match branch.get("type"):
            case "number":
                branch["minimum"] = 0
            case "string":
                branch["pattern"] = MARGIN
    return value


def _exactly_one(step: dict[str, Any]) -> None:
    """Optional fields of which one is given: no nulls, so that `promote:` without `{}` is told."""
    step["properties"] = {key: value["anyOf"][0] for key, value in step["properties"].items()}
    step |= {"minProperties": 1, "maxProperties": 1}
