"""Who asked what, a line a request: route, status, time, id and subject; never a path, a query, a body or a key."""

from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from flyball.core.clock import Clock
from flyball.serving.protocols.route_name import known, route_name
from flyball.serving.serve.http.exchange import Receive, Scope, Send, header
from flyball.serving.serve.http.guard import GRANT
from flyball.serving.serve.journal import REQUEST, Journal

ID_CHARACTERS = 128


class AccessLog:
    """An ASGI application around another one: gives every request an id, tells the client, and perhaps the journal."""

    def __init__(
        self,
        inner: Callable[[Scope, Receive, Send], Awaitable[None]],
        journal: Journal,
        clock: Clock,
        new_id: Callable[[], str],
        services: Collection[str],
        *,
        told: bool,
    ) -> None:
        """`told`: a line a request; else only messages carry its id."""
        self._inner, self._journal, self._clock, self._new_id, self._told = inner, journal, clock, new_id, told
        self._services = frozenset(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        name = header(scope, b"x-request-id")
        if not name:
            name = self._new_id()
            scope["headers"] = [*scope["headers"], (b"x-request-id", name.encode())]
        name = "".join(c for c in name[:ID_CHARACTERS] if c.isascii() and c.isprintable())
        REQUEST.set(name)  # of this request's own task
        began, status = self._clock.monotonic(), 0

        async def sent(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", name.encode())]
            await send(message)

        try:
            await self._inner(scope, receive, sent)
        finally:
            if self._told:
                self._tell(scope, status, (self._clock.monotonic() - began) * 1000.0)

    def _tell(self, scope: Scope, status: int, took_ms: float) -> None:
        route, service = route_name(scope["path"])
        grant = scope.get(GRANT)
        fields = {
            "method": scope["method"],
            "route": route,
            "service": known(service, self._services),
            "status": status,
            "took_ms": round(took_ms, 3),
            "subject": grant.subject if grant else "",
        }
        self._journal.line("request", fields, text=" ".join(str(value) for value in fields.values()))
