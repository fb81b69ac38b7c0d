"""uvicorn around the door: one process, one event loop, its own way to end."""

import asyncio
import gc
import signal
import socket
import ssl
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import uvicorn

from flyball.core.errors import Unavailable
from flyball.serving.serve.http.asgi import Door
from flyball.serving.serve.http.bounds import Bounds, bounded, limited, sweep
from flyball.serving.serve.http.exchange import Receive, Scope, Send
from flyball.serving.serve.http.short_way import short_way
from flyball.serving.serve.http.turns import Acceptor, Turns

DRAIN_S = 10
LEAVE = signal.SIGUSR1  # another process has taken this one's place: part from the clients, then end
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class Beside(Protocol):
    """Another way in to the same application: `grpc_server.GrpcServer`."""

    async def start(self, application: Application) -> None: ...
    async def stop(self) -> None: ...


YOUNG = 10_000  # new objects between two collections: the records that wait for the log are more than Python's 700
SWITCH_S = 0.001  # for so long the log's writer keeps the event loop waiting, at most, where both have work


def _settle() -> None:
    """What was loaded at the start lives as long as the process: no collection of garbage walks through it again. And
    few are needed: a request leaves no cycles behind, so what is young is mostly waiting, not garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    sys.setswitchinterval(SWITCH_S)


class _Last:
    """A lifespan whose end waits for something else to end."""

    def __init__(self, inner: Any, before: "asyncio.Task[None]") -> None:
        self._inner, self._before = inner, before
        self.state = inner.state  # what uvicorn gives to each connection

    async def shutdown(self) -> None:
        await self._before
        await self._inner.shutdown()


class _Server(uvicorn.Server):
    """Tells when it answers, and ends with exit code 0 on SIGTERM: ours to decide, not uvicorn's."""

    ready: Callable[[], None]
    accepts: Callable[[Callable[[], asyncio.Protocol], Callable[[], int]], Acceptor] | None = None
    acceptor: Acceptor | None = None
    application: Application
    beside: Beside | None = None
    leave_s = 0.0  # for so long at most connections are waited for when another takes this one's place
    _left_at: float | None = None  # when that began

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        except SystemExit:  # uvicorn's way to say that the door did not start; `serve` raises the reason
            self.should_exit = True
        if self.started:
            if self.accepts is not None:
                self.acceptor = self.accepts(self._protocol, lambda: len(self.server_state.connections))
                self.acceptor.start()
            if self.beside is not None:
                await self.beside.start(self.application)
            _settle()
            self.ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """No connection is taken from here on; both doors finish what they have at the same time, and what they ask
        ends after both."""
        if self.acceptor is not None:
            self.acceptor.close()
        if self.beside is not None:
            self.lifespan = _Last(self.lifespan, asyncio.create_task(self.beside.stop()))
        await super().shutdown(sockets=sockets)

    def _protocol(self) -> asyncio.Protocol:
        """One connection, as uvicorn makes it."""
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        loop.add_signal_handler(LEAVE, self._leave)
        yield

    def _leave(self) -> None:
        """Another answers in our place: take no connection more, and part from each with its next answer, so that no
        client writes into a connection that is closed at that moment."""
        if self.acceptor is not None:
            self.acceptor.close()
        self.config.http_protocol_class.leaves = True  # type: ignore[attr-defined]
        self._left_at = asyncio.get_running_loop().time()

    async def on_tick(self, counter: int) -> bool:
        if self._left_at is not None:
            gone = not self.server_state.connections and (self.acceptor is None or self.acceptor.idle)
            if gone or asyncio.get_running_loop().time() - self._left_at > self.leave_s:
                self.should_exit = True
        return await super().on_tick(counter)

    def _end(self) -> None:
        self.should_exit = True


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises: Unavailable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio switches Nagle's algorithm off only where the protocol is named: else head and body wait for an ACK, 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(f"cannot listen on {host}:{port}: {error}", hint="choose another --port") from error
    return listener


def config_of(door: Door, guarded: Application | None, bounds: Bounds, tls: ssl.SSLContext | None) -> uvicorn.Config:
    """How uvicorn is to serve; what stands around the door wants to see every request."""
    protocol = bounded(bounds) if guarded else short_way(door, bounds)  # type: ignore[arg-type]
    return _config(protocol, guarded or door, bounds, tls)


def _config(
    protocol: Callable[..., Any], application: Application, bounds: Bounds, tls: ssl.SSLContext | None
) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=protocol,  # type: ignore[arg-type]
        ws="none",
        timeout_keep_alive=bounds.idle_s,  # type: ignore[arg-type] # handed to call_later, which takes parts of seconds
        ssl_context_factory=(lambda _config, _default: tls) if tls is not None else None,
        lifespan="on",
        proxy_headers=False,  # the client's address is the one that connected, not one that it sends
        access_log=False,
        log_level="critical",  # what goes wrong is told by the door, once
        server_header=False,
        backlog=2048,
        timeout_graceful_shutdown=DRAIN_S,
    )


async def serve(
    door: Door,
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    guarded: Application | None = None,
    bounds: Bounds | None = None,
    tls: ssl.SSLContext | None = None,
    beside: Beside | None = None,
    turns: tuple[Turns, int] | None = None,
) -> None:
    """Until SIGTERM or SIGINT: stop accepting, finish what is under way, then the door's `stop`.

    `guarded`: what stands around the door, if anything does. `beside`: starts and ends with it. `turns`: with the
    number of this worker, where several accept from one listener.

    Raises: what kept the door from starting.
    """
    bounds = bounds or Bounds()
    config = config_of(door, guarded, bounds, tls)
    server = _Server(config)
    server.ready, server.beside = ready, beside
    server.leave_s = bounds.idle_s + DRAIN_S
    server.application = limited(guarded or door, bounds)
    if turns is not None:
        server.accepts = lambda make, count: Acceptor(
            listener, *turns, protocol=make, open_connections=count, tls=config.ssl
        )
    await _until_told(server, [listener] if turns is None else [], bounds)
    if door.failure is not None:
        raise door.failure


async def serve_application(
    application: Application,
    listener: socket.socket,
    ready: Callable[[], None],
    *,
    bounds: Bounds,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Another application than the gateway's door, within the same bounds, with the same way to end."""
    server = _Server(_config(bounded(bounds), application, bounds, tls))
    server.ready, server.application = ready, application
    await _until_told(server, [listener], bounds)


async def _until_told(server: _Server, listeners: list[socket.socket], bounds: Bounds) -> None:
    sweeper = asyncio.create_task(sweep(lambda: server.server_state.connections, bounds))
    try:
        await server.serve(sockets=listeners)
    finally:
        sweeper.cancel()
