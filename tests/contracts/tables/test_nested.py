"""Nested columns, read from ODCS and judged: every logical type and option, by the rule that names its place."""

from typing import Any

import polars as pl
import pytest

from flyball.contracts.odcs.document import parse_contract
from flyball.contracts.odcs.options import OPTIONS
from flyball.contracts.rows.compiled import CompiledRows
from flyball.contracts.tables.check import check
from flyball.core.errors import BadInput

CONTRACT = """\
apiVersion: v3.2.0
kind: DataContract
id: c
version: "1"
status: draft
schema:
  - name: t
    properties:
      - {name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 2}
      - {name: shop, logicalType: string, primaryKey: true, primaryKeyPosition: 1}
      - {name: parent, logicalType: integer, relationships: [{to: t.id}]}
      - {name: opens, logicalType: time, logicalTypeOptions: {minimum: "08:00"}}
      - name: order
        logicalType: object
        required: true
        logicalTypeOptions: {required: [who], minProperties: 2}
        properties:
          - {name: who, logicalType: string, logicalTypeOptions: {format: email}}
          - name: lines
            logicalType: array
            logicalTypeOptions: {minItems: 1, maxItems: 2, uniqueItems: true}
            items:
              logicalType: object
              properties: [{name: qty, logicalType: integer, logicalTypeOptions: {format: u8}}]
      - {name: extra, logicalType: map, map: {key: {logicalType: string}, value: {logicalType: number}}}
      - name: meaning
        logicalType: vector
        logicalTypeOptions: {dimensions: 2, normalized: true, elementType: float32}
"""
SOUND: dict[str, Any] = {
    "id": 1, "shop": "a", "parent": 1, "opens": "09:00", "order": {"who": "a@b.no", "lines": [{"qty": 1}]},
    "extra": {"x": 1.0}, "meaning": [0.6, 0.8],
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({}, None),
        ({"opens": "07:59"}, "opens.range"),
        ({"opens": "9"}, "opens.type"),
        ({"order": None}, "order.required"),
        ({"order": []}, "order.type"),
        ({"order": {"who": "a@b.no"}}, "order.properties"),
        ({"order": {"lines": [{"qty": 1}], "z": 1}}, "order.who.required"),
        ({"order": {"who": "nobody", "lines": [{"qty": 1}]}}, "order.who.format"),
        ({"order": {"who": "a@b.no", "lines": []}}, "order.lines.items"),
        ({"order": {"who": "a@b.no", "lines": [{"qty": 1}, {"qty": 1}]}}, "order.lines.unique_items"),
        ({"order": {"who": "a@b.no", "lines": [{"qty": 1}, {"qty": 256}]}}, "order.lines[].qty.format"),
        ({"order": {"who": "nobody", "lines": [{"qty": "1"}]}}, "order.lines[].qty.type"),
        ({"extra": {"x": "1"}}, "extra.value.type"),
        ({"extra": [1]}, "extra.type"),
        ({"meaning": [1.0]}, "meaning.dimensions"),
        ({"meaning": [1.0, 1.0]}, "meaning.normalized"),
        ({"meaning": [1.0, None]}, "meaning[].required"),
    ],
)
def test_a_row_names_the_place_that_is_broken(change: dict[str, Any], rule: str | None) -> None:
    (checked,) = CompiledRows(parse_contract(CONTRACT).contract).check([SOUND | change])
    assert (checked and checked.rule) == rule


def test_keys_are_unique_together_in_their_declared_order_and_references_stay_in_the_table() -> None:
    contract = parse_contract(CONTRACT).contract
    rows = [SOUND, SOUND | {"parent": 7}, SOUND | {"parent": None, "id": 2}]
    table = pl.DataFrame([{key: row[key] for key in ("id", "shop", "parent")} for row in rows])
    found = {violation.rule: violation for violation in check(table, contract).violations}
    assert found["primary_key"].expected == "each combination of shop, id once"
    assert (found["parent.reference"].rows, found["parent.reference"].first_rows) == (1, (1,))


def test_a_table_counts_what_is_broken_inside() -> None:
    contract = parse_contract(CONTRACT).contract
    orders = [{"who": "a@b.no", "lines": [{"qty": 1}]}, {"who": "x", "lines": [{"qty": 300}, {"qty": 1}]}, None]
    table = pl.DataFrame({"id": [1, 2, 3], "shop": ["a"] * 3, "order": orders})
    report = check(table, contract)
    assert {v.rule: v.rows for v in report.violations} == {
        "order.required": 1, "order.who.format": 1, "order.lines[].qty.format": 1,
    }  # fmt: skip
    assert report.rule.to_list() == [None, "order.who.format", "order.required"]
    assert report.judged("reject").rows() == [(2, "required", "order.required")]
    assert report.document()["reasons"] == {"order.required": 1, "order.who.format": 1}


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("minItems: 1", "minItems: 3", "minItems at most maxItems"),
        ("minItems: 1", "minItem: 1", "did you mean minItems?"),
        ("uniqueItems: true", "uniqueItems: 1", "expected true or false"),
        ("dimensions: 2, ", "", "how many numbers a vector has"),
        ("elementType: float32", "elementType: float31", "did you mean float32?"),
        ("format: u8", "format: u9", "expected one of"),
        ('minimum: "08:00"', "minimum: early", "a time of day"),
        ("primaryKeyPosition: 2", "primaryKeyPosition: 1", "each key column at a position of its own"),
        ("map: {key: {logicalType: string}, ", "map: {", "what a key of the map is"),
        ("name: qty, logicalType", "name: qty, logcalType", "did you mean logicalType?"),
        ("{to: t.id}", "{to: t.ident}", "a column of schema[0]"),
        ("apiVersion: v3.2.0", "apiVersion: v3.1.0", "expected a key of ODCS v3.1.0"),
    ],
)
def test_bad_options_are_told(right: str, wrong: str, told: str) -> None:
    assert right in CONTRACT
    with pytest.raises(BadInput) as caught:
        parse_contract(CONTRACT.replace(right, wrong, 1))
    assert told in "\n".join(map(str, caught.value.faults))


def test_every_option_of_the_standards_schema_is_read() -> None:
    from tests.contracts.odcs.test_document import newest

    for branch in newest()["$defs"]["SchemaBaseProperty"]["allOf"]:
        options = branch.get("then", {}).get("properties", {}).get("logicalTypeOptions", {}).get("properties")
        if options:
            conditions = branch["if"].get("anyOf", [branch["if"]])
            for kind in (condition["properties"]["logicalType"]["const"] for condition in conditions):
                assert set(options) == set(OPTIONS[kind])
