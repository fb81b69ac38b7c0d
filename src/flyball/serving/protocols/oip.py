"""Open Inference Protocol V2: the tensors of a request to rows.

A feature is a tensor of its own, [n] or [n,1]; a service whose inputs are all numbers also takes one tensor [n,F] in
the contract's order. A missing value is `null` in JSON and NaN in raw bytes (the protocol has no other way to say it).
Tensors have no place for an error, so one rejected row makes the request a 400 that names each such row.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flyball.core.contract import Column, Kind
from flyball.core.errors import Fault
from flyball.serving.protocols.binary_tensors import read_tensor
from flyball.serving.protocols.bodies import fault, refusal
from flyball.serving.protocols.oip_model import DATATYPES, NUMERIC, Signature
from flyball.serving.protocols.oip_request import WHERE, InferRequest, Input, Raw
from flyball.serving.protocols.oip_response import output_faults
from flyball.serving.protocols.tensors import flat, wrong_value

_INTEGERS = frozenset({"INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"})
_HALVES = frozenset({"FP16", "BF16"})  # in raw bytes alone
_ACCEPTED: Mapping[Kind, frozenset[str]] = {
    "string": frozenset({"BYTES"}),
    "integer": _INTEGERS,
    "number": _INTEGERS | _HALVES | {"FP32", "FP64"},
    "boolean": frozenset({"BOOL"}),
    "date": frozenset({"BYTES"}),
    "timestamp": frozenset({"BYTES"}),
}
_Given = tuple[Input, bytes | None]


def rows_of(request: InferRequest, raw: Raw, signature: Signature, *, max_rows: int) -> list[dict[str, Any]]:
    """The rows of a request.

    Raises: BadInput: naming every fault of every tensor.
    """
    faults: list[Fault] = []
    columns = _columns_of(list(zip(request.inputs, raw, strict=True)), signature, faults)
    sizes = {len(values) for values in columns.values()}
    if not faults and len(sizes) > 1:
        faults.append(fault(WHERE, "inputs", "tensors of one length", f"lengths {sorted(sizes)}"))
    rows = sizes.pop() if len(sizes) == 1 else 0
    if not faults and not 0 < rows <= max_rows:
        faults.append(fault(WHERE, "inputs", f"1 to {max_rows} rows", f"{rows}"))
    faults += output_faults(request, signature)
    if faults:
        raise refusal(WHERE, faults)
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _columns_of(inputs: Sequence[_Given], signature: Signature, faults: list[Fault]) -> dict[str, list[Any]]:
    known = {column.name: column for column in signature.columns}
    if len(inputs) == 1 and inputs[0][0].name not in known and len(inputs[0][0].shape) == 2:
        return _matrix(inputs[0], signature, faults)
    columns: dict[str, list[Any]] = {}
    for given, raw in inputs:
        column = known.get(given.name)
        if column is None:
            faults.append(fault(WHERE, given.name, f"one of {', '.join(known)}", "no such input"))
        elif given.name in columns:
            faults.append(fault(WHERE, given.name, "each input once", "a second tensor of this name"))
        else:
            columns[given.name] = _values((given, raw), column, faults)
    missing = [c.name for c in signature.columns if c.required and c.name not in columns]
    if missing and not faults:
        faults += [fault(WHERE, name, "a tensor for this required input", "none") for name in missing]
    return columns


def _values(tensor: _Given, column: Column, faults: list[Fault]) -> list[Any]:
    given = tensor[0]
    if given.datatype not in _ACCEPTED[column.kind]:
        expected = f"datatype {DATATYPES[column.kind]} for a column of kind {column.kind}"
        faults.append(fault(WHERE, given.name, expected, given.datatype))
        return []
    if not (len(given.shape) == 1 or (len(given.shape) == 2 and given.shape[1] == 1)):
        faults.append(fault(WHERE, given.name, "shape [n] or [n,1]", f"{given.shape}"))
        return []
    return _read(tensor, faults)


def _matrix(tensor: _Given, signature: Signature, faults: list[Fault]) -> dict[str, list[Any]]:
    """One [n,F] tensor over all columns."""
    given = tensor[0]
    width = len(signature.columns)
    if any(column.kind not in NUMERIC for column in signature.columns):
        expected = "one tensor per input, because not all inputs are numbers"
        faults.append(fault(WHERE, given.name, expected, "one tensor for all"))
    elif given.shape[1] != width:
        faults.append(fault(WHERE, given.name, f"shape [n,{width}]", f"{given.shape}"))
    elif given.datatype not in _ACCEPTED["number"]:
        faults.append(fault(WHERE, given.name, "a numeric datatype", given.datatype))
    values = [] if faults else _read(tensor, faults)
    if faults:
        return {}
    return {
        column.name: [_whole(v) for v in values[place::width]] if column.kind == "integer" else values[place::width]
        for place, column in enumerate(signature.columns)
    }


def _read(tensor: _Given, faults: list[Fault]) -> list[Any]:
    given, raw = tensor
    if any(size < 0 for size in given.shape):
        faults.append(fault(WHERE, given.name, "sizes >= 0", f"{given.shape}"))
        return []
    size = 1
    for part in given.shape:
        size *= part
    if raw is not None:
        try:
            return read_tensor(raw, given.datatype, size)
        except ValueError as error:
            faults.append(fault(WHERE, given.name, f"a raw {given.datatype} tensor of shape {given.shape}", str(error)))
            return []
    if given.datatype in _HALVES:
        faults.append(fault(WHERE, given.name, "raw bytes: JSON has no 16-bit numbers", f"{given.datatype} as JSON"))
        return []
    values = flat(given.data or (), depth=len(given.shape))
    if len(values) != size:
        faults.append(fault(WHERE, given.name, f"{size} values for shape {given.shape}", f"{len(values)}"))
        return []
    if (wrong := wrong_value(values, given.datatype)) is not None:
        faults.append(fault(WHERE, f"{given.name}[{wrong}]", f"a value of datatype {given.datatype}", values[wrong]))
    return values


def _whole(value: Any) -> Any:
    """A float of a numeric tensor as the integer that its column wants, where it is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
