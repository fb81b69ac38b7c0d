"""The routes of clients that were written for other servers: MLflow's `/invocations`, KServe's v1 `:predict`."""

from collections.abc import Callable, Mapping, Sequence

import msgspec

from flyball.serving.protocols.forms import KSERVE, MLFLOW, answer_of, form_rows
from flyball.serving.protocols.whole import refusal_of
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.http.exchange import (
    JSON,
    Receive,
    Scope,
    Send,
    body_of,
    header,
    retry_after,
    send_error,
    send_json,
    send_packed,
    terms_in,
    wrong_method,
)
from flyball.serving.serve.http.guard import seen

PREDICT = ":predict"


class FormRoutes:
    """A path, split at its slashes, to an answer; False where it is no route of these."""

    def __init__(self, services: Mapping[str, Served], request_id: Callable[[Scope], str]) -> None:
        self._services, self._request_id = services, request_id

    async def route(self, parts: list[str], scope: Scope, receive: Receive, send: Send) -> bool:
        method = scope["method"]
        match parts:
            case [""]:  # what KServe's v1 client takes for a sign of life
                if not await wrong_method("GET", method, send):
                    await send_json(send, 200, b'{"status":"alive"}')
            case ["ping"]:
                if not await wrong_method("GET", method, send):
                    await self._ping(send)
            case ["invocations"]:
                if not await wrong_method("POST", method, send):
                    await self._invocations(None, scope, receive, send)
            case ["v1", "services", name, "invocations"]:
                if not await wrong_method("POST", method, send):
                    await self._invocations(name, scope, receive, send)
            case ["v1", "models", name] if name.endswith(PREDICT):
                if not await wrong_method("POST", method, send):
                    await self._answer(name.removesuffix(PREDICT), KSERVE, scope, receive, send)
            case ["v1", "models"]:
                if not await wrong_method("GET", method, send):
                    await send_json(send, 200, msgspec.json.encode({"models": list(seen(scope, self._services))}))
            case ["v1", "models", name]:
                if not await wrong_method("GET", method, send):
                    await self._ready(name, scope, send)
            case _:
                return False
        return True

    async def _invocations(self, name: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Without a name it is the only service's."""
        if name is None and len(self._services) != 1:
            names = ", ".join(seen(scope, self._services))
            words = f"this gateway serves {names}: use /v1/services/{{service}}/invocations"
            await send_error(send, 404, words)
        elif (header(scope, b"content-type") or "").lower().startswith("text/csv"):
            await send_error(send, 415, "text/csv: expected application/json, a table as `dataframe_split`")
        else:
            await self._answer(name or next(iter(self._services)), MLFLOW, scope, receive, send)

    async def _answer(self, name: str, forms: Sequence[str], scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(scope, receive)
        served = self._services.get(name)
        if served is None:
            await self._no_service(name, scope, send)
            return
        columns = [column.name for column in served.signature.columns]
        max_rows = served.core.service.serving.max_rows
        rows = form_rows(body, scope["path"], forms, columns, max_rows=max_rows)
        request_id = self._request_id(scope)
        batch, records = await served.predict(
            rows, request_id=request_id, terms=terms_in(scope, served.cohort), whole=True
        )
        if (refused := refusal_of(batch, records)) is not None:
            status, words = refused
            await send_error(send, status, words, retry_after(status, served.overloads.retry_after_s))
            return
        await send_packed(scope, send, 200, answer_of(batch, records), [JSON])
        served.shadow.offer(batch)

    async def _ping(self, send: Send) -> None:
        """What MLflow's client asks before it sends anything."""
        ready = all(served.ready for served in self._services.values())
        why = {} if ready else {"error": "a service has no release to serve yet"}
        await send_json(send, 200 if ready else 503, msgspec.json.encode({"ready": ready} | why))

    async def _ready(self, name: str, scope: Scope, send: Send) -> None:
        served = self._services.get(name)
        if served is None:
            await self._no_service(name, scope, send)
            return
        why = {} if served.ready else {"error": served.refused or "no release is loaded yet"}
        body = msgspec.json.encode({"name": name, "ready": served.ready} | why)
        await send_json(send, 200 if served.ready else 503, body)

    async def _no_service(self, name: str, scope: Scope, send: Send) -> None:
        await send_error(send, 404, f"no model {name}: there are {', '.join(seen(scope, self._services))}")
