"""A gRPC inference request as the HTTP request that says the same, and its answer back.

One door for both protocols: who may ask, what is refused and what is recorded cannot differ between them. Tensors
travel as raw bytes in either direction. A client that sent typed contents gets typed contents, one that sent raw bytes
gets raw bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flyball.core.errors import Fault
from flyball.serving.protocols.binary_tensors import read_tensor, written_tensor
from flyball.serving.protocols.bodies import fault, refusal
from flyball.serving.protocols.oip_request import BINARY_SIZE

WHERE = "ModelInfer"
CONTENTS: Mapping[str, str] = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}
_OF_HTTP = frozenset({BINARY_SIZE, "binary_data", "binary_data_output"})  # say nothing here
_CHOICE = "parameter_choice"


def body_of(request: Any) -> tuple[bytes, int]:
    """The body for `.../infer`, and the bytes of its JSON. `request`: a ModelInferRequest.

    Raises: BadInput: naming every tensor whose bytes cannot be told.
    """
    faults: list[Fault] = []
    parts = list(request.raw_input_contents)
    if parts and len(parts) != len(request.inputs):
        expected = f"{len(request.inputs)} raw_input_contents, one an input"
        faults.append(fault(WHERE, "raw_input_contents", expected, f"{len(parts)}"))
    elif parts:
        filled = [tensor.name for tensor in request.inputs if tensor.HasField("contents")]
        faults += [fault(WHERE, name, "contents or raw_input_contents", "both") for name in filled]
    else:
        parts = [_bytes_of(tensor, faults) for tensor in request.inputs]
    if faults:
        raise refusal(WHERE, faults)
    document: dict[str, Any] = {
        "inputs": [
            {
                "name": tensor.name,
                "shape": list(tensor.shape),
                "datatype": tensor.datatype,
                "parameters": _values(tensor.parameters) | {BINARY_SIZE: len(part)},
            }
            for tensor, part in zip(request.inputs, parts, strict=True)
        ],
        "outputs": [{"name": wanted.name, "parameters": _values(wanted.parameters)} for wanted in request.outputs],
        "parameters": _values(request.parameters) | {"binary_data_output": True},
    }
    if request.id:
        document["id"] = request.id
    text = msgspec.json.encode(document)
    return b"".join([text, *parts]), len(text)


def reply_of(answer: bytes, json_bytes: int, messages: Mapping[str, Any], *, raw: bool) -> Any:
    """A ModelInferResponse. `answer`: the body of a 200; `json_bytes`: how much of it is JSON."""
    head = msgspec.json.decode(answer[:json_bytes])
    reply = messages["ModelInferResponse"](
        model_name=head["model_name"], model_version=head.get("model_version", ""), id=head.get("id", "")
    )
    _put(reply.parameters, head["parameters"])
    place = json_bytes
    for told in head["outputs"]:
        parameters = told.get("parameters", {})
        size = parameters[BINARY_SIZE]
        part, place = answer[place : place + size], place + size
        tensor = reply.outputs.add(name=told["name"], datatype=told["datatype"], shape=told["shape"])
        _put(tensor.parameters, {name: value for name, value in parameters.items() if name != BINARY_SIZE})
        if raw:
            reply.raw_output_contents.append(part)
        else:
            _fill(tensor, part)
    return reply


def _bytes_of(tensor: Any, faults: list[Fault]) -> bytes:
    """Typed contents as raw bytes."""
    field = CONTENTS.get(tensor.datatype)
    if field is None:
        known = ", ".join(CONTENTS)
        faults.append(fault(WHERE, tensor.name, f"raw_input_contents, or a datatype of {known}", tensor.datatype))
        return b""
    others = [name for name in sorted({*CONTENTS.values()} - {field}) if len(getattr(tensor.contents, name))]
    if others:
        faults.append(fault(WHERE, tensor.name, f"{field} for datatype {tensor.datatype}", ", ".join(others)))
        return b""
    try:
        return written_tensor(getattr(tensor.contents, field), tensor.datatype)
    except OverflowError:
        faults.append(fault(WHERE, tensor.name, f"values of datatype {tensor.datatype}", "a value out of its range"))
        return b""


def _fill(tensor: Any, part: bytes) -> None:
    count = 1
    for size in tensor.shape:
        count *= size
    values: Sequence[Any] = read_tensor(part, tensor.datatype, count)
    if tensor.datatype == "BYTES":
        values = [str(value).encode() for value in values]
    getattr(tensor.contents, CONTENTS[tensor.datatype]).extend(values)


def _values(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """A map of InferParameter as JSON has it."""
    found = {}
    for name, parameter in parameters.items():
        chosen = parameter.WhichOneof(_CHOICE)
        if chosen is not None and name not in _OF_HTTP:
            found[name] = getattr(parameter, chosen)
    return found


def _put(parameters: Any, values: Mapping[str, Any]) -> None:
    """JSON values into a map of InferParameter."""
    for name, value in values.items():
        match value:
            case bool():
                parameters[name].bool_param = value
            case int():
                parameters[name].int64_param = value
            case float():
                parameters[name].double_param = value
            case _:
                parameters[name].string_param = str(value)
