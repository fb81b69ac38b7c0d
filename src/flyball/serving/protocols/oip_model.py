"""What a service takes and gives, in the words of the Open Inference Protocol: datatypes, metadata, versions."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flyball.core.contract import Column, Kind
from flyball.core.ids import short
from flyball.core.service import Task

PLATFORM = "flyball"
DATATYPES: Mapping[Kind, str] = {
    "string": "BYTES",
    "integer": "INT64",
    "number": "FP64",
    "boolean": "BOOL",
    "date": "BYTES",
    "timestamp": "BYTES",
}
NUMERIC: frozenset[Kind] = frozenset({"integer", "number"})


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What a service takes and gives."""

    service: str
    task: Task
    columns: tuple[Column, ...]  # inputs in the contract's order
    label: Kind


def metadata(signature: Signature, versions: Sequence[str]) -> dict[str, Any]:
    """`GET /v2/models/{m}`."""
    return {
        "name": signature.service,
        "versions": [short(version) for version in versions],
        "platform": PLATFORM,
        "inputs": inputs_of(signature),
        "outputs": outputs_of(signature),
    }


def inputs_of(signature: Signature) -> list[dict[str, Any]]:
    """One tensor a column; -1 is the number of rows."""
    return [{"name": column.name, "datatype": DATATYPES[column.kind], "shape": [-1, 1]} for column in signature.columns]


def outputs_of(signature: Signature) -> list[dict[str, Any]]:
    """`prediction`, and `score` (binary) or `scores` (multiclass)."""
    prediction = "FP64" if signature.task == "regression" else DATATYPES[signature.label]
    outputs: list[dict[str, Any]] = [{"name": "prediction", "datatype": prediction, "shape": [-1]}]
    if signature.task == "binary":
        outputs.append({"name": "score", "datatype": "FP64", "shape": [-1]})
    if signature.task == "multiclass":
        outputs.append({"name": "scores", "datatype": "FP64", "shape": [-1, -1]})
    return outputs


def config(signature: Signature, *, max_rows: int) -> dict[str, Any]:
    """`GET /v2/models/{m}/config`, as far as a gateway without model configuration files can say it."""

    def part(tensor: Mapping[str, Any], dims: Sequence[int]) -> dict[str, Any]:
        data_type = "TYPE_STRING" if tensor["datatype"] == "BYTES" else f"TYPE_{tensor['datatype']}"
        return {"name": tensor["name"], "data_type": data_type, "dims": list(dims)}

    return {
        "name": signature.service,
        "platform": PLATFORM,
        "backend": PLATFORM,
        "max_batch_size": max_rows,
        "input": [part(tensor, tensor["shape"][1:]) for tensor in inputs_of(signature)],
        "output": [part(tensor, tensor["shape"][1:] or [1]) for tensor in outputs_of(signature)],
    }


def release_of(prefix: str, releases: Sequence[str]) -> str | None:
    """The one loaded release whose digest begins so; None: none, or more than one.

    >>> release_of("ab1", ["sha256:ab12cd", "sha256:ab99"]), release_of("ab", ["sha256:ab12cd", "sha256:ab99"])
    ('sha256:ab12cd', None)
    """
    found = {root for root in releases if prefix and root.rsplit(":", 1)[-1].startswith(prefix.rsplit(":", 1)[-1])}
    return found.pop() if len(found) == 1 else None
