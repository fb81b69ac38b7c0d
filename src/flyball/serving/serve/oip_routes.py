"""The routes of the Open Inference Protocol V2 under `/v2`."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

import msgspec

from flyball.core.ids import short
from flyball.serving import oip
from flyball.serving.plain import error_of, status_of
from flyball.serving.serve.http import (
    RETRY_AFTER,
    Receive,
    Scope,
    Send,
    body_of,
    header,
    send_error,
    send_json,
    wrong_method,
)
from flyball.serving.serve.served import Served


class OipRoutes:
    """Path after `/v2`, split at its slashes, to an answer."""

    def __init__(self, services: Mapping[str, Served], request_id: Callable[[Scope], str]) -> None:
        self._services, self._request_id = services, request_id

    async def route(self, rest: list[str], scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        match rest:
            case [] | ["health", "live" | "ready"] | ["models"]:
                if not await wrong_method("GET", method, send):
                    await self._server(rest, send)
            case ["repository", "index"]:
                if not await wrong_method("POST", method, send):
                    await body_of(scope, receive)
                    await _send(send, 200, self._index())
            case ["models", name, *tail]:
                pin, tail = (tail[1], tail[2:]) if tail[:1] == ["versions"] and len(tail) > 1 else (None, tail)
                await self._model(name, pin, tail, scope, receive, send)
            case _:
                await send_error(send, 404, f"no route {scope['path']}")

    async def _server(self, rest: list[str], send: Send) -> None:
        ready = all(served.ready for served in self._services.values())
        match rest:
            case ["health", "live"]:
                await _send(send, 200, {"live": True})
            case ["health", "ready"] if ready:
                await _send(send, 200, {"ready": True, "live": True})
            case ["health", "ready"]:
                await _send(send, 503, {"ready": False, "error": "a service has no release to serve yet"})
            case ["models"]:
                await _send(send, 200, {"models": list(self._services)})
            case _:
                about = {"name": "flyball", "version": version("flyball"), "extensions": ["parameters"]}
                await _send(send, 200, about)

    async def _model(
        self, name: str, pin: str | None, tail: list[str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        served = self._services.get(name)
        if served is None:
            await send_error(send, 404, f"no model {name}: there are {', '.join(self._services)}")
            return
        pinned = oip.release_of(pin, served.arms.releases) if pin is not None else None
        if pin is not None and pinned is None:
            await send_error(send, 404, f"model {name}: no one version that begins with {pin}")
            return
        match tail:
            case []:
                if not await wrong_method("GET", scope["method"], send):
                    versions = [pinned] if pinned else served.arms.releases
                    await _send(send, 200, oip.metadata(served.signature, versions))
            case ["ready"]:
                if not await wrong_method("GET", scope["method"], send):
                    why = {"error": served.refused} if served.refused else {}
                    await _send(send, 200 if served.ready else 503, {"name": name, "ready": served.ready} | why)
            case ["infer"]:
                if not await wrong_method("POST", scope["method"], send):
                    await self._infer(served, pinned, scope, receive, send)
            case _:
                await send_error(send, 404, f"no route {scope['path']}")

    async def _infer(self, served: Served, pinned: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(scope, receive)
        if header(scope, b"inference-header-content-length") is not None:
            await send_error(send, 501, "binary tensors are not supported: send JSON (binary_data=False)")
            return
        service = served.core.service
        request, rows = oip.request_of(body, served.signature, max_rows=service.serving.max_rows)
        request_id = request.id or self._request_id(scope)
        batch, records = await served.predict(rows, request_id=request_id, pinned=pinned, whole=True)
        guilty = [
            place
            for place, (record, verdict) in enumerate(zip(records, batch.verdicts, strict=True))
            if record.prediction is None and (record.outcome != "rejected" or verdict is not None)
        ]
        if guilty:
            wrong = [f"row {place}: {error_of(batch, place, records[place])}" for place in guilty]
            status = status_of([records[place] for place in guilty])
            shown = "; ".join(wrong[:20]) + ("; ..." if len(wrong) > 20 else "")
            await send_error(send, status, shown, [RETRY_AFTER] if status == 503 else ())
            return
        await send_json(send, 200, oip.response_of(request, batch, records, served.signature))
        served.shadow.offer(batch)

    def _index(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "version": short(root), "state": "READY" if served.ready else "UNAVAILABLE"}
            for name, served in self._services.items()
            for root in served.arms.releases
        ]


async def _send(send: Send, status: int, document: object) -> None:
    await send_json(send, status, msgspec.json.encode(document))
