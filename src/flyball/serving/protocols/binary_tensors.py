"""Tensors as bytes: little-endian, row-major, without padding, as the binary extension and gRPC send them.

BOOL is one byte, BYTES a little-endian uint32 length before each element. A missing value can only be said by NaN.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SIZES: Mapping[str, int] = {
    "BOOL": 1,
    "INT8": 1,
    "INT16": 2,
    "INT32": 4,
    "INT64": 8,
    "UINT8": 1,
    "UINT16": 2,
    "UINT32": 4,
    "UINT64": 8,
    "FP16": 2,
    "BF16": 2,
    "FP32": 4,
    "FP64": 8,
}
BYTES = "BYTES"
_DTYPES: Mapping[str, str] = {
    "INT8": "<i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "UINT8": "<u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "FP16": "<f2",
    "FP32": "<f4",
    "FP64": "<f8",
}
_LENGTH = struct.Struct("<I")


def read_tensor(raw: memoryview | bytes, datatype: str, count: int) -> list[Any]:
    """`count` values; BYTES as text.

    Raises: ValueError: another size, a length that overruns, bytes that are no UTF-8, a BOOL that is neither 0 nor 1.

    >>> read_tensor(bytes.fromhex("0000803f00002040000000be"), "FP32", 3)
    [1.0, 2.5, -0.125]
    >>> read_tensor(bytes.fromhex("020000006162020000006364"), "BYTES", 2)
    ['ab', 'cd']
    """
    if datatype == BYTES:
        return _texts(bytes(raw), count)
    size = SIZES[datatype]
    if len(raw) != count * size:
        raise ValueError(f"{len(raw)} bytes where {count} values of {datatype} take {count * size}")
    match datatype:
        case "BOOL":
            values = np.frombuffer(raw, "u1")
            if values.size and values.max() > 1:
                raise ValueError("a byte that is neither 0 nor 1")
            return list(values.astype(bool).tolist())
        case "BF16":  # the upper half of a float32
            return list((np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4").tolist())
        case _:
            return list(np.frombuffer(raw, _DTYPES[datatype]).tolist())


def written_tensor(values: Sequence[Any], datatype: str) -> bytes:
    """The values as bytes; None is NaN.

    >>> written_tensor([1.0, None], "FP64").hex()
    '000000000000f03f000000000000f87f'
    """
    match datatype:
        case "BYTES":
            parts = [value if isinstance(value, bytes) else str(value).encode() for value in values]
            return b"".join(_LENGTH.pack(len(part)) + part for part in parts)
        case "BOOL":
            return bytes(int(bool(value)) for value in values)
        case "FP32" | "FP64":
            numbers = [np.nan if value is None else value for value in values]
            return np.array(numbers, _DTYPES[datatype]).tobytes()
        case _:
            return np.array([int(value) for value in values], _DTYPES[datatype]).tobytes()


def _texts(raw: bytes, count: int) -> list[str]:
    found: list[str] = []
    place, end = 0, len(raw)
    while place < end:
        if end - place < _LENGTH.size:
            raise ValueError(f"{end - place} bytes behind element {len(found)}: a length takes 4")
        (length,) = _LENGTH.unpack_from(raw, place)
        place += _LENGTH.size
        if length > end - place:
            raise ValueError(f"element {len(found)} says {length} bytes, {end - place} are left")
        try:
            found.append(raw[place : place + length].decode())
        except UnicodeDecodeError as error:
            raise ValueError(f"element {len(found)} is no UTF-8 text") from error
        place += length
    if len(found) != count:
        raise ValueError(f"{len(found)} elements where the shape says {count}")
    return found
