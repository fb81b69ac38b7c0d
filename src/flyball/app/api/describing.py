"""The OpenAPI document of the API: what FastAPI knows of the routes, and our records as its schemas."""

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi import FastAPI

from flyball.app.alert_list import AlertList
from flyball.app.api.flagger import CanaryHook
from flyball.app.api.judgement import Judged
from flyball.app.api.messages import Message
from flyball.app.api.refusals import Refusal
from flyball.app.api.words import Said
from flyball.app.people import Act
from flyball.app.rollout_standing import RolloutStanding
from flyball.core.record import Record
from flyball.decide.borrowed import Question

_REF = "#/components/schemas/{name}"
_WHY = {
    400: "The body is no JSON",
    401: "The credentials are not valid, or none were sent where they are needed",
    403: "The credentials lack a scope, or the person a role",
    404: "There is no such service or release",
    409: "Not now: the reasons say why",
    413: "The body is too large",
    422: "The body is faulty: all its faults",
    429: "Too many requests with these credentials",
    503: "The ledger cannot be read or written now, or too much is asked at once: come back after Retry-After",
}
_READ = (401, 403, 404, 422, 429, 503)
_POSTED = (400, 401, 403, 404, 409, 413, 422, 429, 503)


def operation(
    summary: str,
    answer: type[msgspec.Struct],
    *,
    body: type[msgspec.Struct] | None = None,
    refusals: Sequence[int] | None = None,
    headers: Sequence[str] = (),
) -> dict[str, Any]:
    """What a route says of itself: arguments for FastAPI's decorators."""
    statuses = (_READ if body is None else _POSTED) if refusals is None else refusals
    responses: dict[int | str, dict[str, Any]] = {200: {"description": "OK", "content": _of(answer)}}
    responses |= {status: {"description": _WHY[status], "content": _of(Refusal)} for status in statuses}
    extra: dict[str, Any] = {} if body is None else {"requestBody": {"required": True, "content": _of(body)}}
    if headers:
        extra["parameters"] = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in headers]
    return {"summary": summary, "responses": responses, "openapi_extra": extra, "response_model": None}


def described(app: FastAPI) -> FastAPI:
    """The same application, whose document holds the schemas that its routes name."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        found = plain()
        records = [Judged, Refusal, Question, CanaryHook, Said, Message, Act, RolloutStanding, AlertList, Alive]
        _, schemas = msgspec.json.schema_components(records, ref_template=_REF)
        found.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
        return found

    app.openapi = document  # type: ignore[method-assign]
    return app


class Alive(Record):
    """The body of a probe's answer."""

    live: bool = True


def _of(shape: type[msgspec.Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(name=shape.__name__)}}}
