"""Records as the tensors of an infer response: JSON, raw bytes behind it, or the classes that come first."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flyball.core.errors import Fault
from flyball.core.ids import short
from flyball.core.prediction import PredictionRecord
from flyball.serving.batch import Batch
from flyball.serving.protocols.binary_tensors import BYTES, written_tensor
from flyball.serving.protocols.bodies import fault
from flyball.serving.protocols.oip_model import Signature, outputs_of
from flyball.serving.protocols.oip_request import BINARY_SIZE, InferRequest, Parameters

CLASSIFICATION = "classification"


class Output(msgspec.Struct, omit_defaults=True):
    """One output tensor. Field order is the order in the JSON."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: list[Any] | msgspec.UnsetType = msgspec.UNSET


def output_faults(request: InferRequest, signature: Signature) -> list[Fault]:
    """What is wrong with the outputs that a client asks for."""
    known = {output["name"] for output in outputs_of(signature)}
    faults = []
    for wanted in request.outputs or ():
        parameters = wanted.parameters or {}
        count = parameters.get(CLASSIFICATION)
        if wanted.name not in known:
            faults.append(fault("outputs", wanted.name, f"one of {', '.join(sorted(known))}", "no such output"))
        elif count is not None and wanted.name != "scores":
            expected = f"`{CLASSIFICATION}` on the output `scores` of a multiclass model"
            faults.append(fault("outputs", wanted.name, expected, f"on `{wanted.name}`"))
        elif count is not None and not (isinstance(count, int) and not isinstance(count, bool) and count > 0):
            faults.append(fault("outputs", wanted.name, f"`{CLASSIFICATION}` as a count of classes, >= 1", count))
        if not isinstance(parameters.get("binary_data", False), bool):
            faults.append(fault("outputs", wanted.name, "`binary_data` true or false", parameters["binary_data"]))
    if not isinstance((request.parameters or {}).get("binary_data_output", False), bool):
        faults.append(fault("parameters", "binary_data_output", "true or false", "something else"))
    return faults


def outputs(request: InferRequest, records: Sequence[PredictionRecord], signature: Signature) -> list[Output]:
    """The tensors that the client asked for, all where it named none."""
    made = {output.name: output for output in _all(records, signature)}
    if not request.outputs:
        return list(made.values())
    return [
        _first_classes(made[wanted.name], count)
        if isinstance(count := (wanted.parameters or {}).get(CLASSIFICATION), int)
        else made[wanted.name]
        for wanted in request.outputs
    ]


def response_of(
    request: InferRequest, batch: Batch, records: Sequence[PredictionRecord], signature: Signature
) -> tuple[bytes, int | None]:
    """Body, and the bytes of its JSON where raw tensors follow; ids for labels in `parameters.prediction_ids`,
    the arm of each row in `parameters.arms`."""
    tensors = outputs(request, records, signature)
    everything = bool((request.parameters or {}).get("binary_data_output", False))
    asked: Mapping[str, Parameters] = {wanted.name: wanted.parameters or {} for wanted in request.outputs or ()}
    raw: list[bytes] = []
    for tensor in tensors:
        if asked.get(tensor.name, {}).get("binary_data", everything) and tensor.data is not msgspec.UNSET:
            raw.append(written_tensor(tensor.data, tensor.datatype))
            tensor.parameters = {**tensor.parameters, BINARY_SIZE: len(raw[-1])}
            tensor.data = msgspec.UNSET
    document = head(request, batch, records, signature) | {"outputs": tensors}
    text = msgspec.json.encode(document)
    return (b"".join([text, *raw]), len(text)) if raw else (text, None)


def head(
    request: InferRequest, batch: Batch, records: Sequence[PredictionRecord], signature: Signature
) -> dict[str, Any]:
    """Everything of a response but its tensors."""
    releases = {record.release for record in records}
    document: dict[str, Any] = {"model_name": signature.service}
    if len(releases) == 1:
        document["model_version"] = short(releases.pop())
    if request.id is not None:
        document["id"] = request.id
    parameters = {"prediction_ids": ",".join(batch.ids)}
    if all(record.arm is not None for record in records):
        parameters["arms"] = ",".join(str(record.arm) for record in records)
    document["parameters"] = parameters
    return document


def _all(records: Sequence[PredictionRecord], signature: Signature) -> list[Output]:
    n = len(records)
    tensors = []
    for told in outputs_of(signature):
        tensor = Output(name=told["name"], shape=[n], datatype=told["datatype"])
        match tensor.name:
            case "prediction":
                tensor.data = [record.prediction for record in records]
            case "score":
                tensor.data = [record.score for record in records]  # a stand-in may have none: null
            case _:
                classes = sorted({name for record in records for name in record.scores or ()})
                tensor.shape = [n, len(classes)]
                tensor.parameters = {"classes": ",".join(classes)}
                tensor.data = [(record.scores or {}).get(name) for record in records for name in classes]
        tensors.append(tensor)
    return tensors


def _first_classes(scores: Output, count: int) -> Output:
    """`scores` as text `probability:index:class`, the most probable first (the classification extension)."""
    n, width = scores.shape
    classes = scores.parameters["classes"].split(",") if width else []
    values = scores.data if isinstance(scores.data, list) else []
    kept = min(count, width)
    data: list[str] = []
    for row in range(n):
        own = [value if value is not None else 0.0 for value in values[row * width : (row + 1) * width]]
        order = sorted(range(width), key=lambda place: -own[place])[:kept]
        data += [f"{own[place]:f}:{place}:{classes[place]}" for place in order]
    return Output(name=scores.name, shape=[n, kept], datatype=BYTES, data=data)
