"""Tensors as bytes: what is written can be read, the published example, and every way in which bytes can be wrong."""

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.serving.protocols.binary_tensors import SIZES, read_tensor, written_tensor

WHOLE = [name for name in SIZES if "INT" in name]


@given(st.lists(st.floats(allow_nan=False)))
def test_floats_come_back(values: list[float]) -> None:
    assert read_tensor(written_tensor(values, "FP64"), "FP64", len(values)) == values


@given(st.lists(st.text()))
def test_texts_come_back(values: list[str]) -> None:
    assert read_tensor(written_tensor(values, "BYTES"), "BYTES", len(values)) == values


@given(st.lists(st.booleans()))
def test_booleans_come_back(values: list[bool]) -> None:
    assert read_tensor(written_tensor(values, "BOOL"), "BOOL", len(values)) == values


@given(st.sampled_from(WHOLE), st.data())
def test_integers_of_every_width_come_back(datatype: str, data: st.DataObject) -> None:
    bits = 8 * SIZES[datatype]
    low, high = (0, 2**bits - 1) if datatype.startswith("U") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    values = data.draw(st.lists(st.integers(low, high)))
    assert read_tensor(written_tensor(values, datatype), datatype, len(values)) == values


def test_the_published_example() -> None:
    assert read_tensor(bytes.fromhex("0000803f00002040000000be"), "FP32", 3) == [1.0, 2.5, -0.125]
    assert read_tensor(bytes.fromhex("020000006162020000006364"), "BYTES", 2) == ["ab", "cd"]


def test_sixteen_bits() -> None:
    assert read_tensor(struct.pack("<2e", 1.5, -2.0), "FP16", 2) == [1.5, -2.0]
    upper_half = struct.pack("<f", 1.5)[2:]
    assert read_tensor(upper_half, "BF16", 1) == [1.5]


def test_a_missing_value_is_nan() -> None:
    (value,) = read_tensor(written_tensor([None], "FP64"), "FP64", 1)
    assert math.isnan(value)


@pytest.mark.parametrize(
    ("raw", "datatype", "count", "words"),
    [
        (b"1234567", "FP64", 1, "7 bytes where 1 values of FP64 take 8"),
        (b"", "INT8", 10**18, "0 bytes where"),
        (b"\x02", "BOOL", 1, "neither 0 nor 1"),
        (b"\x05\0\0\0ab", "BYTES", 1, "element 0 says 5 bytes, 2 are left"),
        (b"\0\0\0\0\0", "BYTES", 1, "1 bytes behind element 1"),
        (b"\0\0\0\0", "BYTES", 2, "1 elements where the shape says 2"),
        (b"\x01\0\0\0\xff", "BYTES", 1, "element 0 is no UTF-8 text"),
    ],
)
def test_bytes_that_are_no_such_tensor_are_refused(raw: bytes, datatype: str, count: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_tensor(raw, datatype, count)


@given(st.binary(max_size=40), st.sampled_from([*SIZES, "BYTES"]), st.integers(0, 6))
def test_any_bytes_are_a_tensor_or_refused(raw: bytes, datatype: str, count: int) -> None:
    try:
        found = read_tensor(raw, datatype, count)
    except ValueError:
        return
    assert len(found) == count
