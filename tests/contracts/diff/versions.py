"""Random contracts as people write them, random rows for them, and how to ask a contract about a row."""

import json
from typing import Any

from hypothesis import strategies as st

from flyball.contracts.diff.edition import Edition, read_edition
from flyball.contracts.rows.compiled import CompiledRows
from flyball.core.contract import DataContract

NUMBERS = st.sampled_from([-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 1e9])
TEXTS = st.sampled_from(["", "a", "ab", "abc", "b1", "2026-11-21"])
DAYS = st.sampled_from(["2026-01-01", "2026-06-30", "2026-11-21"])
MOMENTS = st.sampled_from(["2026-01-01T00:00:00", "2026-06-30T12:00:00Z", "2026-11-21T10:00:00+02:00"])
LIMITS = st.integers(-2, 3)
POOL: list[Any] = [
    None,
    *(-3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2**63, -(2**63)),
    *(-2.0, -1.5, -1.0, -0.5, 0.0, 0.05, 0.1, 0.25, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 4.5, 5.0, 5.5, 7.25, 7.5, 8.5, 9.0),
    *(float("inf"), float("-inf"), float("nan"), 1e9, 1e300),
    *("", "a", "b", "ab", "abc", "abcd", "b1", "a-", "-", "2026-02-30"),
    *("2025-12-31", "2026-01-01", "2026-06-30", "2026-11-20", "2026-11-21", "2026-11-22"),
    *(
        "2025-06-01T00:00:00",
        "2026-03-01T00:00:00",
        "2026-01-01T00:00:00",
        "2026-06-30T12:00:00Z",
        "2026-11-21T10:00:00+02:00",
        "2026-11-21T08:00:00",
    ),
    *(True, False),
]


def _options(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=strategies)


def _property(kind: str, options: st.SearchStrategy[dict[str, Any]], values: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"logicalType": st.just(kind), "logicalTypeOptions": options},
        optional={
            "required": st.booleans(),
            "enum": st.lists(values, min_size=1, max_size=3).map(lambda found: [{"value": one} for one in found]),
        },
    )


CHOICES: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "number": {
        "minimum": LIMITS,
        "maximum": LIMITS.map(lambda limit: limit + 5),
        "exclusiveMinimum": LIMITS.map(lambda limit: limit / 2),
        "exclusiveMaximum": LIMITS.map(lambda limit: limit + 5.5),
        "multipleOf": st.sampled_from([0.1, 0.25, 0.5, 1, 2]),
    },
    "string": {
        "minLength": st.integers(0, 2),
        "maxLength": st.integers(2, 4),
        "pattern": st.sampled_from(["^a", r"^[a-z]*\d?\Z"]),
    },
    "date": {"minimum": st.just("2026-01-01"), "exclusiveMaximum": st.just("2026-11-21")},
}
CHOICES["integer"] = CHOICES["number"]
CHOICES["date"]["maximum"] = st.sampled_from(["2026-06-30", "2026-11-20"])
_NUMERIC = _options(**CHOICES["number"])
_TEXT = _options(**CHOICES["string"])
_DAYS = _options(**CHOICES["date"])
BY_KIND: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "number": _property("number", _NUMERIC, NUMBERS),
    "integer": _property("integer", _NUMERIC, st.integers(-1, 3)),
    "string": _property("string", _TEXT, TEXTS),
    "date": _property("date", _DAYS, DAYS),
    "boolean": _property("boolean", st.just({}), st.booleans()),
    "timestamp": _property("timestamp", st.just({}), MOMENTS),
}
PROPERTIES = st.sampled_from(["number", "integer", "string", "date", "boolean", "timestamp"]).flatmap(
    BY_KIND.__getitem__
)
TABLES = st.dictionaries(st.sampled_from(["a", "b", "c"]), PROPERTIES, min_size=1)


def edition(properties: dict[str, dict[str, Any]], version: str = "1.0.0", **more: Any) -> Edition:
    """A contract with one table of these columns."""
    columns = [{"name": name, **item} for name, item in properties.items()]
    document = {
        "apiVersion": "v3.2.0",
        "kind": "DataContract",
        "id": "c",
        "version": version,
        "status": "active",
        "schema": [{"name": "t", "properties": columns, **more.pop("table", {})}],
        **more,
    }
    return read_edition(json.dumps(document), file=f"{version}.yaml")


EDITIONS = TABLES.map(edition)


@st.composite
def successions(draw: st.DrawFn, length: int = 2) -> list[Edition]:
    """Versions of which each is the one before with a promise or two changed, as contracts really evolve."""
    tables = draw(TABLES)
    made = [edition(tables, "1.0.0")]
    for number in range(2, length + 1):
        tables = dict(tables)
        for name in draw(st.sets(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2)):
            if name not in tables and draw(st.integers(0, 2)) == 2:
                tables[name] = draw(PROPERTIES)
            elif name in tables and len(tables) > 1 and draw(st.integers(0, 4)) == 4:
                del tables[name]
        for name in draw(st.sets(st.sampled_from(sorted(tables)), min_size=1, max_size=2)):
            tables[name] = draw(_changed(tables[name]))
        made.append(edition(tables, f"{number}.0.0"))
    return made


@st.composite
def _changed(draw: st.DrawFn, item: dict[str, Any]) -> dict[str, Any]:
    """The same column with about one promise renewed: widened, narrowed, dropped or taken over."""
    kind = item["logicalType"]
    numeric = ("integer", "number")
    other: dict[str, Any] = draw(PROPERTIES) if draw(st.integers(0, 9)) == 9 else draw(BY_KIND[kind])
    if other["logicalType"] != kind:
        return other
    options = dict(item["logicalTypeOptions"])
    for name in draw(st.sets(st.sampled_from(sorted(CHOICES[kind])), max_size=2)) if kind in CHOICES else ():
        options.pop(name, None)
        if draw(st.booleans()):
            options[name] = draw(CHOICES[kind][name])
    made = item | {"logicalTypeOptions": options}
    match draw(st.sampled_from(["option", "option", "type", "required", "enum"])):
        case "type" if kind in numeric and "enum" not in item:
            return made | {"logicalType": numeric[kind == "integer"]}
        case "required":
            return made | {"required": not item.get("required", False)}
        case "enum" if "enum" in item:
            values = draw(st.lists(st.sampled_from(item["enum"]), max_size=2))
            return {**made, "enum": values} if values else {k: v for k, v in made.items() if k != "enum"}
        case _:
            return made


def valid_rows(contract: Edition, extra: Any = None) -> list[dict[str, Any]]:
    """Rows that the contract accepts, such that every value of the pool that a column accepts is in one of them."""
    (table,) = contract.tables
    sound: dict[str, list[Any]] = {}
    for column in table.columns:
        alone = CompiledRows(DataContract(id="c", version="1", table="t", columns=(column,)))
        values = [*POOL, extra]
        told = alone.check([{column.name: value} for value in values])
        sound[column.name] = [value for value, checked in zip(values, told, strict=True) if checked is None]
    if not all(sound.values()):
        return []  # nothing of the pool fits a column
    longest = max(len(values) for values in sound.values())
    rows = [{name: values[i % len(values)] for name, values in sound.items()} for i in range(longest)]
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def accepts(contract: Edition, row: dict[str, Any]) -> bool:
    return CompiledRows(contract.tables[0]).check([row]) == [None]
