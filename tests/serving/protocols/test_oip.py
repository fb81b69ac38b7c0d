"""Open Inference Protocol V2: tensors in every allowed shape become the same rows; everything else is named."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CHAMPION, CONTRACT, Told, gateway, routing

from flyball.core.contract import Column
from flyball.core.errors import BadInput
from flyball.serving.protocols.bodies import line
from flyball.serving.protocols.oip import rows_of
from flyball.serving.protocols.oip_model import Signature, metadata, release_of
from flyball.serving.protocols.oip_request import infer_request
from flyball.serving.protocols.oip_response import response_of

INPUTS = tuple(column for column in CONTRACT.columns if column.name != "fraud")
SHOP = Signature(service="shop", task="binary", columns=INPUTS, label="integer")
NUMBERS = Signature(
    service="n",
    task="regression",
    columns=(Column(name="a", kind="number", required=True), Column(name="b", kind="integer")),
    label="number",
)


def tensor(name: str, datatype: str, data: list[Any], shape: list[int] | None = None) -> dict[str, Any]:
    return {"name": name, "shape": shape or [len(data)], "datatype": datatype, "data": data}


def rows_in(signature: Signature, *tensors: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    body = msgspec.json.encode({"inputs": list(tensors)} | more)
    return rows_of(*infer_request(body, None, signature), signature, max_rows=1000)


@given(st.lists(st.tuples(st.text(), st.floats(0, 1000), st.integers(-9, 9)), min_size=1, max_size=8))
def test_flat_and_nested_tensors_are_the_same_rows(rows: list[tuple[str, float, int]]) -> None:
    n = len(rows)
    cards, amounts, items = ([r[i] for r in rows] for i in range(3))
    expected = [{"card": c, "amount": a, "items": i} for c, a, i in rows]
    flat = (tensor("card", "BYTES", cards), tensor("amount", "FP64", amounts), tensor("items", "INT64", items))
    nested = (
        tensor("card", "BYTES", [[c] for c in cards], [n, 1]),
        tensor("amount", "FP32", amounts, [n, 1]),
        tensor("items", "INT8", items),
    )
    assert rows_in(SHOP, *flat) == rows_in(SHOP, *nested) == expected


def test_one_tensor_for_all_where_all_are_numbers() -> None:
    matrix = tensor("x", "FP64", [1.5, 2.0, 3.5, 4.0], [2, 2])
    assert rows_in(NUMBERS, matrix) == [{"a": 1.5, "b": 2}, {"a": 3.5, "b": 4}]


def test_null_is_a_missing_value_and_an_optional_input_may_be_left_out() -> None:
    assert rows_in(SHOP, tensor("card", "BYTES", ["c"]), tensor("amount", "FP64", [None])) == [
        {"card": "c", "amount": None}
    ]


CARD, AMOUNT = tensor("card", "BYTES", ["c"]), tensor("amount", "FP64", [1.0])


@pytest.mark.parametrize(
    ("tensors", "words"),
    [
        ([CARD], "amount: expected a tensor for this required input"),
        ([CARD, CARD, AMOUNT], "a second tensor of this name"),
        ([CARD, tensor("amount", "FP64", [1.0, 2.0])], "tensors of one length"),
        ([CARD, tensor("amount", "FP64", [1.0], [2])], "2 values for shape [2]"),
        ([CARD, tensor("amount", "FP16", [1.0])], "raw bytes: JSON has no 16-bit numbers"),
        ([CARD, tensor("amount", "FP128", [1.0])], "datatype FP64 for a column of kind number"),
        ([CARD, tensor("amount", "FP64", [[[1.0]]], [1, 1])], "amount[0]: expected a value of datatype FP64"),
        ([CARD, tensor("amount", "BYTES", ["1"])], "datatype FP64"),
        ([CARD, AMOUNT, tensor("items", "INT64", [1.5])], "items[0]: expected a value of datatype INT64"),
        ([CARD, AMOUNT, tensor("items", "UINT8", [300])], "items[0]: expected a value of datatype UINT8"),
        ([CARD, AMOUNT, tensor("items", "INT64", [True])], "items[0]: expected a value of datatype INT64"),
        ([CARD, AMOUNT, tensor("colour", "BYTES", ["red"])], "colour: expected one of card, amount, items"),
        ([CARD, tensor("amount", "FP64", [1.0], [-1])], "sizes >= 0"),
        ([CARD, tensor("amount", "FP64", [1.0], [1, 1, 1])], "shape [n] or [n,1]"),
        ([tensor("x", "FP64", [1.0, 2.0], [1, 2])], "not all inputs are numbers"),
        (
            [{"name": "card", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 5}}, AMOUNT],
            "5 bytes behind the JSON",
        ),
    ],
)
def test_every_fault_is_named(tensors: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        rows_in(SHOP, *tensors)
    assert words in line(caught.value)


def test_an_output_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadInput, match="colour"):
        rows_in(SHOP, CARD, AMOUNT, outputs=[{"name": "colour"}])


def test_no_rows_are_no_request() -> None:
    with pytest.raises(BadInput, match="1 to 1000 rows"):
        rows_in(SHOP, tensor("card", "BYTES", [], [0]), tensor("amount", "FP64", [], [0]))


def test_the_answer_echoes_the_id_and_gives_the_tensors_that_were_asked_for() -> None:
    body = {"id": "q1", "model_name": "shop", "inputs": [CARD, AMOUNT], "outputs": [{"name": "score"}]}
    request, raw = infer_request(msgspec.json.encode(body), None, SHOP)
    rows = rows_of(request, raw, SHOP, max_rows=10)
    core = gateway()
    core.route(routing())
    batch, asks = core.begin(rows, request_id="q1", at=[1.0])
    core.take(batch, asks[0], Told(CHAMPION).predict(asks[0].rows))
    text, json_bytes = response_of(request, batch, core.finish(batch, ended=0.0), SHOP)
    assert json_bytes is None
    answer = msgspec.json.decode(text)
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("shop", "aa01", "q1")
    assert answer["parameters"]["prediction_ids"] == batch.ids[0]
    assert answer["outputs"] == [{"name": "score", "datatype": "FP64", "shape": [1], "data": [0.001]}]


def test_metadata_names_inputs_and_outputs() -> None:
    found = metadata(SHOP, ["sha256:aa01"])
    assert found["versions"] == ["aa01"]
    assert found["inputs"][0] == {"name": "card", "datatype": "BYTES", "shape": [-1, 1]}
    assert [output["name"] for output in found["outputs"]] == ["prediction", "score"]
    assert [output["name"] for output in metadata(NUMBERS, [])["outputs"]] == ["prediction"]


def test_a_version_is_a_prefix_of_exactly_one_digest() -> None:
    releases = ["sha256:aa01", "sha256:aa99", "sha256:bb02"]
    assert release_of("bb", releases) == "sha256:bb02"
    assert release_of("aa", releases) is None
    assert release_of("", releases) is None
    assert release_of("sha256:aa01", releases) == "sha256:aa01"
