"""Open Inference Protocol V2 over JSON: tensors to rows, records to tensors, and what a model says of itself.

A feature is a tensor of its own, [n] or [n,1]; a service whose inputs are all numbers also takes one tensor [n,F] in
the contract's order. A `null` in a tensor is a missing value (the protocol has no other way to say it in JSON). Tensors
have no place for an error, so one rejected row makes the request a 400 that names each such row.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flyball.core.contract import Column, Kind
from flyball.core.errors import Fault
from flyball.core.ids import short
from flyball.core.prediction import PredictionRecord
from flyball.core.service import Task
from flyball.serving.batch import Batch
from flyball.serving.bodies import fault, read, refusal
from flyball.serving.tensors import flat, wrong_value

WHERE = "inputs"
_DATATYPES: Mapping[Kind, str] = {
    "string": "BYTES",
    "integer": "INT64",
    "number": "FP64",
    "boolean": "BOOL",
    "date": "BYTES",
    "timestamp": "BYTES",
}
_INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
_ACCEPTED: Mapping[Kind, frozenset[str]] = {
    "string": frozenset({"BYTES"}),
    "integer": _INTEGERS,
    "number": _INTEGERS | {"FP32", "FP64"},
    "boolean": frozenset({"BOOL"}),
    "date": frozenset({"BYTES"}),
    "timestamp": frozenset({"BYTES"}),
}
_NUMERIC: frozenset[Kind] = frozenset({"integer", "number"})


class Input(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    data: list[Any] | None = None
    parameters: dict[str, Any] = {}


class Wanted(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct):
    """Unknown keys are tolerated: the KServe client sends `model_name`."""

    inputs: list[Input]
    id: str | None = None
    outputs: list[Wanted] | None = None


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What a service takes and gives."""

    service: str
    task: Task
    columns: tuple[Column, ...]  # inputs in the contract's order
    label: Kind


def request_of(body: bytes, signature: Signature, *, max_rows: int) -> tuple[InferRequest, list[dict[str, Any]]]:
    """The request and its rows.

    Raises: BadInput: naming every fault of every tensor.
    """
    request = read(body, InferRequest, WHERE)
    faults: list[Fault] = []
    columns = _columns_of(request.inputs, signature, faults)
    sizes = {len(values) for values in columns.values()}
    if not faults and len(sizes) > 1:
        faults.append(fault(WHERE, "inputs", "tensors of one length", f"lengths {sorted(sizes)}"))
    rows = sizes.pop() if len(sizes) == 1 else 0
    if not faults and not 0 < rows <= max_rows:
        faults.append(fault(WHERE, "inputs", f"1 to {max_rows} rows", f"{rows}"))
    outputs = {output["name"] for output in outputs_of(signature)}
    for wanted in request.outputs or ():
        if wanted.name not in outputs:
            faults.append(fault("outputs", wanted.name, f"one of {', '.join(sorted(outputs))}", "no such output"))
    if faults:
        raise refusal(WHERE, faults)
    names = list(columns)
    return request, [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def response_of(
    request: InferRequest, batch: Batch, records: Sequence[PredictionRecord], signature: Signature
) -> bytes:
    """The answers as tensors; the prediction ids, for labels, in `parameters.prediction_ids`."""
    wanted = None if request.outputs is None else {output.name for output in request.outputs}
    releases = {record.release for record in records}
    document: dict[str, Any] = {"model_name": signature.service}
    if len(releases) == 1:
        document["model_version"] = short(releases.pop())
    if request.id is not None:
        document["id"] = request.id
    document["parameters"] = {"prediction_ids": ",".join(batch.ids)}
    document["outputs"] = [t for t in _tensors(records, signature) if wanted is None or t["name"] in wanted]
    return msgspec.json.encode(document)


def metadata(signature: Signature, versions: Sequence[str]) -> dict[str, Any]:
    """`GET /v2/models/{m}`."""
    return {
        "name": signature.service,
        "versions": [short(version) for version in versions],
        "platform": "flyball",
        "inputs": [
            {"name": column.name, "datatype": _DATATYPES[column.kind], "shape": [-1, 1]} for column in signature.columns
        ],
        "outputs": outputs_of(signature),
    }


def outputs_of(signature: Signature) -> list[dict[str, Any]]:
    prediction = "FP64" if signature.task == "regression" else _DATATYPES[signature.label]
    outputs: list[dict[str, Any]] = [{"name": "prediction", "datatype": prediction, "shape": [-1]}]
    if signature.task == "binary":
        outputs.append({"name": "score", "datatype": "FP64", "shape": [-1]})
    if signature.task == "multiclass":
        outputs.append({"name": "scores", "datatype": "FP64", "shape": [-1, -1]})
    return outputs


def release_of(prefix: str, releases: Sequence[str]) -> str | None:
    """The one loaded release whose digest begins so; None: none, or more than one.

    >>> release_of("ab1", ["sha256:ab12cd", "sha256:ab99"]), release_of("ab", ["sha256:ab12cd", "sha256:ab99"])
    ('sha256:ab12cd', None)
    """
    found = {root for root in releases if prefix and root.rsplit(":", 1)[-1].startswith(prefix.rsplit(":", 1)[-1])}
    return found.pop() if len(found) == 1 else None


def _columns_of(inputs: Sequence[Input], signature: Signature, faults: list[Fault]) -> dict[str, list[Any]]:
    known = {column.name: column for column in signature.columns}
    if len(inputs) == 1 and inputs[0].name not in known and len(inputs[0].shape) == 2:
        return _matrix(inputs[0], signature, faults)
    columns: dict[str, list[Any]] = {}
    for given in inputs:
        column = known.get(given.name)
        if column is None:
            faults.append(fault(WHERE, given.name, f"one of {', '.join(known)}", "no such input"))
        elif given.name in columns:
            faults.append(fault(WHERE, given.name, "each input once", "a second tensor of this name"))
        else:
            columns[given.name] = _values(given, column, faults)
    missing = [c.name for c in signature.columns if c.required and c.name not in columns]
    if missing and not faults:
        faults += [fault(WHERE, name, "a tensor for this required input", "none") for name in missing]
    return columns


def _values(given: Input, column: Column, faults: list[Fault]) -> list[Any]:
    if given.datatype not in _ACCEPTED[column.kind]:
        expected = f"datatype {_DATATYPES[column.kind]} for a column of kind {column.kind}"
        faults.append(fault(WHERE, given.name, expected, given.datatype))
        return []
    if not (len(given.shape) == 1 or (len(given.shape) == 2 and given.shape[1] == 1)):
        faults.append(fault(WHERE, given.name, "shape [n] or [n,1]", f"{given.shape}"))
        return []
    return _read(given, faults)


def _matrix(given: Input, signature: Signature, faults: list[Fault]) -> dict[str, list[Any]]:
    """One [n,F] tensor over all columns."""
    width = len(signature.columns)
    if any(column.kind not in _NUMERIC for column in signature.columns):
        expected = "one tensor per input, because not all inputs are numbers"
        faults.append(fault(WHERE, given.name, expected, "one tensor for all"))
    elif given.shape[1] != width:
        faults.append(fault(WHERE, given.name, f"shape [n,{width}]", f"{given.shape}"))
    elif given.datatype not in _ACCEPTED["number"]:
        faults.append(fault(WHERE, given.name, "a numeric datatype", given.datatype))
    values = [] if faults else _read(given, faults)
    if faults:
        return {}
    return {
        column.name: [_whole(v) for v in values[place::width]] if column.kind == "integer" else values[place::width]
        for place, column in enumerate(signature.columns)
    }


def _read(given: Input, faults: list[Fault]) -> list[Any]:
    if "binary_data_size" in given.parameters or given.data is None:
        faults.append(fault(WHERE, given.name, "`data` in the JSON", "a binary tensor", "binary_data=False"))
        return []
    if any(size < 0 for size in given.shape):
        faults.append(fault(WHERE, given.name, "sizes >= 0", f"{given.shape}"))
        return []
    size = 1
    for part in given.shape:
        size *= part
    values = flat(given.data)
    if len(values) != size:
        faults.append(fault(WHERE, given.name, f"{size} values for shape {given.shape}", f"{len(values)}"))
        return []
    if (wrong := wrong_value(values, given.datatype)) is not None:
        faults.append(fault(WHERE, f"{given.name}[{wrong}]", f"a value of datatype {given.datatype}", values[wrong]))
    return values


def _whole(value: Any) -> Any:
    """A float of a numeric tensor as the integer that its column wants, where it is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _tensors(records: Sequence[PredictionRecord], signature: Signature) -> list[dict[str, Any]]:
    n = len(records)
    tensors = [{**output, "shape": [n]} for output in outputs_of(signature)]
    for tensor in tensors:
        match tensor["name"]:
            case "prediction":
                tensor["data"] = [record.prediction for record in records]
            case "score":
                tensor["data"] = [record.score for record in records]  # a stand-in may have none: null
            case _:
                classes = sorted({name for record in records for name in record.scores or ()})
                tensor["shape"] = [n, len(classes)]
                tensor["parameters"] = {"classes": ",".join(classes)}
                tensor["data"] = [(record.scores or {}).get(name) for record in records for name in classes]
    return tensors
