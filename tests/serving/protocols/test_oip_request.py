"""JSON with raw tensors behind it: the published example, the same rows as JSON gives, and every way to be wrong."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.protocols.test_oip import SHOP, rows_in, tensor

from flyball.core.contract import Column
from flyball.core.errors import BadInput
from flyball.serving.protocols.binary_tensors import written_tensor
from flyball.serving.protocols.bodies import line
from flyball.serving.protocols.oip import rows_of
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.protocols.oip_request import infer_request

EXAMPLE = (
    b'{"id":"r1","inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}},'
    b'{"name":"s","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":12}}],'
    b'"outputs":[{"name":"y","parameters":{"binary_data":true}}]}'
)
ONE = Signature(service="one", task="regression", columns=(Column(name="a", kind="number"),), label="number")
WORD = Signature(service="one", task="regression", columns=(Column(name="a", kind="string"),), label="number")


def raw(name: str, datatype: str, data: list[Any], size: int | None = None) -> tuple[dict[str, Any], bytes]:
    body = written_tensor(data, datatype)
    parameters = {"binary_data_size": len(body) if size is None else size}
    return {"name": name, "shape": [len(data), 1], "datatype": datatype, "parameters": parameters}, body


def mixed(*tensors: tuple[dict[str, Any], bytes], behind: bytes = b"") -> tuple[bytes, str]:
    """Body and header."""
    head = msgspec.json.encode({"inputs": [given for given, _ in tensors]})
    return head + b"".join(body for _, body in tensors) + behind, str(len(head))


def test_the_published_example_is_cut_where_it_says() -> None:
    body = EXAMPLE + bytes.fromhex("0000803f00002040000000be") + bytes.fromhex("020000006162020000006364")
    assert (len(EXAMPLE), len(body)) == (244, 268)
    request, found = infer_request(body, "244", SHOP)
    assert request.id == "r1"
    assert [part and part.hex() for part in found] == ["0000803f00002040000000be", "020000006162020000006364"]


@given(st.lists(st.tuples(st.text(), st.floats(0, 1000), st.integers(-9, 9)), min_size=1, max_size=8))
def test_raw_tensors_are_the_same_rows_as_json(rows: list[tuple[str, float, int]]) -> None:
    cards, amounts, items = ([r[i] for r in rows] for i in range(3))
    body, size = mixed(
        raw("card", "BYTES", cards), raw("amount", "FP64", amounts), (tensor("items", "INT64", items), b"")
    )
    expected = rows_in(
        SHOP, tensor("card", "BYTES", cards), tensor("amount", "FP64", amounts), tensor("items", "INT64", items)
    )
    assert rows_of(*infer_request(body, size, SHOP), SHOP, max_rows=10) == expected


def test_a_body_without_json_is_the_only_input() -> None:
    request, found = infer_request(written_tensor([1.0, 2.0], "FP64"), "0", ONE)
    assert rows_of(request, found, ONE, max_rows=10) == [{"a": 1.0}, {"a": 2.0}]
    assert request.parameters == {"binary_data_output": True}
    assert rows_of(*infer_request("größer".encode(), "0", WORD), WORD, max_rows=10) == [{"a": "größer"}]


def test_a_model_with_several_inputs_needs_the_json() -> None:
    with pytest.raises(BadInput, match="several inputs"):
        infer_request(b"1234", "0", SHOP)


@pytest.mark.parametrize("size", ["-1", "1e2", "99999999", "x", "", "٣", "9" * 40])
def test_a_length_that_the_body_does_not_have_is_refused(size: str) -> None:
    with pytest.raises(BadInput, match="Inference-Header-Content-Length"):
        infer_request(b"{}", size, SHOP)


@pytest.mark.parametrize(
    ("body_and_size", "words"),
    [
        (mixed(raw("card", "BYTES", ["c"]), raw("amount", "FP64", [1.0]), behind=b"x"), "nothing behind the last"),
        (mixed(raw("card", "BYTES", ["c"], size=99)), "99 bytes behind the JSON"),
        (mixed(raw("card", "BYTES", ["c"], size=-1)), "as a number of bytes"),
        (mixed(raw("card", "BYTES", ["c"], size=True)), "as a number of bytes"),
        (mixed((tensor("card", "BYTES", ["c"]) | {"parameters": {"binary_data_size": 0}}, b"")), "found both"),
        (mixed(({"name": "card", "shape": [1], "datatype": "BYTES"}, b"")), "found neither"),
        (mixed(raw("card", "BYTES", ["c"]), raw("amount", "FP64", [1.0], size=7), behind=b""), "1 bytes"),
    ],
)
def test_every_fault_of_the_cut_is_named(body_and_size: tuple[bytes, str], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        infer_request(*body_and_size, SHOP)
    assert words in line(caught.value)


def test_all_faults_of_all_raw_tensors_are_told_at_once() -> None:
    card, amount = raw("card", "BYTES", ["ab"]), raw("amount", "FP64", [1.0])
    card[0]["shape"], amount[0]["shape"] = [2, 1], [3]
    with pytest.raises(BadInput) as caught:
        rows_of(*infer_request(*mixed(card, amount), SHOP), SHOP, max_rows=10)
    assert "1 elements where the shape says 2" in line(caught.value)
    assert "8 bytes where 3 values of FP64 take 24" in line(caught.value)
