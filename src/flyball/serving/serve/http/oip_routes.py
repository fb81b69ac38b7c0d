"""The routes of the Open Inference Protocol V2 under `/v2`."""

from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from flyball.core.ids import short
from flyball.serving.protocols import oip, oip_model, oip_stats
from flyball.serving.protocols.bodies import read
from flyball.serving.protocols.oip_request import infer_request
from flyball.serving.protocols.oip_response import response_of
from flyball.serving.protocols.whole import refusal_of
from flyball.serving.released import Releases
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.http.exchange import (
    JSON,
    MOST_ID,
    Header,
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
from flyball.serving.serve.http.own_probes import send_probed

EXTENSIONS = ("binary_tensor_data", "classification", "model_configuration", "parameters", "statistics")
JSON_BYTES = b"inference-header-content-length"
_RAW: Header = (b"content-type", b"application/octet-stream")


class OipRoutes:
    """Path after `/v2`, split at its slashes, to an answer."""

    def __init__(
        self,
        services: Mapping[str, Served],
        request_id: Callable[[Scope], str],
        statistics: Callable[[Served], Awaitable[Releases]],
        own: Callable[[Scope], bool],
    ) -> None:
        """`statistics`: of a service, over all workers. `own`: whether the home itself asks."""
        self._services, self._request_id, self._statistics, self._own = services, request_id, statistics, own

    async def route(self, rest: list[str], scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        match rest:
            case [] | ["health", "live" | "ready"] | ["models"]:
                if not await wrong_method("GET", method, send):
                    await self._server(rest, scope, send)
            case ["models", "stats"] if "stats" not in self._services:
                if not await wrong_method("GET", method, send):
                    every = [await self._stats(served, None) for served in seen(scope, self._services).values()]
                    await _send(send, 200, {"model_stats": [one for told in every for one in told]})
            case ["repository", "index"]:
                if not await wrong_method("POST", method, send):
                    await self._index(scope, receive, send)
            case ["repository", "models", name, "load" | "unload"]:
                if not await wrong_method("POST", method, send):
                    await self._order(name, scope, send)
            case ["models", name, *tail]:
                pin, tail = (tail[1], tail[2:]) if tail[:1] == ["versions"] and len(tail) > 1 else (None, tail)
                await self._model(name, pin, tail, scope, receive, send)
            case _:
                await send_error(send, 404, f"no route {scope['path']}")

    async def _server(self, rest: list[str], scope: Scope, send: Send) -> None:
        ready = all(served.ready for served in self._services.values())
        match rest:
            case ["health", "live"]:
                await _send(send, 200, {"live": True})
            case ["health", "ready"] if ready:
                await _send(send, 200, {"ready": True, "live": True})
            case ["health", "ready"]:
                await _send(send, 503, {"ready": False, "error": "a service has no release to serve yet"})
            case ["models"]:
                await _send(send, 200, {"models": list(seen(scope, self._services))})
            case _:
                await _send(send, 200, about())

    async def _model(
        self, name: str, pin: str | None, tail: list[str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        served = self._services.get(name)
        if served is None:
            await self._no_model(name, scope, send)
            return
        pinned = oip_model.release_of(pin, served.arms.releases) if pin is not None else None
        if pin is not None and pinned is None:
            await send_error(send, 404, f"model {name}: no one version that begins with {pin}")
            return
        match tail:
            case ["infer"]:
                if not await wrong_method("POST", scope["method"], send):
                    await self._infer(served, pinned, scope, receive, send)
            case [] | ["ready" | "stats" | "config"]:
                if not await wrong_method("GET", scope["method"], send):
                    await self._told(served, pinned, tail, send)
            case _:
                await send_error(send, 404, f"no route {scope['path']}")

    async def _told(self, served: Served, pinned: str | None, tail: list[str], send: Send) -> None:
        """What a model says of itself."""
        match tail:
            case ["ready"]:
                why = {"error": served.refused or "no release is loaded yet"} if not served.ready else {}
                told = {"name": served.name, "ready": served.ready} | why
                await _send(send, 200 if served.ready else 503, told)
            case ["stats"]:
                await _send(send, 200, {"model_stats": await self._stats(served, pinned)})
            case ["config"]:
                max_rows = served.core.service.serving.max_rows
                await _send(send, 200, oip_model.config(served.signature, max_rows=max_rows))
            case _:
                versions = [pinned] if pinned else served.arms.releases
                await _send(send, 200, oip_model.metadata(served.signature, versions))

    async def _infer(self, served: Served, pinned: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(scope, receive)
        signature, max_rows = served.signature, served.core.service.serving.max_rows
        request, raw = infer_request(body, header(scope, JSON_BYTES), signature)
        rows = oip.rows_of(request, raw, signature, max_rows=max_rows)
        if self._own(scope):
            await send_probed(send, await served.probe(rows[:1]))
            return
        request_id = request.id[:MOST_ID] if request.id else self._request_id(scope)  # the unit of each of its rows
        batch, records = await served.predict(
            rows, request_id=request_id, terms=terms_in(scope, served.cohort), pinned=pinned, whole=True
        )
        if (refused := refusal_of(batch, records)) is not None:
            status, words = refused
            await send_error(send, status, words, retry_after(status, served.overloads.retry_after_s))
            return
        answer, json_bytes = response_of(request, batch, records, signature)
        headers = [JSON] if json_bytes is None else [_RAW, (JSON_BYTES, str(json_bytes).encode())]
        await send_packed(scope, send, 200, answer, headers)
        served.shadow.offer(batch)

    async def _stats(self, served: Served, pinned: str | None) -> list[dict[str, Any]]:
        roots = [pinned] if pinned else served.arms.releases
        return oip_stats.told(served.name, roots, await self._statistics(served))

    async def _index(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is loaded of what the client may ask; `{"ready": true}` leaves out what is not ready."""
        body = await body_of(scope, receive)
        wanted = read(body, _IndexRequest, "index") if body else _IndexRequest()
        found: list[dict[str, Any]] = []
        for name, served in seen(scope, self._services).items():
            if served.ready:
                found += [{"name": name, "version": short(root), "state": "READY"} for root in served.arms.releases]
            elif not wanted.ready:
                found.append({"name": name, "state": "UNAVAILABLE", "reason": served.refused or "no release yet"})
        await _send(send, 200, found)

    async def _order(self, name: str, scope: Scope, send: Send) -> None:
        if name not in self._services:
            await self._no_model(name, scope, send)
            return
        words = "this gateway loads what the controller orders, and unloads nothing else: see `flyball rollback`"
        await send_error(send, 501, words)

    async def _no_model(self, name: str, scope: Scope, send: Send) -> None:
        await send_error(send, 404, f"no model {name}: there are {', '.join(seen(scope, self._services))}")


class _IndexRequest(msgspec.Struct):
    ready: bool = False


def about() -> dict[str, Any]:
    """The server of itself: `GET /v2`."""
    return {"name": "flyball", "version": version("flyball"), "extensions": list(EXTENSIONS)}


async def _send(send: Send, status: int, document: object) -> None:
    await send_json(send, status, msgspec.json.encode(document))
