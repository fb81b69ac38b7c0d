"""Every kind of change with its class, and the version that it asks for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.diff.versions import EDITIONS, edition

from flyball.contracts.diff.compared import changes
from flyball.contracts.diff.edition import Edition, read_edition
from flyball.contracts.diff.promises import allows
from flyball.contracts.diff.semver import ORDER, Bump, largest, misnumbered, parse_version, raised
from flyball.contracts.tables.rules import OPERATORS
from flyball.core.contract import Rule
from flyball.core.errors import BadInput

NUMBER: dict[str, Any] = {"logicalType": "number"}
TEXT: dict[str, Any] = {"logicalType": "string"}


def made(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Changes between two forms of column `a`."""
    found = changes(edition({"a": old}), edition({"a": new}))
    return [(change.path.removeprefix("t.a."), change.what, change.bump) for change in found]


def options(**more: Any) -> dict[str, Any]:
    return NUMBER | {"logicalTypeOptions": more}


def texts(**more: Any) -> dict[str, Any]:
    return TEXT | {"logicalTypeOptions": more}


def enum(*values: Any) -> dict[str, Any]:
    return TEXT | {"enum": [{"value": value} for value in values]}


CASES: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str]]]] = [
    (NUMBER, NUMBER | {"logicalType": "integer"}, [("type", "tightened", "major")]),
    (NUMBER | {"logicalType": "integer"}, NUMBER, [("type", "loosened", "minor")]),
    (NUMBER, TEXT, [("type", "changed", "major")]),
    (NUMBER, NUMBER | {"required": True}, [("required", "tightened", "major")]),
    (NUMBER | {"required": True}, NUMBER, [("required", "loosened", "minor")]),
    (enum("x", "y"), enum("x"), [("enum", "tightened", "major")]),
    (enum("x"), enum("x", "y"), [("enum", "loosened", "minor")]),
    (enum("x"), enum("y"), [("enum", "changed", "major")]),
    (TEXT, enum("y"), [("enum", "tightened", "major")]),
    (options(minimum=0), options(minimum=1), [("range", "tightened", "major")]),
    (options(minimum=0), options(exclusiveMinimum=0), [("range", "tightened", "major")]),
    (options(minimum=0, maximum=9), options(maximum=9), [("range", "loosened", "minor")]),
    (options(minimum=0, maximum=9), options(minimum=1, maximum=10), [("range", "changed", "major")]),
    (options(multipleOf=0.3), options(multipleOf=0.1), [("multipleOf", "loosened", "minor")]),
    (texts(pattern="^a"), texts(pattern="^b"), [("pattern", "changed", "major")]),
    (texts(pattern="^a"), TEXT, [("pattern", "loosened", "minor")]),
    (texts(maxLength=9), texts(maxLength=8), [("length", "tightened", "major")]),
    (texts(maxLength=9), texts(maxLength=9, minLength=0), []),
    (TEXT, TEXT | {"unique": True}, [("unique", "tightened", "major")]),
    (TEXT | {"description": "x"}, TEXT | {"description": "y"}, [("description", "changed", "patch")]),
    (TEXT, TEXT | {"classification": "pii"}, [("classification", "added", "major")]),
    (TEXT, TEXT | {"classification": "public"}, [("classification", "added", "patch")]),
    (
        NUMBER | {"customProperties": [{"property": "unit", "value": "EUR"}]},
        NUMBER | {"customProperties": [{"property": "unit", "value": "ct"}]},
        [("unit", "changed", "major")],
    ),
    (NUMBER | {"semanticType": "x"}, NUMBER | {"semanticType": "y"}, [("semanticType", "changed", "major")]),
    (NUMBER, NUMBER | {"physicalName": "a2"}, [("physicalName", "added", "major")]),
    ({"logicalType": "array"}, {"logicalType": "object"}, [("type", "changed", "major")]),
    ({"logicalType": "array"}, {"logicalType": "array"}, []),
]


@pytest.mark.parametrize(("old", "new", "told"), CASES)
def test_a_change_of_a_column_is_classed(old: dict[str, Any], new: dict[str, Any], told: list[Any]) -> None:
    assert made(old, new) == told


def test_whole_numbers_above_0_are_those_from_1() -> None:
    whole = {"logicalType": "integer"}
    assert (
        made(whole | {"logicalTypeOptions": {"exclusiveMinimum": 0}}, whole | {"logicalTypeOptions": {"minimum": 1}})
        == []
    )


def test_an_enumeration_is_the_same_however_it_is_written() -> None:
    rule = {"metric": "invalidValues", "arguments": {"validValues": ["x", "y"]}, "mustBe": 0}
    assert made(TEXT | {"quality": [rule]}, enum("y", "x")) == []


def test_columns_keys_tables_and_identity() -> None:
    found = changes(edition({"a": NUMBER, "b": TEXT}), edition({"a": NUMBER, "c": TEXT | {"primaryKey": True}}))
    assert {(change.path, change.what, change.breaking) for change in found} == {
        ("t.b", "removed", True),
        ("t.c", "added", True),
        ("t.primaryKey", "added", True),
    }
    assert [c.path for c in changes(edition({"a": NUMBER}), edition({"a": NUMBER}, id="d"))] == ["id"]


def test_quality_rules_and_service_levels() -> None:
    def rule(**more: Any) -> dict[str, Any]:
        return {"quality": [{"id": "gaps", "metric": "nullValues", "unit": "percent", **more}]}

    def told(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str]]:
        return [(c.what, c.bump) for c in changes(edition({"a": NUMBER | old}), edition({"a": NUMBER | new}))]

    assert told(rule(mustBeLessThan=5), rule(mustBeLessThan=2)) == [("tightened", "major")]
    assert told(rule(mustBeLessThan=5), rule(mustBeBetween=[0, 8])) == [("loosened", "minor")]
    assert told({}, rule(mustBeLessThan=5)) == [("tightened", "major")]
    assert told({}, rule(mustBeLessThan=5, severity="warning")) == [("added", "minor")]
    sql = {"quality": [{"type": "sql", "name": "q", "query": "select 1", "mustBe": 1}]}
    assert told({}, sql) == [("tightened", "major")]
    assert told({}, {"quality": [{"type": "text", "name": "q", "description": "d"}]}) == [("added", "patch")]

    def level(**item: Any) -> Edition:
        return edition({"a": NUMBER}, slaProperties=[item])

    day, hours = {"value": 1, "unit": "d"}, {"value": 12, "unit": "h"}
    assert [c.what for c in changes(level(property="latency", **day), level(property="ly", **hours))] == ["tightened"]
    assert [c.what for c in changes(level(property="retention", **day), level(property="retention", **hours))] == [
        "loosened"
    ]
    assert changes(level(property="latency", **day), level(property="latency", value=24, unit="h")) == ()
    assert [c.what for c in changes(level(property="odd", **day), level(property="odd", **hours))] == ["changed"]


@given(EDITIONS, EDITIONS)
def test_what_the_data_do_not_survive_is_breaking(old: Edition, new: Edition) -> None:
    for change in changes(old, new):
        assert change.breaking or change.backward
        assert change.reason


@given(EDITIONS, EDITIONS)
def test_the_changes_back_name_the_same_places(old: Edition, new: Edition) -> None:
    assert {change.path for change in changes(old, new)} == {change.path for change in changes(new, old)}


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    operator = draw(st.sampled_from(sorted(OPERATORS)))
    size = 2 if operator.endswith("Between") else 1
    bound = sorted(float(n) for n in draw(st.lists(st.integers(0, 6), min_size=size, max_size=size)))
    return Rule(id="r", metric="nullValues", column="a", operator=operator, bound=tuple(bound))


@given(rules(), rules())
def test_a_rule_allows_another_exactly_where_no_count_says_otherwise(wide: Rule, narrow: Rule) -> None:
    counts = [n for n in range(20) if OPERATORS[narrow.operator](n, narrow.bound)]
    assert allows(wide, narrow) == all(OPERATORS[wide.operator](n, wide.bound) for n in counts)


@given(st.tuples(*[st.integers(0, 9)] * 3).map(lambda n: f"{n[0]}.{n[1]}.{n[2]}"), st.sampled_from(ORDER))
def test_the_proposed_version_is_the_smallest_that_is_not_misnumbered(version: str, bump: Bump) -> None:
    proposed = raised(version, bump)
    assert proposed is not None
    assert misnumbered(version, proposed, bump) is None
    if bump != "none":
        assert parse_version(proposed) > parse_version(version)  # type: ignore[operator]
        assert misnumbered(version, version, bump) is not None


def test_the_largest_bump_wins() -> None:
    assert largest(change.bump for change in changes(edition({"a": NUMBER}), edition({"a": TEXT}))) == "major"


def test_every_table_of_a_file_is_read_and_every_fault_told_once() -> None:
    text = """\
apiVersion: v3.1.0
kind: DataContract
id: c
version: 1.0.0
status: draft
schema:
  - {name: t, properties: [{name: a, logicalType: nmber}]}
  - {name: u, properties: [{name: a, logicalType: string, requird: true}]}
"""
    with pytest.raises(BadInput) as caught:
        read_edition(text)
    assert [fault.path for fault in caught.value.faults] == [
        "schema[0].properties[0].logicalType",
        "schema[1].properties[0].requird",
    ]
    sound = read_edition(text.replace("nmber", "number").replace("requird", "required"))
    assert [table.table for table in sound.tables] == ["t", "u"]
