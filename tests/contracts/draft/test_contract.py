"""The law of a drafted contract: the sample keeps it; and it is ODCS by the published schema."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft201909Validator
from ruamel.yaml import YAML

from flyball.contracts.draft.contract import propose
from flyball.contracts.draft.meaning import FORMATS, classified, format_of
from flyball.contracts.odcs.document import parse_contract
from flyball.contracts.tables.check import check

PUBLISHED = Path(__file__).resolve().parents[3] / "../shared/schemas/odcs/odcs-json-schema-v3.1.0.json"
NAMES = st.sampled_from(["a", "no", "on", "order_id", "email", "Größe", "with blank", "12", "key", "price: net", "#x"])
DTYPES: dict[Any, st.SearchStrategy[Any]] = {
    pl.String: st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
    | st.sampled_from(["a@b.org", "2026-01-01", "2026-01-01T10:00:00Z", "no", "", " ", "1", "null", "~"]),
    pl.Float64: st.floats() | st.floats(0, 1) | st.integers(-5, 2000).map(float),
    pl.Int64: st.integers(-(2**63), 2**63 - 1) | st.integers(-5, 2000),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Int8: st.integers(-128, 127),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(date(1900, 1, 1), date(2200, 1, 1)),
    pl.Datetime("us"): st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    pl.Categorical: st.sampled_from(["x", "y", "no"]),
    pl.Null: st.none(),
}


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    rows = draw(st.integers(1, 6))
    times = draw(st.sampled_from([1, 1, 30]))  # repeated, so that categories are small and keys are none
    columns = []
    for name in draw(st.lists(NAMES, min_size=1, max_size=4, unique=True)):
        dtype = draw(st.sampled_from(list(DTYPES)))
        cells = DTYPES[dtype] if draw(st.booleans()) else st.none() | DTYPES[dtype]
        values = draw(st.lists(cells, min_size=rows, max_size=rows))
        columns.append(pl.Series(name, values * times, dtype=dtype))
    return pl.DataFrame(columns)


@settings(max_examples=100)
@given(tables())
def test_the_sample_keeps_its_own_draft(table: pl.DataFrame) -> None:
    made = propose(table, name="t")
    if not made.columns:
        return
    contract = parse_contract(made.text).contract
    report = check(table, contract)
    assert report.violations == ()
    assert report.accepted.all()
    assert tuple(column.name for column in contract.columns) == tuple(made.columns)
    assert set(made.left_out) == set(report.extra)


def orders() -> pl.DataFrame:
    rows = 200
    return pl.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(rows)],
            "email": [f"p{i % 50}@example.org" for i in range(rows)],
            "country": [["no", "se", "dk"][i % 3] for i in range(rows)],
            "amount": [float(i * 7) for i in range(rows)],
            "score": [i / rows for i in range(rows)],
            "note": [None if i % 4 == 0 else "x" * (i % 40) for i in range(rows)],
            "at": [datetime(2026, 1, 1) + timedelta(minutes=50 * i) for i in range(rows)],
            "parts": [[1]] * rows,
            "paid": [i % 2 for i in range(rows)],
        }
    )


def test_what_a_sample_shows_is_proposed() -> None:
    made = propose(orders(), name="orders", label="paid")
    document = YAML(typ="safe").load(made.text)
    columns = {item["name"]: item for item in document["schema"][0]["properties"]}
    assert columns["order_id"]["primaryKey"] is True
    assert columns["email"]["classification"] == "pii"
    assert columns["email"]["logicalTypeOptions"]["pattern"] == FORMATS["email"]
    assert columns["country"]["quality"][0]["arguments"]["validValues"] == ["dk", "no", "se"]
    assert columns["amount"]["logicalTypeOptions"] == {"minimum": 0, "maximum": 1400}
    assert columns["score"]["logicalTypeOptions"] == {"minimum": 0, "maximum": 1}
    assert columns["note"]["logicalTypeOptions"] == {"maxLength": 64}
    assert columns["note"]["quality"][0]["mustBeLessOrEqualTo"] == 38
    assert columns["paid"]["customProperties"] == [{"property": "role", "value": "label"}]
    assert document["slaProperties"] == [{"property": "latency", "value": 1, "unit": "h", "element": "orders.at"}]
    assert (made.left_out, made.key, made.freshness) == (("parts",), "order_id", "1 h")


def test_a_proposal_is_valid_by_the_published_schema() -> None:
    if not PUBLISHED.exists():
        pytest.skip("published schemas are not there (../shared/schemas)")
    document = YAML(typ="safe").load(propose(orders(), name="orders", label="paid").text)
    assert list(Draft201909Validator(json.loads(PUBLISHED.read_text())).iter_errors(document)) == []


def test_values_of_personal_columns_are_not_written_into_the_contract() -> None:
    table = pl.DataFrame({"surname": ["Berg", "Dahl"] * 100, "ssn": range(200)})
    text = propose(table, name="t").text
    assert "Berg" not in text
    assert "199" not in text


@pytest.mark.parametrize("name", FORMATS)
def test_a_stranger_among_values_of_a_format_takes_the_format_away(name: str) -> None:
    sample = {
        "email": "a@b.org",
        "uuid": "123e4567-e89b-12d3-a456-426614174000",
        "ipv4": "10.0.0.1",
        "url": "ftp://a.org/x",
        "phone": "+47 22 33 44 55",
        "iban": "NO9386011117947",
        "hex digest": "0" * 40,
        "time": "10:30",
        "card number": "1234-5678-9012-3456",
    }[name]
    assert format_of(pl.Series([sample] * 300)) == name
    assert format_of(pl.Series([*[sample] * 300, "-"])) is None


@pytest.mark.parametrize("name", ["email_address", "lastName", "SSN", "customer_name", "date_of_birth", "name"])
def test_names_that_speak_of_a_person(name: str) -> None:
    assert classified(name) == "pii"
    assert classified(f"x{name}x".lower()) is None or "_" in name
