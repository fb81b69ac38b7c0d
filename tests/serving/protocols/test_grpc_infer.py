"""A gRPC request is the HTTP request that says the same: typed contents and raw bytes give the same rows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.protocols.test_oip import SHOP

from flyball.core.errors import BadInput
from flyball.serving.protocols.binary_tensors import written_tensor
from flyball.serving.protocols.bodies import line
from flyball.serving.protocols.oip import rows_of
from flyball.serving.protocols.oip_request import infer_request

pytest.importorskip("google.protobuf", reason="protobuf is not there")

from google.protobuf.message import DecodeError

from flyball.serving.protocols.grpc_infer import body_of
from flyball.serving.serve.grpc_messages import messages

INT32 = st.integers(-(2**31), 2**31 - 1)


def request(cards: list[bytes], amounts: list[float], items: list[int], datatype: str = "INT32") -> Any:
    made = messages()["ModelInferRequest"](model_name="shop")
    n = len(cards)
    made.inputs.add(name="card", datatype="BYTES", shape=[n]).contents.bytes_contents.extend(cards)
    made.inputs.add(name="amount", datatype="FP64", shape=[n, 1]).contents.fp64_contents.extend(amounts)
    made.inputs.add(name="items", datatype=datatype, shape=[n]).contents.int_contents.extend(items)
    return made


def rows_in(made: Any) -> list[dict[str, Any]]:
    body, size = body_of(made)
    return rows_of(*infer_request(body, str(size), SHOP), SHOP, max_rows=100)


@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False), INT32), min_size=1, max_size=5))
def test_typed_contents_and_raw_bytes_are_the_same_rows(rows: list[tuple[str, float, int]]) -> None:
    cards, amounts, items = [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]
    typed = request([card.encode() for card in cards], amounts, items)
    raw = request([card.encode() for card in cards], amounts, items)
    for tensor in raw.inputs:
        tensor.ClearField("contents")
    written = (written_tensor(cards, "BYTES"), written_tensor(amounts, "FP64"), written_tensor(items, "INT32"))
    raw.raw_input_contents.extend(written)
    expected = [{"card": c, "amount": a, "items": i} for c, a, i in rows]
    assert rows_in(typed) == rows_in(raw) == expected


def test_parameters_come_over_and_those_of_http_do_not() -> None:
    made = request([b"c"], [1.0], [1])
    made.parameters["binary_data_output"].bool_param = False
    made.parameters["note"].string_param = "x"
    made.outputs.add(name="score").parameters["binary_data"].bool_param = False
    body, size = body_of(made)
    found, _ = infer_request(body, str(size), SHOP)
    assert found.parameters == {"note": "x", "binary_data_output": True}
    assert found.outputs is not None
    assert found.outputs[0].parameters == {}


@pytest.mark.parametrize(
    ("datatype", "items", "words"),
    [
        ("INT8", [300], "items: expected values of datatype INT8"),
        ("FP16", [1], "items: expected raw_input_contents, or a datatype of BOOL"),
        ("FP64", [1], "items: expected fp64_contents for datatype FP64, found int_contents"),
    ],
)
def test_contents_that_cannot_be_told_are_named(datatype: str, items: list[int], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        body_of(request([b"c"], [1.0], items, datatype))
    assert words in line(caught.value)


@given(st.lists(st.tuples(st.integers(0, 400), st.binary(max_size=4)), min_size=1, max_size=3))
def test_a_message_with_any_bytes_changed_is_rows_or_is_refused(changes: list[tuple[int, bytes]]) -> None:
    raw = request([b"c", b"d"], [1.0, 2.0], [1, 2])
    raw.parameters["note"].double_param = 1.5
    raw.outputs.add(name="score").parameters["classification"].int64_param = 1
    found = bytearray(raw.SerializeToString())
    for place, piece in changes:
        found[place % len(found) : place % len(found) + len(piece)] = piece
    try:
        made = messages()["ModelInferRequest"].FromString(bytes(found))
    except DecodeError:
        return
    try:
        rows = rows_in(made)
    except BadInput as refused:
        rows = []
        words = line(refused)
    else:
        words = ""
    assert bool(rows) != bool(words)
