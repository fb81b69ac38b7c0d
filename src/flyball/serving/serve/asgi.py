"""The HTTP door: raw ASGI, a table of routes, every error as `{"error": ...}`.

A request whose handler fails by a fault of ours gets a 500 without a traceback; the fault goes to `complain`.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from flyball.core.clock import Clock
from flyball.core.errors import BadInput, Unavailable
from flyball.core.prediction import LabelRecord
from flyball.serving import plain
from flyball.serving.bodies import line
from flyball.serving.identity import service_of
from flyball.serving.serve.exposition import exposition
from flyball.serving.serve.http import (
    MAX_BODY_BYTES,
    RETRY_AFTER,
    Receive,
    Scope,
    Send,
    TooLarge,
    body_of,
    header,
    send_body,
    send_error,
    send_json,
    wrong_method,
)
from flyball.serving.serve.oip_routes import OipRoutes
from flyball.serving.serve.served import Served


class Door:
    """The ASGI application of one worker."""

    def __init__(
        self,
        services: Mapping[str, Served],
        clock: Clock,
        *,
        secret: bytes,
        request_prefix: str,
        start: Callable[[], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
        complain: Callable[[str], None],
    ) -> None:
        """`secret`: of prediction ids. `request_prefix`: of request ids that clients leave to us."""
        self._services, self._clock, self._secret = services, clock, secret
        self._prefix, self._numbers = request_prefix, itertools.count(1)
        self._start, self._stop, self._complain = start, stop, complain
        self.failure: Exception | None = None
        self._oip = OipRoutes(services, self._request_id)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        try:
            await self._route(scope, receive, send)
        except BadInput as error:
            await send_error(send, 400, line(error))
        except TooLarge:
            await send_error(send, 413, f"the body is larger than {MAX_BODY_BYTES} bytes: send several requests")
        except LookupError as error:
            await send_error(send, 503, str(error.args[0] if error.args else error), [RETRY_AFTER])
        except Unavailable as error:  # the label book refuses for now: nothing was taken, send it again
            self._complain(f"{scope['method']} {scope['path']}: {error}")
            await send_error(send, 503, str(error), [RETRY_AFTER])
        except Exception as error:  # a fault of ours: the client learns that, and no more
            self._complain(f"{scope['method']} {scope['path']}: {type(error).__name__}: {error}")
            await send_error(send, 500, "internal error")

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        method: str = scope["method"]
        parts = path.strip("/").split("/")
        match parts:
            case ["v2", *rest]:
                await self._oip.route(rest, scope, receive, send)
                return
            case ["v1", "services", _, "predict"] | ["v1", "labels"]:
                allowed = "POST"
            case ["metrics" | "livez" | "readyz"]:
                allowed = "GET"
            case _:
                await send_error(send, 404, f"no route {path}")
                return
        if await wrong_method(allowed, method, send):
            return
        match parts:
            case ["v1", "services", name, _]:
                await self._predict(name, scope, receive, send)
            case ["v1", _]:
                await self._labels(scope, receive, send)
            case ["metrics"]:
                await self._metrics(send)
            case ["livez"]:
                await send_json(send, 200, b'{"live":true}')
            case _:
                await self._ready(send)

    async def _predict(self, name: str, scope: Scope, receive: Receive, send: Send) -> None:
        body = await body_of(scope, receive)
        served = self._services.get(name)
        if served is None:
            await send_error(send, 404, f"no service {name}: this gateway serves {', '.join(self._services)}")
            return
        rows = plain.rows_of(body, f"/v1/services/{name}/predict", max_rows=served.core.service.serving.max_rows)
        batch, records = await served.predict(rows, request_id=self._request_id(scope))
        status, answer = plain.predictions_body(batch, records)
        await send_json(send, status, answer, [RETRY_AFTER] if status == 503 else ())
        served.shadow.offer(batch)

    async def _labels(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = plain.labels_of(await body_of(scope, receive), "/v1/labels", now=self._clock.now().timestamp())
        by_service: dict[str, list[LabelRecord]] = {}
        unmatched = 0
        for label in found:
            name = service_of(label.id, self._secret)
            if name is None or name not in self._services:
                unmatched += 1
            else:
                by_service.setdefault(name, []).append(label)
        sums = [0, 0, 0]
        for name, labels in by_service.items():
            # the label book waits for its disk: not on the event loop
            counts = await asyncio.to_thread(self._services[name].labels.put, labels)
            sums = [a + b for a, b in zip(sums, counts, strict=True)]
        await send_json(send, 200, plain.labels_body(sums[0], sums[1], sums[2], unmatched))

    async def _metrics(self, send: Send) -> None:
        kind, body = exposition(self._services.values())
        await send_body(send, 200, body, [(b"content-type", kind.encode())])

    async def _ready(self, send: Send) -> None:
        services = {name: served.ready for name, served in self._services.items()}
        body: dict[str, Any] = {"ready": all(services.values()), "services": services}
        if reasons := {name: served.refused for name, served in self._services.items() if served.refused}:
            body["reasons"] = reasons
        await send_json(send, 200 if body["ready"] else 503, msgspec.json.encode(body))

    def _request_id(self, scope: Scope) -> str:
        given = header(scope, b"x-request-id")
        return given[:200] if given else f"{self._prefix}{next(self._numbers):x}"

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            await self._start()
        except Exception as error:  # kept for whoever runs the server: its kind decides the exit code
            self.failure = error
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})
