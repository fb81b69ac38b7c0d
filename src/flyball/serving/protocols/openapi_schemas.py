"""JSON schemas of what goes over the wire, made from what a service declares: for the OpenAPI document.

A schema says what is read, not what the contract promises of a value: one outside its bounds is read, and answered by
the fallback chain. The promises stand in the descriptions.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flyball.core.contract import Column, Kind
from flyball.serving.protocols.forms import MLFLOW
from flyball.serving.protocols.oip_model import Signature, inputs_of, outputs_of

Schema = dict[str, Any]
_LARGEST = 2**63
_TYPES: Mapping[Kind, Schema] = {
    "string": {"type": "string"},
    "integer": {"type": "integer", "minimum": -_LARGEST, "maximum": _LARGEST - 1},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "timestamp": {"type": "string", "format": "date-time"},
}
TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SCALAR: Schema = {"type": ["string", "number", "boolean"]}
MAYBE: Schema = {"type": ["string", "number", "boolean", "null"]}
PARAMETERS: Schema = {"type": "object", "additionalProperties": SCALAR}
IDS: Schema = {"type": "array", "items": TEXT, "description": "What /v1/labels wants."}


def record(properties: Mapping[str, Schema], *, optional: Sequence[str] = (), closed: bool = False) -> Schema:
    """An object; what is not optional is required.

    >>> record({"a": {}, "b": {}}, optional=["b"])["required"]
    ['a']
    """
    schema: Schema = {"type": "object", "properties": dict(properties)}
    schema["required"] = [name for name in properties if name not in optional]
    return schema | ({"additionalProperties": False} if closed else {})


def many(items: Schema, *, at_most: int | None = None) -> Schema:
    """A list with at least one element, where its length is bounded at all."""
    return {"type": "array", "items": items} | ({} if at_most is None else {"minItems": 1, "maxItems": at_most})


ERROR = record({"error": TEXT})


def cell(column: Column) -> Schema:
    """One value of a column.

    >>> cell(Column(name="n", kind="integer", minimum=0))["description"]
    'at least 0'
    """
    schema = dict(_TYPES[column.kind])
    if not column.required:
        schema["type"] = [schema["type"], "null"]
    told = []
    if column.enum is not None:
        told.append("one of " + ", ".join(map(str, column.enum)))
    if column.minimum is not None:
        told.append(
            f"at least {column.minimum:g}" if isinstance(column.minimum, float) else f"at least {column.minimum}"
        )
    if column.maximum is not None:
        told.append(f"at most {column.maximum:g}" if isinstance(column.maximum, float) else f"at most {column.maximum}")
    return schema | ({"description": "; ".join(told)} if told else {})


def row(signature: Signature) -> Schema:
    """One row: the columns of the contract without the label. Further keys are ignored."""
    columns = signature.columns
    return record({c.name: cell(c) for c in columns}, optional=[c.name for c in columns if not c.required])


def predictions(signature: Signature) -> Schema:
    """The answer of `/v1/services/{service}/predict`; beside an error status it has `error` too."""
    given: dict[str, Schema] = {"id": TEXT, "prediction": MAYBE}
    if signature.task == "binary":
        given["score"] = {"type": ["number", "null"], "description": "P(positive)"}
    if signature.task == "multiclass":
        given["scores"] = {"type": "object", "additionalProperties": {"type": "number"}}
    given |= {
        "release": TEXT,
        "arm": {"type": ["string", "null"], "description": "champion, candidate, or an arm of an A/B test"},
        "fallback": {"type": ["string", "null"]},
        "latency_ms": {"type": "number"},
    }
    one = record(given, optional=("score", "scores"))
    return record({"service": TEXT, "predictions": many({"anyOf": [one, record({"error": TEXT, "id": TEXT})]})})


def forms(signature: Signature, max_rows: int) -> dict[str, Schema]:
    """A schema for each of the forms that MLflow and KServe send; each is under its own key."""
    own = {"$ref": f"#/components/schemas/{signature.service}.row"}
    listed = {"type": "array", "items": MAYBE}
    rows = many({"anyOf": [own, listed]}, at_most=max_rows)
    names = many(TEXT)
    found = {
        "dataframe_split": record(
            {"columns": names, "data": many(listed), "index": {"type": "array"}}, optional=["index"]
        ),
        "dataframe_records": many(own, at_most=max_rows),
        "inputs": {"anyOf": [rows, {"type": "object", "additionalProperties": listed}]},
        "instances": rows,
    }
    return {name: record({name: found[name]}) for name in MLFLOW}


def infer_request(signature: Signature) -> Schema:
    """Tensors in."""
    names = [tensor["name"] for tensor in inputs_of(signature)]
    datatypes = sorted({tensor["datatype"] for tensor in inputs_of(signature)})
    tensor = record(
        {
            "name": {"type": "string", "examples": names},
            "shape": {"type": "array", "items": COUNT, "minItems": 1, "maxItems": 2},
            "datatype": {"type": "string", "examples": datatypes},
            "data": {"type": "array", "description": "nested or flat, row-major"},
            "parameters": PARAMETERS,
        },
        optional=("data", "parameters"),
    )
    outputs = [output["name"] for output in outputs_of(signature)]
    wanted = record({"name": {"enum": outputs}, "parameters": PARAMETERS}, optional=["parameters"])
    parts = {"id": TEXT, "inputs": many(tensor), "outputs": many(wanted), "parameters": PARAMETERS}
    return record(parts, optional=("id", "outputs", "parameters"))


def infer_example(signature: Signature) -> dict[str, Any]:
    """A request of one row that can be read."""
    values = {"BYTES": "a", "BOOL": True, "INT64": 1, "FP64": 1.0}
    return {
        "inputs": [
            {"name": t["name"], "shape": [1, 1], "datatype": t["datatype"], "data": [values[t["datatype"]]]}
            for t in inputs_of(signature)
        ]
    }


INFER_RESPONSE = record(
    {
        "model_name": TEXT,
        "model_version": TEXT,
        "id": TEXT,
        "parameters": PARAMETERS,
        "outputs": many(
            record(
                {
                    "name": TEXT,
                    "shape": many(COUNT),
                    "datatype": TEXT,
                    "parameters": {"type": "object"},
                    "data": {"type": "array"},
                },
                optional=("parameters", "data"),
            )
        ),
    },
    optional=("model_version", "id"),
)
_TENSOR = record({"name": TEXT, "datatype": TEXT, "shape": many({"type": "integer", "minimum": -1})})
METADATA = record(
    {"name": TEXT, "versions": many(TEXT), "platform": TEXT, "inputs": many(_TENSOR), "outputs": many(_TENSOR)}
)
LABELS = record(
    {
        "labels": many(
            record(
                {"id": TEXT, "label": SCALAR, "at": {"type": ["number", "string", "null"]}},
                optional=["at"],
                closed=True,
            )
        )
    },
    closed=True,
)
LABELS_ANSWER = record(dict.fromkeys(("accepted", "duplicate", "corrected", "unmatched"), COUNT))
FORM_ANSWER = record({"predictions": many(MAYBE), "prediction_ids": IDS})
READY = record(
    {"ready": {"type": "boolean"}, "services": {"type": "object"}, "reasons": {"type": "object"}},
    optional=["services", "reasons"],
)
HEALTH_OF_ONE = record(
    {
        "service": TEXT,
        "state": {"enum": ["HEALTHY", "DEGRADING", "UNHEALTHY", "FAILED", "UNKNOWN"]},
        "why": TEXT,
        "since": TEXT,
        "signs": {"type": "array", "items": {"type": "object"}},
        "would_change": {"type": "array", "items": TEXT},
        "age_s": {"type": ["number", "null"]},
        "ready": {"type": "boolean"},
    }
)
HEALTH_OF_ALL = record({"state": TEXT, "services": {"type": "object"}}, optional=["services"])
INDEX = many(record({"name": TEXT, "version": TEXT, "state": TEXT, "reason": TEXT}, optional=("version", "reason")))
STATS = record({"model_stats": many({"type": "object"})})
