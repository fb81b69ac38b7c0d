"""The messages of `inference.GRPCInferenceService`, described here and built when they are first needed.

The wire format is the table below: names, numbers and types from the specification of the Open Inference Protocol. The
descriptors live in a pool of their own, so a process that has another copy of the same protocol (KServe's and Triton's
clients bring one each, and two of them cannot share a pool) can have ours too. The `grpc` extra brings protobuf.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "inference"
SERVICE = f"{PACKAGE}.GRPCInferenceService"
METHODS = ("ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer")
_Proto = descriptor_pb2.FieldDescriptorProto
_TYPES = {
    "bool": _Proto.TYPE_BOOL,
    "bytes": _Proto.TYPE_BYTES,
    "double": _Proto.TYPE_DOUBLE,
    "float": _Proto.TYPE_FLOAT,
    "int32": _Proto.TYPE_INT32,
    "int64": _Proto.TYPE_INT64,
    "string": _Proto.TYPE_STRING,
    "uint32": _Proto.TYPE_UINT32,
    "uint64": _Proto.TYPE_UINT64,
}


@dataclass(frozen=True, slots=True)
class _Field:
    """`kind`: one of _TYPES, a message, or `map` for a map from text to InferParameter."""

    name: str
    number: int
    kind: str
    many: bool = False
    oneof: str | None = None


def _parameters(number: int) -> _Field:
    return _Field("parameters", number, "map")


_NAMED = (_Field("name", 1, "string"), _Field("version", 2, "string"))
_HEAD = (
    _Field("model_name", 1, "string"),
    _Field("model_version", 2, "string"),
    _Field("id", 3, "string"),
    _parameters(4),
)
_TENSOR = (
    _Field("name", 1, "string"),
    _Field("datatype", 2, "string"),
    _Field("shape", 3, "int64", many=True),
    _parameters(4),
    _Field("contents", 5, "InferTensorContents"),
)
_CHOICE = "parameter_choice"
_MESSAGES: Mapping[str, Sequence[_Field]] = {
    "ServerLiveRequest": (),
    "ServerLiveResponse": (_Field("live", 1, "bool"),),
    "ServerReadyRequest": (),
    "ServerReadyResponse": (_Field("ready", 1, "bool"),),
    "ModelReadyRequest": _NAMED,
    "ModelReadyResponse": (_Field("ready", 1, "bool"),),
    "ServerMetadataRequest": (),
    "ServerMetadataResponse": (*_NAMED, _Field("extensions", 3, "string", many=True)),
    "ModelMetadataRequest": _NAMED,
    "ModelMetadataResponse": (
        _Field("name", 1, "string"),
        _Field("versions", 2, "string", many=True),
        _Field("platform", 3, "string"),
        _Field("inputs", 4, "ModelMetadataResponse.TensorMetadata", many=True),
        _Field("outputs", 5, "ModelMetadataResponse.TensorMetadata", many=True),
    ),
    "ModelMetadataResponse.TensorMetadata": _TENSOR[:3],
    "InferParameter": (
        _Field("bool_param", 1, "bool", oneof=_CHOICE),
        _Field("int64_param", 2, "int64", oneof=_CHOICE),
        _Field("string_param", 3, "string", oneof=_CHOICE),
        _Field("double_param", 4, "double", oneof=_CHOICE),
        _Field("uint64_param", 5, "uint64", oneof=_CHOICE),
    ),
    "InferTensorContents": (
        _Field("bool_contents", 1, "bool", many=True),
        _Field("int_contents", 2, "int32", many=True),
        _Field("int64_contents", 3, "int64", many=True),
        _Field("uint_contents", 4, "uint32", many=True),
        _Field("uint64_contents", 5, "uint64", many=True),
        _Field("fp32_contents", 6, "float", many=True),
        _Field("fp64_contents", 7, "double", many=True),
        _Field("bytes_contents", 8, "bytes", many=True),
    ),
    "ModelInferRequest": (
        *_HEAD,
        _Field("inputs", 5, "ModelInferRequest.InferInputTensor", many=True),
        _Field("outputs", 6, "ModelInferRequest.InferRequestedOutputTensor", many=True),
        _Field("raw_input_contents", 7, "bytes", many=True),
    ),
    "ModelInferRequest.InferInputTensor": _TENSOR,
    "ModelInferRequest.InferRequestedOutputTensor": (_Field("name", 1, "string"), _parameters(2)),
    "ModelInferResponse": (
        *_HEAD,
        _Field("outputs", 5, "ModelInferResponse.InferOutputTensor", many=True),
        _Field("raw_output_contents", 6, "bytes", many=True),
    ),
    "ModelInferResponse.InferOutputTensor": _TENSOR,
}


@cache
def messages() -> Mapping[str, Any]:
    """Message classes by name.

    >>> messages()["ServerLiveResponse"](live=True).SerializeToString().hex()
    '0801'
    """
    file = descriptor_pb2.FileDescriptorProto(name="flyball/inference.proto", package=PACKAGE, syntax="proto3")
    made: dict[str, descriptor_pb2.DescriptorProto] = {}
    for path, fields in _MESSAGES.items():
        outer, _, name = path.rpartition(".")
        message = made[outer].nested_type.add(name=name) if outer else file.message_type.add(name=name)
        made[path] = message
        for field in fields:
            _add(message, path, field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {path: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{PACKAGE}.{path}")) for path in made}


def _add(message: descriptor_pb2.DescriptorProto, path: str, field: _Field) -> None:
    many = field.many or field.kind == "map"
    label = _Proto.LABEL_REPEATED if many else _Proto.LABEL_OPTIONAL
    added = message.field.add(name=field.name, number=field.number, label=label)
    if field.kind in _TYPES:
        added.type = _TYPES[field.kind]
    else:
        added.type = _Proto.TYPE_MESSAGE
        added.type_name = f".{PACKAGE}.{path}.ParametersEntry" if field.kind == "map" else f".{PACKAGE}.{field.kind}"
    if field.oneof is not None:
        if not message.oneof_decl:
            message.oneof_decl.add(name=field.oneof)
        added.oneof_index = 0
    if field.kind == "map":
        entry = message.nested_type.add(name="ParametersEntry")
        entry.options.map_entry = True
        _add(entry, path, _Field("key", 1, "string"))
        _add(entry, path, _Field("value", 2, "InferParameter"))
