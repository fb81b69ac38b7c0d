"""What a JSON Schema has against a value, said for people: every fault with its path, what was expected and a fix."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from flyball.contracts.durations import is_duration
from flyball.contracts.yaml_text import Document, Path
from flyball.core.errors import Fault

MARGIN = r"^\d+(\.\d+)?%$"  # text form of a margin: a share of the value it is compared with
NAMES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping",
    "array": "a list",
    "null": "nothing",
}


def _is_whole(_checker: Any, value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


# JSON Schema takes 300.0 for an integer; our records do not
_TYPES = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole)
_Validator: type[Validator] = extend(Draft202012Validator, type_checker=_TYPES)  # type: ignore[no-untyped-call]


def faults(
    document: Document, data: Any, schema: Mapping[str, Any], *, most: int | None = None
) -> list[tuple[Path, Fault]]:
    """Every fault of `data`, in the order of the paths; the path is that of the value to blame.

    Args: most: of a stranger's document, after how many to stop looking.
    """
    validator = _Validator(dict(schema))
    pairs = (pair for error in validator.iter_errors(data) for pair in _said(document, error, schema))
    found = list(islice(pairs, most))
    return sorted(found, key=lambda pair: [f"{part:09}" if isinstance(part, int) else part for part in pair[0]])


def nearest(name: object, known: Iterable[object]) -> str:
    """`did you mean x?`, or nothing where nothing is near.

    >>> nearest("wieght", ["weight", "min_s"])
    'did you mean weight?'
    """
    near = difflib.get_close_matches(str(name), [str(item) for item in known], n=1)
    return f"did you mean {near[0]}?" if near else ""


def describe(schema: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    """A schema in words.

    >>> describe({"type": "number", "minimum": 0, "maximum": 1}, {})
    'a number, at least 0, at most 1'
    """
    schema = _resolved(schema, root)
    if "title" in schema and "pattern" in schema:
        return str(schema["title"])
    if "enum" in schema:
        options = [str(option) for option in schema["enum"]]
        return options[0] if len(options) == 1 else f"one of {', '.join(options)}"
    if "const" in schema:
        return str(schema["const"])
    if "anyOf" in schema:
        branches = [describe(branch, root) for branch in schema["anyOf"] if branch.get("type") != "null"]
        return " or ".join(dict.fromkeys(branches))
    if schema.get("pattern") == MARGIN:
        return "a percentage such as 2%"
    parts = [NAMES.get(str(schema.get("type")), "a value")]
    if "properties" in schema:
        parts[0] = f"a mapping with {', '.join(schema.get('required') or schema['properties']) or 'no keys'}"
    for keyword, words in _BOUNDS.items():
        if keyword in schema:
            parts.append(f"{words} {schema[keyword]}")
    return ", ".join(parts)


_BOUNDS = {
    "minimum": "at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
    "pattern": "matching",
}


def _said(document: Document, error: ValidationError, root: Mapping[str, Any]) -> Iterator[tuple[Path, Fault]]:
    path: Path = tuple(error.absolute_path)
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    value: Any = error.instance
    match error.validator:
        case "additionalProperties":
            known = list(schema.get("properties", {}))
            for key in value:
                if key not in known:
                    at = (*path, key)
                    yield at, document.fault(at, f"one of {', '.join(known)}", "an unknown key", nearest(key, known))
        case "required":
            missing = str(error.message).split("'")[1]
            at = (*path, missing)
            wanted = describe(schema.get("properties", {}).get(missing, {}), root)
            yield at, document.fault(at, wanted, "nothing", "add it")
        case "maxProperties" | "minProperties":
            known = list(schema.get("properties", {}))
            keys = ", ".join(value) or "none"
            yield path, document.fault(path, f"exactly one of {', '.join(known)}", keys)
        case "anyOf":
            inner = _branch_meant(error)
            # a text of the wrong form was perhaps meant as another branch: all are named
            if any(tuple(part.absolute_path) != path or part.validator != "pattern" for part in inner):
                for part in inner:
                    yield from _said(document, part, root)
            else:
                yield path, _plain(document, path, schema, value, root)
        case _:
            yield path, _plain(document, path, schema, value, root)


def _plain(document: Document, path: Path, schema: Mapping[str, Any], value: Any, root: Mapping[str, Any]) -> Fault:
    expected = describe(schema, root)
    if path and is_duration(path[-1]):
        expected = f"{expected.replace('a number', 'seconds')}, or a duration such as 10m, 24h, 7d"
    options = [option for branch in (schema, *schema.get("anyOf", ())) for option in branch.get("enum", ())]
    fix = nearest(value, options) if options and isinstance(value, str) else ""
    if schema.get("type") == "string" and isinstance(value, (int, float)):
        fix = f'quote it: "{value}"'
    return document.fault(path, expected, found(value), fix)


def found(value: Any) -> str:
    """A value as a fault shows it: short, with its type where that is the point.

    >>> found("x"), found(None), found([1, 2]), found(True)
    ("text 'x'", 'nothing', 'a list of 2', 'true')
    """
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f"text {value[:60]!r}"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return f"a mapping with {', '.join(map(str, value)) or 'no keys'}"
        case _:
            return str(value)


def _branch_meant(error: ValidationError) -> list[ValidationError]:
    """The errors of the one branch whose type fits the value; none if no branch or several do."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    here = error.absolute_path
    meant = [
        errors
        for errors in branches.values()
        if not any(e.validator in ("type", "enum", "const") and e.absolute_path == here for e in errors)
    ]
    return meant[0] if len(meant) == 1 else []


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref")
    return root.get("$defs", {}).get(str(name).rsplit("/", 1)[-1], {}) if name else schema
