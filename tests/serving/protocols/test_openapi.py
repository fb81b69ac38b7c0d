"""The OpenAPI document is one, names every column, and describes what the routes really take."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.serving.parts import checker
from tests.serving.protocols.test_oip import NUMBERS, SHOP

from flyball.contracts.rows.scalars import scalar_test
from flyball.core.contract import Column
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.protocols.openapi import Described, document
from flyball.serving.protocols.openapi_schemas import cell

PETS = Signature(
    service="pets",
    task="multiclass",
    columns=(
        Column(name="born", kind="date", minimum="2020-01-01"),
        Column(name="wild", kind="boolean", required=True),
    ),
    label="string",
)


def described(*signatures: Signature) -> dict[str, Any]:
    return document([Described(signature=one, max_rows=100) for one in signatures], "1.0")


@pytest.mark.parametrize("signatures", [(SHOP,), (SHOP, NUMBERS, PETS)])
def test_it_is_a_document_of_openapi_3_1(signatures: tuple[Signature, ...]) -> None:
    found = described(*signatures)
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
    assert ("/invocations" in found["paths"]) == (len(signatures) == 1)


def test_a_row_has_the_columns_and_its_promises_in_words() -> None:
    row = described(SHOP)["components"]["schemas"]["shop.row"]
    assert row["required"] == ["card", "amount"]
    assert row["properties"]["amount"] == {"type": "number", "description": "at least 0; at most 1000"}
    assert row["properties"]["items"]["type"] == ["integer", "null"]
    assert described(PETS)["components"]["schemas"]["pets.row"]["properties"]["born"]["description"] == (
        "at least 2020-01-01"
    )


CELLS = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(-1e9, 1e9) | st.text(max_size=5)


@given(CELLS, st.booleans(), st.sampled_from(["string", "integer", "number", "boolean"]))
def test_what_the_schema_allows_is_what_the_contract_reads(value: Any, required: bool, kind: Any) -> None:
    column = Column(name="x", kind=kind, required=required)
    reads = scalar_test(column)(value) not in ("type", "required")
    assert Draft202012Validator(cell(column)).is_valid(value) == reads


def test_the_example_of_an_infer_request_can_be_read() -> None:
    body = described(SHOP)["paths"]["/v2/models/shop/infer"]["post"]["requestBody"]["content"]["application/json"]
    row = {tensor["name"]: tensor["data"][0] for tensor in body["example"]["inputs"]}
    assert checker().check([row]) == [None]
    assert Draft202012Validator(body["schema"]).is_valid(body["example"])
