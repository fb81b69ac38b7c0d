"""The OpenAPI 3.1 document of a gateway: every route with the services' own names and columns, and every status.

What is answered 501 (`load` and `unload` of the model repository) is no part of the interface and not in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from flyball.serving.protocols import openapi_schemas as schemas
from flyball.serving.protocols.needed import needed
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.protocols.openapi_schemas import Schema, record
from flyball.serving.protocols.terms import DEADLINE, PRIORITY, PROBE

OPENAPI = "3.1.0"
_JSON, _RAW, _TEXT = "application/json", "application/octet-stream", "text/plain"
_WHY = {
    400: "The body is faulty, or no row of it was accepted",
    401: "The credentials are not valid",
    403: "The credentials lack a scope",
    404: "There is no such thing",
    408: "The request took too long to come",
    413: "The body is too large, as it came or unpacked",
    415: "The body is packed or written in a way that is not read",
    429: "Too many requests with these credentials",
    431: "The headers are too large",
    500: "No arm and no fallback answered",
    503: "Overloaded, or nothing to serve yet; Retry-After says when to come again",
    504: "Every answer was late",
}
_POSTED = (400, 413, 415)  # of every route that takes a body
_ALWAYS = (408, 431)  # of the connection: its bounds
_GUARDED = (401, 403, 429)  # where keys or tokens are asked for
_ANSWERED = (*_POSTED, 500, 503, 504)  # of every route that predicts


class Described(msgspec.Struct, frozen=True, kw_only=True):
    """A service, as far as its interface shows it."""

    signature: Signature
    max_rows: int  # of one request


def document(services: Sequence[Described], version: str) -> dict[str, Any]:
    """The document. `version`: of Flyball."""
    paths = dict(_common())
    components: dict[str, Schema] = {"Error": schemas.ERROR}
    for described in services:
        name = described.signature.service
        components[f"{name}.row"] = schemas.row(described.signature)
        paths |= _plain(described) | _oip(described)
    if len(services) == 1:
        paths["/invocations"] = _invocations(services[0])
    for path, item in paths.items():
        more = _refusals(_ALWAYS if needed(path) is None else (*_ALWAYS, *_GUARDED))
        for method in item.keys() & {"get", "post"}:
            item[method] = item[method] | {"responses": item[method]["responses"] | more}
    return {
        "openapi": OPENAPI,
        "info": {"title": "Flyball gateway", "version": version},
        "paths": paths,
        "components": {"schemas": components},
    }


def _common() -> Iterable[tuple[str, Schema]]:
    """Routes that belong to no service."""
    ready = record({"ready": {"type": "boolean"}, "live": {"type": "boolean"}}, optional=["live"])
    names = record({"models": schemas.many(schemas.TEXT)})
    about = record({"name": schemas.TEXT, "version": schemas.TEXT, "extensions": schemas.many(schemas.TEXT)})
    wanted = record({"ready": {"type": "boolean"}}, optional=["ready"])
    yield "/", _get("Whether the process runs, for KServe's v1 client", record({"status": schemas.TEXT}))
    yield "/openapi.json", _get("This document", {"type": "object"})
    yield "/livez", _get("Whether the process runs", record({"live": {"type": "boolean"}}))
    yield "/readyz", _get("Whether every service has a release loaded", schemas.READY, also={503: schemas.READY})
    yield "/v1/health", _get("How well the services are", schemas.HEALTH_OF_ALL, also={503: schemas.HEALTH_OF_ALL})
    yield "/ping", _get("The same, for MLflow's client", record({"ready": {"type": "boolean"}}), refusals=[503])
    yield "/metrics", _metrics()
    yield "/v1/models", _get("Names of the services", names)
    yield "/v1/labels", _post("What became true", schemas.LABELS, schemas.LABELS_ANSWER, [*_POSTED, 503])
    yield "/v2", _get("The server", about)
    yield "/v2/health/live", _get("Whether the process runs", record({"live": {"type": "boolean"}}))
    yield "/v2/health/ready", _get("Whether every service has a release loaded", ready, refusals=[503])
    yield "/v2/models", _get("Names of the services", names)
    yield "/v2/models/stats", _get("Statistics of every loaded release", schemas.STATS)
    yield "/v2/repository/index", _post("What is loaded", wanted, schemas.INDEX, _POSTED, body_required=False)


def _metrics() -> Schema:
    """Text, in the format that the reader of the metrics prefers."""
    content = {kind: {"schema": schemas.TEXT} for kind in (_TEXT, "application/openmetrics-text")}
    return {"get": {"summary": "Metrics", "responses": {"200": {"description": "OK", "content": content}}}}


def _plain(described: Described) -> dict[str, Schema]:
    """Rows as JSON, in our own form and in those of other servers."""
    signature, name = described.signature, described.signature.service
    row = {"$ref": f"#/components/schemas/{name}.row"}
    rows = record({"rows": schemas.many(row, at_most=described.max_rows)}, closed=True)
    ready = record({"name": schemas.TEXT, "ready": {"type": "boolean"}})
    answer = schemas.predictions(signature)
    instances = schemas.forms(signature, described.max_rows)["instances"]
    return {
        f"/v1/services/{name}/predict": _predict("Predictions, one a row", {"anyOf": [rows, row]}, answer),
        f"/v1/services/{name}/invocations": _invocations(described),
        f"/v1/health/{name}": _get("How well it is", schemas.HEALTH_OF_ONE, also={503: schemas.HEALTH_OF_ONE}),
        f"/v1/models/{name}": _get("Whether it is ready", ready, refusals=[503]),
        f"/v1/models/{name}:predict": _predict("Predictions, as KServe v1 asks", instances, schemas.FORM_ANSWER),
    }


def _invocations(described: Described) -> Schema:
    forms = {"oneOf": list(schemas.forms(described.signature, described.max_rows).values())}
    return _predict("Predictions, as MLflow asks", forms, schemas.FORM_ANSWER)


def _oip(described: Described) -> dict[str, Schema]:
    """The Open Inference Protocol, with and without a version."""
    name = described.signature.service
    model = f"/v2/models/{name}"
    version = {
        "name": "version",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]+$"},
    }
    ready = record({"name": schemas.TEXT, "ready": {"type": "boolean"}})
    request = schemas.infer_request(described.signature)
    infer = _predict("Tensors to tensors", request, schemas.INFER_RESPONSE, raw=True)
    infer["post"]["requestBody"]["content"][_JSON]["example"] = schemas.infer_example(described.signature)
    routes = {
        "": _get("Inputs and outputs", schemas.METADATA),
        "/ready": _get("Whether it is ready", ready, refusals=[503]),
        "/stats": _get("Statistics", schemas.STATS),
        "/config": _get("Configuration", {"type": "object"}),
        "/infer": infer,
    }
    found = {model + tail: item for tail, item in routes.items()}
    for tail, item in routes.items():
        found[f"{model}/versions/{{version}}{tail}"] = {
            "parameters": [version],
            **{
                method: operation | {"responses": operation["responses"] | _refusals([404])}
                for method, operation in item.items()
            },
        }
    return found


def _get(
    summary: str, answer: Schema, *, refusals: Sequence[int] = (), also: Mapping[int, Schema] | None = None
) -> Schema:
    responses = {"200": _content(answer)} | _refusals(refusals)
    responses |= {str(status): _content(schema) for status, schema in (also or {}).items()}
    return {"get": {"summary": summary, "responses": responses}}


def _post(summary: str, body: Schema, answer: Schema, refusals: Sequence[int], *, body_required: bool = True) -> Schema:
    request = {"required": body_required, "content": {_JSON: {"schema": body}}}
    responses = {"200": _content(answer)} | _refusals(refusals)
    return {"post": {"summary": summary, "requestBody": request, "responses": responses}}


def _predict(summary: str, body: Schema, answer: Schema, *, raw: bool = False) -> Schema:
    item = _post(summary, body, answer, _ANSWERED)
    operation = item["post"]
    operation["parameters"] = [
        _header(DEADLINE, {"type": "number", "minimum": 0, "maximum": 86_400_000}, "time that the client has left, ms"),
        _header(PRIORITY, {"enum": ["live", "low"]}, "who is turned away first under load"),
        _header(PROBE, {"enum": ["0", "1"]}, "1: synthetic, in no analysis"),
        _header("x-request-id", schemas.TEXT, "the unit of a service without a key"),
    ]
    if raw:
        operation["responses"]["200"]["content"][_RAW] = {"schema": {}}
    return item


def _header(name: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": "header", "required": False, "schema": schema, "description": description}


def _content(schema: Schema, kind: str = _JSON) -> Schema:
    return {"description": "OK", "content": {kind: {"schema": schema}}}


def _refusals(statuses: Iterable[int]) -> dict[str, Schema]:
    error = {_JSON: {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": _WHY[status], "content": error} for status in statuses}
