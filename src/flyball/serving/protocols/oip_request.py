"""An infer request as it comes over HTTP: JSON, JSON with raw tensors behind it, or one raw tensor alone.

The header `Inference-Header-Content-Length` gives the bytes of the JSON in an (unpacked) body; the raw tensors follow
in the order of `inputs`, each as long as its `binary_data_size` says. 0 means no JSON at all: the body is the only
input's tensor, and the answer comes in raw tensors too.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from flyball.core.errors import Fault
from flyball.serving.protocols.binary_tensors import BYTES, SIZES
from flyball.serving.protocols.bodies import fault, read, refusal
from flyball.serving.protocols.oip_model import DATATYPES, Signature

WHERE = "inputs"
BINARY_SIZE = "binary_data_size"
Parameters = dict[str, str | int | float | bool]
Raw = Sequence[bytes | None]  # one an input, in their order; None: its values are in the JSON


class Input(msgspec.Struct):
    """One input tensor; its values are in `data`, or among the raw tensors."""

    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: Parameters | None = None


class Wanted(msgspec.Struct):
    """One output that the client asks for."""

    name: str
    parameters: Parameters | None = None


class InferRequest(msgspec.Struct):
    """Unknown keys are tolerated: the KServe client sends `model_name`."""

    inputs: list[Input]
    id: str | None = None
    outputs: list[Wanted] | None = None
    parameters: Parameters | None = None


def infer_request(body: bytes, json_bytes: str | None, signature: Signature) -> tuple[InferRequest, Raw]:
    """The request of a body, and its raw tensors. `json_bytes`: the header's text; None: it is JSON alone.

    Raises: BadInput: naming every fault.
    """
    if json_bytes is None:
        request = read(body, InferRequest, WHERE)
        return request, _raw_of(request.inputs, b"")
    size = int(json_bytes) if json_bytes.isascii() and json_bytes.isdigit() and len(json_bytes) < 20 else -1
    if not 0 <= size <= len(body):
        expected = f"a number of bytes from 0 to {len(body)}, the size of the body"
        raise refusal(WHERE, [fault(WHERE, "Inference-Header-Content-Length", expected, json_bytes)])
    if size == 0:
        return _raw_request(body, signature)
    request = read(body[:size], InferRequest, WHERE)
    return request, _raw_of(request.inputs, body[size:])


def _raw_request(body: bytes, signature: Signature) -> tuple[InferRequest, Raw]:
    """The body is the tensor: one value of text, or as many of a fixed size as there are."""
    if len(signature.columns) != 1:
        expected = "a JSON header, because the model has several inputs"
        raise refusal(WHERE, [fault(WHERE, "Inference-Header-Content-Length", expected, "0")])
    column = signature.columns[0]
    datatype = DATATYPES[column.kind]
    if datatype == BYTES:
        count, raw = 1, len(body).to_bytes(4, "little") + body
    else:
        count, raw = len(body) // SIZES[datatype], body
    tensor = Input(name=column.name, shape=[count, 1], datatype=datatype)
    return InferRequest(inputs=[tensor], parameters={"binary_data_output": True}), [raw]


def _raw_of(inputs: Sequence[Input], rest: bytes) -> Raw:
    """Each input's share of the bytes behind the JSON."""
    faults: list[Fault] = []
    found: list[bytes | None] = [None] * len(inputs)
    place = 0
    for number, given in enumerate(inputs):
        size = (given.parameters or {}).get(BINARY_SIZE)
        if size is None:
            if given.data is None:
                faults.append(fault(WHERE, given.name, f"`data`, or `parameters.{BINARY_SIZE}`", "neither"))
        elif not isinstance(size, int) or isinstance(size, bool) or size < 0:
            faults.append(fault(WHERE, given.name, f"`{BINARY_SIZE}` as a number of bytes", size))
        elif given.data is not None:
            faults.append(fault(WHERE, given.name, "`data` or raw bytes", "both"))
        elif size > len(rest) - place:
            expected = f"{size} bytes behind the JSON, as `{BINARY_SIZE}` says"
            faults.append(fault(WHERE, given.name, expected, f"{len(rest) - place}"))
            place = len(rest)
        else:
            found[number] = rest[place : place + size]
            place += size
    if not faults and place < len(rest):
        faults.append(fault(WHERE, "body", "nothing behind the last tensor", f"{len(rest) - place} bytes"))
    if faults:
        raise refusal(WHERE, faults)
    return found
