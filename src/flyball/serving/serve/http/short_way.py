"""The short way of most requests: one row that the contract accepts, from the parser to its batch and back to the wire.

Theory of operation. ASGI gives every request a scope, a task, an event and two messages, and uvicorn writes its answer
in three pieces: together that costs as much as the model and all of our counting. None of it is needed for a body that
is one accepted row of a path that was asked before and whose headers ask for nothing. So the protocol waits with the
beginning of such a request until its body is whole, and hands the row to those that came in the same turn.

Whatever is otherwise (another path or method, a header that asks for something, a body in chunks or of 10 kB and more,
a row that is not accepted, an answer still under way on the connection) goes on as if this file did not exist: what the
parser found is kept until then and told to uvicorn, so that there is one author of every refusal. To uvicorn, the sweep
and a server that ends, a request on the short way is the connection's `cycle` like any other.

While the service turns requests away, one that got so far is refused unread (`turnstile.py`), and its connection stays
open: a client that has to come back would pay for another, and so would we.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from flyball.core.prediction import PredictionRecord
from flyball.serving.batch import Batch
from flyball.serving.protocols import plain
from flyball.serving.protocols.bodies import encode_error
from flyball.serving.serve.answering.joined import Joined
from flyball.serving.serve.answering.turnstile import Refused
from flyball.serving.serve.http.bounds import BoundedProtocol, Bounds
from flyball.serving.serve.http.exchange import ASKING, JSON, Header, retry_after

_LONG = ASKING | {b"expect", b"transfer-encoding", b"upgrade"}
_LENGTH_DIGITS = 4  # of a content-length that may go the short way
_OK = 200


class ShortDoor(Protocol):
    """What the short way needs of `asgi.Door`."""

    short: Mapping[bytes, Joined]  # request targets, to where their rows are joined

    def next_id(self) -> str:
        """The name of a request whose client gave it none."""
        ...

    def refusal(self, error: BaseException, route: str) -> tuple[int, str, list[Header]]:
        """Status, words and headers for what was raised while a request of this route was answered."""
        ...


class ShortWayProtocol(BoundedProtocol):
    """One connection. The subclass that `short_way` makes has the door and the bounds."""

    door: ShortDoor
    heads: "_Heads"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._asks = False  # a header of this request asks for something
        self._joined: Joined | None = None  # where the request goes whose body is on its way
        self._body = b""

    def on_message_begin(self) -> None:
        # a refusal that was told between two requests of one read has begun to wait for this one
        self._unset_keepalive_if_required()
        self.in_head = True
        self.url, self.headers, self.expect_100_continue = b"", [], False
        self._asks = False

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        if name in _LONG or (name == b"content-length" and len(value) > _LENGTH_DIGITS):
            self._asks = True
            super().on_header(name, value)
        else:
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        joined = None if self._asks else self.door.short.get(self.url)
        if joined is None or self._busy() or self.parser.get_method() != b"POST":
            self._go_long()
        else:
            self.weigh_head()
            self._joined, self._body = joined, b""

    def on_body(self, body: bytes) -> None:
        if self._joined is None:
            super().on_body(body)
        else:
            self._body += body  # one piece, mostly

    def on_message_complete(self) -> None:
        joined = self._joined
        if joined is not None:
            if self._turned_away(joined):
                return
            reader = joined.served.reader
            row = reader.row(self._body) if reader and len(self._body) <= self.bounds.body_bytes else None
            if row is not None and joined.open:
                joined.add(row, self.door.next_id(), self._answering(joined))
                return
            self._go_long()
        super().on_message_complete()

    def _turned_away(self, joined: Joined) -> bool:
        """Whether the request has its answer: it is refused, or whether it should be could not be told.

        The parser takes whatever is raised for a request that is not HTTP, so nothing is.
        """
        fits = len(self._body) <= self.bounds.body_bytes
        try:
            refused = joined.stile.refuse(self._body) if joined.stile.closed() and fits else None
        except Exception as error:
            self._answering(joined).failed(error)
            return True
        if refused is not None:
            self._answering(joined).refused(refused)
        return refused is not None

    def _answering(self, joined: Joined) -> "_Cycle":
        """From here on the request is on its short way."""
        self._joined = None
        self.cycle = cycle = _Cycle(self, joined)
        return cycle

    def phase(self) -> tuple[str, object] | None:
        if self._joined is not None and not self.transport.is_closing():
            return "body", self.headers
        return super().phase()

    def shutdown(self) -> None:
        if self._joined is not None:  # begun, so it is answered first
            self._go_long()
        super().shutdown()

    def _busy(self) -> bool:
        """An answer is under way on this connection, or it takes none: uvicorn knows how to wait."""
        return self.flow.write_paused or not (self.cycle is None or self.cycle.response_complete)

    def _go_long(self) -> None:
        """Tell uvicorn what it would know of this request by now."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        body, begun = self._body, self._joined is not None
        self._joined, self._body = None, b""
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the list that is in the scope, too
        super().on_headers_complete()
        if begun and body:
            super().on_body(body)


class _Cycle:
    """One request on the short way: who asked, to `Joined`; what is under way, to uvicorn."""

    __slots__ = ("_joined", "_protocol", "disconnected", "keep_alive", "response_complete")

    more_body = response_started = False

    def __init__(self, protocol: ShortWayProtocol, joined: Joined) -> None:
        parser = protocol.parser
        self._protocol, self._joined = protocol, joined  # the protocol's own request may be the next one by the answer
        stays: bool = parser.should_keep_alive() and parser.get_http_version() != "1.0"
        self.keep_alive = stays and not protocol.leaves
        self.response_complete = self.disconnected = False

    @property
    def message_event(self) -> "_Cycle":
        """Nobody waits for one."""
        return self

    def set(self) -> None:
        return

    def answered(self, batch: Batch, place: int, record: PredictionRecord) -> None:
        status, body = plain.prediction_body(batch, place, record)
        if status == _OK:
            self._send(status, body, ())
        else:
            self._send(status, body, retry_after(status, self._joined.served.overloads.retry_after_s))

    def refused(self, refused: Refused) -> None:
        if self.keep_alive:
            head = self._protocol.heads.refusal(refused, self._protocol.server_state.default_headers)
            self._write(head, refused.body)
        else:
            self._send(refused.status, refused.body, retry_after(refused.status, refused.retry_after_s))

    def failed(self, error: BaseException) -> None:
        if not self.response_complete:
            route = "POST /v1/services/{service}/predict"
            status, words, headers = self._protocol.door.refusal(error, route)
            self._send(status, encode_error(words), headers)

    def _send(self, status: int, body: bytes, headers: "list[Header] | tuple[()]") -> None:
        defaults = self._protocol.server_state.default_headers
        if status == _OK and self.keep_alive:
            self._write(self._protocol.heads.ok(defaults), body)
        else:
            more = [*headers] if self.keep_alive else [*headers, (b"connection", b"close")]
            self._write(_head(status, [*defaults, *more, JSON]) + b"content-length: ", body)

    def _write(self, head: bytes, body: bytes) -> None:
        """`head`: up to the number of the body's bytes."""
        self.response_complete = True
        protocol = self._protocol
        transport = protocol.transport
        if self.disconnected or transport.is_closing():
            return
        transport.write(b"%b%d\r\n\r\n%b" % (head, len(body), body))
        if not self.keep_alive:
            transport.close()
        protocol.on_response_complete()


class _Heads:
    """Heads up to the number of the body's bytes; the headers that uvicorn adds change once a second."""

    def __init__(self) -> None:
        self._of: object = None
        self._ok = b""
        self._refusals: dict[tuple[int, int], bytes] = {}  # by status and wait

    def ok(self, default_headers: list[Header]) -> bytes:
        if default_headers is not self._of:
            self._anew(default_headers)
        return self._ok

    def refusal(self, refused: Refused, default_headers: list[Header]) -> bytes:
        if default_headers is not self._of:
            self._anew(default_headers)
        key = refused.status, refused.retry_after_s
        found = self._refusals.get(key)
        if found is None:
            head = _head(refused.status, [*default_headers, *retry_after(*key), JSON])
            found = self._refusals[key] = head + b"content-length: "
        return found

    def _anew(self, default_headers: list[Header]) -> None:
        self._of, self._refusals = default_headers, {}
        self._ok = _head(_OK, [*default_headers, JSON]) + b"content-length: "


def _head(status: int, headers: list[Header]) -> bytes:
    return STATUS_LINE[status] + b"".join(b"%b: %b\r\n" % header for header in headers)


def short_way(door: ShortDoor, bounds: Bounds) -> Callable[..., ShortWayProtocol]:
    """The protocol class for a server of this door with these bounds."""
    return type("ShortWay", (ShortWayProtocol,), {"door": door, "bounds": bounds, "heads": _Heads()})
