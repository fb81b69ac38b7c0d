"""What a connection may cost: bytes and number of headers, time for head, body and answer, connections at once.

uvicorn bounds none of these, so we stand between it and the wire. Nothing is done for a request in good order but to
add up bytes as they come. A sweep looks at the open connections a few times in each limit: one that is still in the
same phase of the same request when its time is over is told 408, if nothing was told yet, and closed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from flyball.serving.protocols.bodies import encode_error
from flyball.serving.serve.http.exchange import BODY_BYTES, MAX_BODY_BYTES, Receive, Scope, Send

Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large", 503: "Unavailable"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """Sizes in bytes, times in seconds."""

    header_bytes: int = 32 * 1024  # request line and headers together
    headers: int = 100
    body_bytes: int = MAX_BODY_BYTES
    header_s: float = 10.0
    body_s: float = 30.0  # for the body, and for the client to take the answer
    idle_s: float = 5.0
    connections: int = 1_000

    @property
    def sweep_s(self) -> float:
        return min(1.0, self.header_s / 4, self.body_s / 4)


def divided(bounds: Bounds, workers: int) -> Bounds:
    """Those of one of so many workers: together they have as many connections as one would, rounded up."""
    return replace(bounds, connections=-(-bounds.connections // workers))


class _Refused(Exception):
    """Raised inside the parser to stop it; what the client is told is kept with the connection."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. The subclass that `bounded` makes has the bounds."""

    bounds: Bounds
    leaves = False  # of the class that a server has: each connection ends with its next answer
    # uvicorn types them without the None that they begin with
    scope: Any
    cycle: Any
    headers: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._fed = 0  # bytes since the last head was whole, those of its body included
        self.in_head = False  # a message has begun, and its head is not whole
        self._suspect: object = None  # the headers of a message whose bytes were counted before
        self._told = (400, "invalid HTTP: expected a request of HTTP/1.1")

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.bounds.connections:
            self.end(503, "too many connections: try again later")

    def data_received(self, data: bytes) -> None:
        self._fed += len(data)
        super().data_received(data)
        if self._fed > self.bounds.header_bytes:
            self._weigh()

    def on_message_begin(self) -> None:
        self.in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self.weigh_head()
        if self.bounds.body_bytes != MAX_BODY_BYTES:
            self.scope[BODY_BYTES] = self.bounds.body_bytes
        super().on_headers_complete()
        if self.leaves:
            self.cycle.keep_alive = False

    def weigh_head(self) -> None:
        """The head is whole. Raises, for the parser: it is larger than it may be."""
        bounds = self.bounds
        if len(self.headers) > bounds.headers:
            self._refuse(f"more than {bounds.headers} headers")
        if self._fed > bounds.header_bytes and self._known_bytes() > bounds.header_bytes:
            self._refuse(f"request line and headers are larger than {bounds.header_bytes} bytes")
        self._fed, self.in_head = 0, False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's own words
        self.end(*self._told)

    def end(self, status: int, message: str) -> None:
        """Tell the client, if it was told nothing yet, and close."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            body = encode_error(message)
            head = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\n"
            head += f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            self.transport.write(head.encode() + body)
        self.transport.close()

    def phase(self) -> tuple[str, object] | None:
        """What the connection is in the middle of, and of which request; None: of nothing that a client can drag out.

        The object is held by whoever compares: its successor cannot be taken for it.
        """
        if self.transport.is_closing():
            return "closing", self.transport
        if self.in_head or self.headers is None:
            return "head", self.headers
        if self.cycle.more_body and not self.cycle.response_complete:
            return "body", self.cycle
        if self.cycle.response_complete and self.timeout_keep_alive_task is None:
            return "head", self.cycle  # bytes that begin no request, such as empty lines, have stopped the idle timer
        return ("answer", self.cycle) if self.flow.write_paused else None

    def _weigh(self) -> None:
        """More bytes than a head may have came since the last one was whole; those of a body do not count."""
        trailing = not self.in_head and self._known_bytes() > self.bounds.header_bytes
        if trailing or (self.in_head and self._suspect is self.headers):
            self._told = (431, f"request line and headers are larger than {self.bounds.header_bytes} bytes")
            self.end(*self._told)
        # perhaps a body before it was counted too: from here on the next such sum is its own
        self._suspect, self._fed = (self.headers, self._known_bytes()) if self.in_head else (None, 0)

    def _known_bytes(self) -> int:
        if self.headers is None:
            return 0
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _refuse(self, message: str) -> None:
        self._told = (431, message)
        raise _Refused


def bounded(bounds: Bounds) -> type[BoundedProtocol]:
    """The protocol class for a server with these bounds."""
    return type("Bounded", (BoundedProtocol,), {"bounds": bounds})


def limited(application: Application, bounds: Bounds) -> Application:
    """The application for a way in that is not this protocol's: with the same limit of a body."""
    if bounds.body_bytes == MAX_BODY_BYTES:
        return application

    async def within(scope: Scope, receive: Receive, send: Send) -> None:
        scope[BODY_BYTES] = bounds.body_bytes
        await application(scope, receive, send)

    return within


async def sweep(connections: Callable[[], Iterable[Any]], bounds: Bounds) -> None:
    """Until cancelled: end every connection that has been in one phase for too long."""
    loop = asyncio.get_running_loop()
    limits = {"head": bounds.header_s, "body": bounds.body_s, "answer": bounds.body_s, "closing": bounds.body_s}
    since: dict[BoundedProtocol, tuple[str, object, float]] = {}
    while True:
        now = loop.time()
        seen: dict[BoundedProtocol, tuple[str, object, float]] = {}
        for connection in list(connections()):
            if not isinstance(connection, BoundedProtocol) or (phase := connection.phase()) is None:
                continue
            what, whose = phase
            before = since.get(connection)
            began = before[2] if before is not None and before[0] == what and before[1] is whose else now
            seen[connection] = (what, whose, began)
            if now - began >= limits[what]:
                _end(connection, what)
        since = seen
        await asyncio.sleep(bounds.sweep_s)


def _end(connection: BoundedProtocol, what: str) -> None:
    if what in ("answer", "closing"):
        connection.transport.abort()  # it takes nothing from us: what waits for it is dropped
    else:
        connection.end(408, f"the {what} of the request took too long")
