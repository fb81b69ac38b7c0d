"""The JSON Schemas that the standards publish, resolved on this disk alone."""

import json
import os
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

OURS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "schemas"


FORMATS = FormatChecker()  # of its own it leaves out those for which a further package is missing
URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")


@FORMATS.checks("uri")
def _uri(value: Any) -> bool:
    return bool(_uri_reference(value) and re.match(r"[A-Za-z][A-Za-z0-9+.-]*:.", value))


@FORMATS.checks("uri-reference")
def _uri_reference(value: Any) -> bool:
    return bool(URI.fullmatch(value))


@FORMATS.checks("date-time", raises=ValueError)
def _date_time(value: Any) -> bool:
    return bool(datetime.fromisoformat(value).tzinfo)


@FORMATS.checks("uuid", raises=ValueError)
def _uuid(value: Any) -> bool:
    return bool(str(UUID(value)) == value)


def folder() -> Path:
    """Beside the data sets."""
    found = Path(os.environ["FLYBALL_DATA"]).parent / "schemas"
    if not found.is_dir():
        pytest.skip("the published schemas are not there (schemas/ beside FLYBALL_DATA)")
    return found


@cache
def registry() -> Any:
    """Every schema under its `$id`; nothing is ever fetched."""
    files = [
        *(folder() / "openlineage").rglob("*.json"),
        *(folder() / "cdevents").rglob("*.json"),
        *OURS.glob("*.json"),
    ]
    loaded = [json.loads(path.read_text()) for path in files]
    named = [each for each in loaded if "$id" in each]
    resources = [(each["$id"], Resource.from_contents(each, default_specification=DRAFT202012)) for each in named]
    return Registry().with_resources(resources)


def check_openlineage(event: dict[str, Any]) -> None:
    """The event by the spec, and each facet by the schema that it names itself."""
    _check({"$ref": event["schemaURL"]}, event)
    places = [event["run"]["facets"], event["job"].get("facets", {})]
    for each in (*event["inputs"], *event["outputs"]):
        places += [each.get("facets", {}), each.get("inputFacets", {})]
    for facets in places:
        for facet in facets.values():
            _check({"$ref": facet["_schemaURL"]}, facet)


def check_cloudevent(event: dict[str, Any]) -> None:
    """The envelope by CloudEvents 1.0, what is in it by the schema of its CDEvents type."""
    schema = json.loads((folder() / "cloudevents" / "cloudevents.json").read_text())
    Draft7Validator(schema, format_checker=FORMATS).validate(event)
    inner = event["data"]
    kind = inner["context"]["type"]
    if "cdeventsx" in kind:
        _check({"$ref": inner["context"]["schemaUri"]}, inner)
        return
    _, _, subject, predicate, *_ = kind.split(".")
    _check(json.loads((folder() / "cdevents" / f"{subject}{predicate}.json").read_text()), inner)


def _check(schema: Any, instance: Any) -> None:
    Draft202012Validator(schema, registry=registry(), format_checker=FORMATS).validate(instance)
