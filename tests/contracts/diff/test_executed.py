"""Promises compared as they are executed: nested columns, SQL rules, distributions, service levels."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.contracts.diff.versions import edition

from flyball.contracts.diff.compared import changes
from flyball.contracts.diff.executed import executed_levels
from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.tables.check import check
from flyball.contracts.tables.levels import Observed, Times, judge
from flyball.core.clock import moment
from flyball.core.contract import DataContract, ServiceLevel

TEXT: dict[str, Any] = {"logicalType": "string"}
WHOLE: dict[str, Any] = {"logicalType": "integer"}


def line(*properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    items = {"logicalType": "object", "properties": list(properties)}
    return {"logicalType": "array", "items": items, **more}


def part(name: str, kind: dict[str, Any] = WHOLE, **options: Any) -> dict[str, Any]:
    required = {"required": True} if options.pop("required", False) else {}
    return {"name": name, **kind, **required, **({"logicalTypeOptions": options} if options else {})}


def clause(tolerance: float, **more: Any) -> dict[str, Any]:
    said = {"metric": "psi", "baseline": "then.parquet", "tolerance": tolerance, **more}
    return WHOLE | {"quality": [{"id": "drift", "type": "custom", "engine": "flyball", "implementation": said}]}


def sql(query: str = "select count(*) from {object}", **more: Any) -> dict[str, Any]:
    return WHOLE | {"quality": [{"id": "many", "type": "sql", "query": query, **more}]}


def unnamed(column: dict[str, Any]) -> dict[str, Any]:
    (rule,) = column["quality"]
    return column | {"quality": [{key: value for key, value in rule.items() if key != "id"}]}


def level(value: Any, unit: str | None = None, name: str = "latency") -> dict[str, Any]:
    item = {"property": name, "value": value, "element": "t.at"} | ({"unit": unit} if unit else {})
    return {"slaProperties": [item]}


def aside(levels: dict[str, Any]) -> dict[str, Any]:
    """Of another table, so that they are compared and not judged."""
    return {"slaProperties": [item | {"element": "other.at"} for item in levels["slaProperties"]]}


QTY, NOTE = part("qty"), part("note", TEXT)
COLUMNS: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, str, str, bool, bool]]]] = [
    (line(QTY, NOTE), line(QTY), [("[].note", "removed", "major", True, True)]),
    (line(QTY, part("note", TEXT, required=True)), line(QTY), [("[].note", "removed", "major", True, False)]),
    (line(QTY), line(QTY, NOTE), [("[].note", "added", "minor", True, True)]),
    (line(QTY), line(part("qty", minimum=1)), [("[].qty.range", "tightened", "major", False, True)]),
    (line(part("qty", minimum=1)), line(QTY), [("[].qty.range", "loosened", "minor", True, False)]),
    (line(QTY), line(part("qty", TEXT)), [("[].qty.type", "changed", "major", False, False)]),
    (line(QTY), line(part("qty", required=True)), [("[].qty.required", "tightened", "major", False, True)]),
    (line(QTY), line(QTY, logicalTypeOptions={"maxItems": 3}), [(".items", "tightened", "major", False, True)]),
    (line(), line(QTY), [("[].parts", "tightened", "major", False, True)]),
    (line(QTY), line(QTY | {"description": "pieces"}), [("[].qty.description", "added", "patch", True, True)]),
    (line(QTY), line(QTY | {"semanticType": "x"}), [("[].qty.semanticType", "added", "major", False, False)]),
    (clause(0.2), clause(0.1), [("t.quality.drift", "tightened", "major", False, True)]),
    (clause(0.1), clause(0.2), [("t.quality.drift", "loosened", "minor", True, False)]),
    (clause(0.1), clause(0.1, bins=20), [("t.quality.drift", "changed", "major", False, False)]),
    (clause(0.1), clause(0.1, alpha=0.01), []),
    (unnamed(clause(0.1)), unnamed(clause(0.2)), [("t.quality.a.psi", "loosened", "minor", True, False)]),
    (unnamed(sql(mustBe=1)), unnamed(sql(mustBeLessThan=2)), [("t.quality.a.sql", "loosened", "minor", True, False)]),
    (WHOLE, clause(0.1), [("t.quality.drift", "tightened", "major", False, True)]),
    (sql(mustBeLessThan=9), sql(mustBeLessThan=5), [("t.quality.many", "tightened", "major", False, True)]),
    (sql(mustBeLessThan=5), sql(mustBeLessOrEqualTo=5), [("t.quality.many", "loosened", "minor", True, False)]),
    (sql(mustBe=1), sql("select 1 from {object}", mustBe=1), [("t.quality.many", "changed", "major", False, False)]),
]


@pytest.mark.parametrize(("old", "new", "told"), COLUMNS)
def test_what_is_executed_is_compared_as_it_is_executed(
    old: dict[str, Any], new: dict[str, Any], told: list[Any]
) -> None:
    found = changes(edition({"a": old}), edition({"a": new}))
    assert [(c.path.removeprefix("t.a"), c.what, c.bump, c.backward, c.forward) for c in found] == told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (level(1, "d"), level("PT24H"), []),
        (level(1, "d"), level("PT12H"), ["tightened"]),
        (level("P1D"), level(2, "d"), ["loosened"]),
        (level(90, "min"), level("PT1H30M"), []),
        (level("P1Y", name="retention"), level("P30D", name="retention"), ["tightened"]),
        ({}, level("P1D"), ["tightened"]),
        (level(0.99, name="availability"), level(99, "percent", "AV"), []),
        (level(0.999, name="availability"), level("99.9%", None, "Availability"), []),
        (level(0.99, name="availability"), level(0.9, name="availability"), ["loosened"]),
        (level(0.9, name="availability"), level(95, "percent", "av"), ["tightened"]),
        (level(0.1, name="errorRate"), level(0.2, name="errorRate"), ["loosened"]),
        (level(1, "h", "td"), level(60, "min", "timeToDetect"), []),
        (level(1, "h", "timeToDetect"), level(1, "h", "TIMETODETECT"), []),
        (aside(level(1, "h", "td")), aside(level(60, "min", "timeToDetect")), []),
        (aside(level(1, "h", "td")), aside(level(30, "min", "timetodetect")), ["tightened"]),
        (aside(level(0.99, name="availability")), aside(level(99, "percent", "AV")), []),
        (aside(level("99.9 %", name="availability")), aside(level(0.999, name="av")), []),
        (aside(level(0.99, name="availability")), aside(level(98, "percent", "AV")), ["loosened"]),
        (aside(level(98, "percent", "AV")), aside(level(0.99, name="availability")), ["tightened"]),
        (aside(level("much", "h", "td")), aside(level("little", "h", "td")), ["changed"]),
        (level(3, "x", "oddOne"), level(3, "x", "ODDONE"), []),
        (level("P1D"), level("P1D", name="frequency"), ["loosened", "tightened"]),
    ],
)
def test_service_levels_are_compared_in_one_unit(old: dict[str, Any], new: dict[str, Any], told: list[str]) -> None:
    at = {"at": {"logicalType": "timestamp"}}
    assert [change.what for change in changes(edition(at, **old), edition(at, **new))] == told


@given(st.floats(1, 1e6), st.floats(1, 1e6), st.floats(0, 1e6))
def test_a_level_that_is_not_tightened_is_still_kept(before: float, after: float, age: float) -> None:
    tables = [
        DataContract(
            id="c",
            version="1",
            table="t",
            columns=(),
            levels=(ServiceLevel(id="l", name="latency", limit=limit, table="t", column="at"),),
        )
        for limit in (before, after)
    ]
    now = moment("2026-11-21T10:00:00.000000Z")
    newest = now.replace(tzinfo=None) - timedelta(seconds=age)
    seen = Observed(times={"at": Times(moments=pl.Series([newest]))})
    was, is_ = (judge(table.levels, seen, now)[0].kept for table in tables)
    if was and all(change.backward for change in executed_levels(tables[:1], tables[1:])):
        assert is_


TOLERANCES = st.sampled_from([0.01, 0.05, 0.1, 0.5, 2.0])


@given(TOLERANCES, TOLERANCES, st.integers(0, 500), st.integers(20, 800))
def test_data_that_keep_a_clause_keep_every_wider_one(before: float, after: float, shift: int, rows: int) -> None:
    then = pl.DataFrame({"a": list(range(1000))})
    now = pl.DataFrame({"a": [row % 1000 + shift for row in range(rows)]})
    old, new = (edition({"a": clause(tolerance)}) for tolerance in (before, after))
    passed = [check(now, each.tables[0], baselines={"then.parquet": then}).passed for each in (old, new)]
    if passed[0] and all(change.backward for change in changes(old, new)):
        assert passed[1]


PARTS = st.lists(
    st.sampled_from(
        [QTY, part("qty", minimum=1), part("qty", required=True), part("qty", {"logicalType": "number"}), NOTE]
    ),
    min_size=1,
    max_size=2,
    unique_by=lambda item: item["name"],
)
ITEMS = st.lists(
    st.fixed_dictionaries({}, optional={"qty": st.none() | st.integers(-1, 2) | st.just(0.5), "note": st.just("x")}),
    max_size=2,
)


@given(PARTS, PARTS, ITEMS)
def test_nested_values_survive_what_is_backward(old: list[Any], new: list[Any], lines: list[dict[str, Any]]) -> None:
    before, after = edition({"a": line(*old)}), edition({"a": line(*new)})
    closed = all(item.keys() <= {each["name"] for each in old} for item in lines)
    kept = [CompiledRows(each.tables[0]).check([{"a": lines}]) == [None] for each in (before, after)]
    if closed and kept[0] and all(change.backward for change in changes(before, after)):
        assert kept[1]
