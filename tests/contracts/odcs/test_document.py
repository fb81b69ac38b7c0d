"""An ODCS text becomes an executable contract, with every fault told and nothing silently left out."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from open_data_contract_standard.model import OpenDataContractStandard
from ruamel.yaml import YAML

from flyball.contracts.odcs.document import VERSIONS, Reading, parse_contract
from flyball.contracts.odcs.versions import NEWEST, SINCE_NEWEST
from flyball.contracts.tables.rules import OPERATORS
from flyball.contracts.yaml_text import read
from flyball.core.errors import BadInput

SCHEMAS = Path(__file__).resolve().parents[3] / "../shared/schemas/odcs"
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: fraud
version: "1.0.0"
status: active
team: {name: risk, members: [{username: ann}]}
schema:
  - name: train
    logicalType: object
    properties:
      - {name: card_id, logicalType: string, required: true, classification: pii}
      - {name: amount, logicalType: number, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 100, multipleOf: 0.01}}
      - name: country
        logicalType: string
        quality:
          - {metric: invalidValues, arguments: {validValues: [no, se]}, mustBe: 0}
          - {metric: nullValues, mustBeLessThan: 5, unit: percent, severity: warning}
      - {name: at, logicalType: timestamp, logicalTypeOptions: {minimum: 2020-01-01}}
      - {name: is_fraud, logicalType: integer, required: true, unique: false}
    quality:
      - {id: enough, metric: rowCount, mustBeGreaterThan: 10}
"""


def faults(text: str, table: str | None = None) -> list[str]:
    with pytest.raises(BadInput) as caught:
        parse_contract(text, table=table)
    return [str(fault).removeprefix("contract.yaml:") for fault in caught.value.faults]


def test_a_contract_becomes_columns_and_rules() -> None:
    contract = parse_contract(CONTRACT).contract
    columns = {column.name: column for column in contract.columns}
    assert (contract.id, contract.version, contract.table) == ("fraud", "1.0.0", "train")
    assert columns["card_id"].classification == "pii"
    assert (columns["amount"].minimum, columns["amount"].exclusive_maximum, columns["amount"].multiple_of) == (
        0,
        100,
        0.01,
    )
    assert columns["at"].minimum == "2020-01-01"
    assert [(rule.id, rule.severity) for rule in contract.rules] == [
        ("country.nullValues", "warning"),
        ("enough", "error"),
    ]


def test_never_invalid_is_said_of_every_row_and_norway_is_among_the_countries() -> None:
    country = parse_contract(CONTRACT).contract.columns[2]
    assert country.enum == ("no", "se")


def test_all_faults_at_once_each_with_its_line_and_a_way_out() -> None:
    broken = CONTRACT
    for right, wrong in {
        'version: "1.0.0"': "version: 1.0",
        "required: true, classification": "required: yes, classification",
        "multipleOf: 0.01": "multipleOf: 0, maximun: 1",
        "logicalType: string\n": "logicalType: strnig\n",
        "metric: nullValues": "metric: nulValues",
        "minimum: 2020-01-01": "minimum: yesterday",
        "unique: false": "uniqe: false",
        "mustBeGreaterThan: 10": "mustBeGreaterThan: 10, mustBe: 3",
    }.items():
        assert right in broken
        broken = broken.replace(right, wrong, 1)
    found = faults(broken)
    assert sorted(line.split(": ")[1] for line in found) == [
        "schema[0].properties[0].required",
        "schema[0].properties[1].logicalTypeOptions.maximun",
        "schema[0].properties[1].logicalTypeOptions.multipleOf",
        "schema[0].properties[2].logicalType",
        "schema[0].properties[3].logicalTypeOptions.minimum",
        "schema[0].properties[4].uniqe",
        "schema[0].quality[0]",
        "version",
    ]
    assert any("did you mean string?" in line for line in found)
    assert any("did you mean unique?" in line for line in found)
    assert any('quote it: "1.0"' in line for line in found)


def test_a_fault_in_a_rule_is_told_beside_those_of_its_neighbours() -> None:
    text = CONTRACT.replace("metric: nullValues", "metric: nulValues").replace(
        "validValues: [no, se]", "validValues: [1]"
    )
    assert faults(text) == [
        "16: schema[0].properties[2].quality[0].arguments.validValues[0]: expected text, found 1",
        "17: schema[0].properties[2].quality[1].metric: expected one of nullValues, missingValues, invalidValues, "
        "duplicateValues, rowCount, found text 'nulValues' (did you mean nullValues?)",
    ]


def test_what_is_not_executed_is_listed_by_name() -> None:
    columns = """\
      - {name: tags, logicalType: array}
      - {name: mail, logicalType: string, logicalTypeOptions: {format: iban}, relationships: [{to: other.x}]}
"""
    rules = """\
    quality:
      - {type: sql, query: select 1, mustBe: 1}
      - {type: custom, engine: soda, implementation: x}
      - {type: text, description: be good}
      - {type: sql, query: SELECT COUNT(*) FROM other, mustBe: 1}
"""
    text = CONTRACT.replace("    quality:\n      - {id", columns + rules + "      - {id")
    other = "  - {name: other, properties: [{name: x, logicalType: number}]}\n"
    levels = "{property: timeOfAvailability, value: x}, {property: latency, value: 4, unit: d, element: other.at}"
    reading = parse_contract(f"{text}{other}slaProperties: [{levels}]\n", table="train")
    assert [line.removesuffix(": not executed by Flyball") for line in reading.not_executed] == [
        "schema[0].properties[6].logicalTypeOptions.format: format iban",
        "schema[0].quality[1]: quality of type custom soda",
        "schema[0].quality[2]: quality of type text",
        "schema[0].quality[3]: query over another table, other",
        "schema[0].properties[6].relationships[0]: relationship to other.x, beyond the table train",
        "slaProperties[0]: service level timeOfAvailability",
        "slaProperties[1]: service level latency of other.at, another table",
    ]


def test_of_several_tables_the_one_named_like_the_source_is_meant() -> None:
    other = "  - {name: other, properties: [{name: x, logicalType: number}]}\n"
    text = CONTRACT + other
    assert parse_contract(text, table="train").contract.table == "train"
    assert parse_contract(text, table="other").contract.table == "other"
    assert "expected one table, or one named 'neither' like the source" in faults(text, table="neither")[0]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_of_the_standard_is_read(version: str) -> None:
    assert parse_contract(CONTRACT.replace("v3.1.0", version)).contract.id == "fraud"


def test_v3_0_marks_a_bound_as_exclusive_and_v3_1_gives_its_value() -> None:
    old = CONTRACT.replace("v3.1.0", "v3.0.2").replace("exclusiveMaximum: 100", "maximum: 100, exclusiveMaximum: true")
    amount = parse_contract(old).contract.columns[1]
    assert (amount.maximum, amount.exclusive_maximum) == (None, 100)
    assert "exclusiveMaximum: expected a number, found true" in faults(old.replace("v3.0.2", "v3.1.0"))[0]


def test_v3_2_writes_an_enumeration_and_needs_no_status() -> None:
    text = CONTRACT.replace("v3.1.0", "v3.2.0").replace("status: active\n", "")
    text = text.replace("unique: false", "enum: [{value: 0}, {value: 1, label: fraud}]")
    assert parse_contract(text).contract.columns[4].enum == (0, 1)
    assert "status" in faults(CONTRACT.replace("status: active\n", ""))[0]


@pytest.mark.parametrize("version", [version for version in VERSIONS if version != NEWEST])
def test_an_older_contract_may_not_use_what_came_with_v3_2(version: str) -> None:
    text = CONTRACT.replace("v3.1.0", version).replace("unique: false", "enum: [{value: 0}, {value: 1}]")
    assert faults(text) == [
        f"19: schema[0].properties[4].enum: expected a key of ODCS {version}, found one that ODCS has since v3.2.0 "
        "(declare apiVersion: v3.2.0, or say it as quality with metric invalidValues)"
    ]


def test_what_is_called_too_new_is_refused_by_the_schema_published_for_v3_1_and_nothing_else() -> None:
    published = SCHEMAS / "odcs-json-schema-v3.1.0.json"
    if not published.exists():
        pytest.skip("published schemas are not there (../shared/schemas)")
    older, newer = _keys(json.loads(published.read_text())), _keys(newest())
    fresh = {key for keys in SINCE_NEWEST.values() for key in keys}
    of_new_objects = {key for name in newer.keys() - older.keys() for key in newer[name]}
    assert set().union(*newer.values()) - set().union(*older.values()) <= fresh | of_new_objects
    assert fresh & set().union(*older.values()) <= {"id", "map", "customProperties", "authoritativeDefinitions"}


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_read_with_its_bound(operator: str) -> None:
    bound = "[1, 2]" if operator.endswith("Between") else "1"
    text = CONTRACT.replace("mustBeGreaterThan: 10", f"{operator}: {bound}")
    (_, rule) = parse_contract(text).contract.rules
    assert (rule.operator, rule.bound) == (operator, (1.0, 2.0) if operator.endswith("Between") else (1.0,))
    wrong = "1" if operator.endswith("Between") else "x"
    assert faults(CONTRACT.replace("mustBeGreaterThan: 10", f"{operator}: {wrong}"))


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("apiVersion: v3.1.0", "apiVersion: v2.2.2", "apiVersion: expected one of v3.0.0"),
        ("kind: DataContract", "kind: Service", "kind: expected DataContract"),
        ("id: fraud", "ids: fraud", "did you mean id?"),
        ("name: is_fraud", "name: amount", "expected each column once"),
        ("minimum: 0, ", "minimum: 200, ", "expected a minimum below the maximum"),
        ("multipleOf: 0.01", "pattern: x", "no option of number"),
        ("classification: pii", "logicalTypeOptions: {pattern: '['}", "expected a regular expression"),
        ("classification: pii", "logicalTypeOptions: {minLength: 3, maxLength: 2}", "minLength at most maxLength"),
        ("unit: percent", "unit: share", "expected rows or percent"),
        ("{id: enough, metric: rowCount", "{metric: nullValues", "expected a metric of the table"),
        ("{id: enough, metric: rowCount", "{metric: duplicateValues", "the columns that are unique together"),
        ("metric: rowCount", "metric: duplicateValues, arguments: {properties: [card]}", "did you mean card_id?"),
        ("validValues: [no, se]", "valid: [no]", "an unknown key"),
        ("mustBeGreaterThan: 10", "mustBeBetween: [9, 3]", "expected the smaller number first"),
        ("members: [{username: ann}]", "members: [{usrname: ann}]", "did you mean username?"),
    ],
)
def test_bad_input_is_told(right: str, wrong: str, told: str) -> None:
    assert right in CONTRACT
    assert told in "\n".join(faults(CONTRACT.replace(right, wrong, 1)))


@pytest.mark.parametrize(
    "text", ["", "- a", "schema", "schema: 3", "schema: []", "schema: [3]", "schema: [{name: t}]", "a: ["]
)
def test_text_that_is_no_contract_is_bad_input_and_never_a_crash(text: str) -> None:
    assert faults(text)


PIECES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "x", "library", "string", "rowCount"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "metric", "mustBe", "type"]), inner)
    ),
    max_leaves=5,
)


@given(st.sampled_from(["schema", "properties", "quality", "logicalTypeOptions", "arguments", "team", "enum"]), PIECES)
def test_any_value_in_any_place_is_a_contract_or_faults(key: str, piece: Any) -> None:
    data = YAML(typ="safe").load(CONTRACT)
    target = data["schema"][0]["properties"][2]
    match key:
        case "schema" | "team":
            data[key] = piece
        case "properties":
            data["schema"][0][key] = piece
        case "arguments":
            target["quality"][0][key] = piece
        case _:
            target[key] = piece
    reading: Reading | None = None
    told: tuple[Any, ...] = ()
    try:
        reading = parse_contract(_yaml(data))
    except BadInput as error:
        told = error.faults
    assert (reading is None) is bool(told)


def _yaml(data: Any) -> str:
    out = StringIO()
    YAML(typ="safe", pure=True).dump(data, out)
    return out.getvalue()


def test_the_contract_used_here_is_valid_by_the_standards_own_schema() -> None:
    assert Draft201909Validator(newest()).is_valid(read(CONTRACT, file="contract.yaml").data)


def newest() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(OpenDataContractStandard.json_schema())  # type: ignore[no-untyped-call]
    return schema


def _keys(schema: dict[str, Any]) -> dict[str, set[str]]:
    """Keys of each object that a published schema defines, those in its branches included."""
    found = {"": set(schema["properties"])}
    for name, definition in schema["$defs"].items():
        parts = [definition, *(part for how in ("allOf", "anyOf", "oneOf") for part in definition.get(how, []))]
        found[name] = {key for part in parts for key in part.get("properties", {})}
    return found
