"""uvicorn around the door: one process, one event loop, its own way to end."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from flyball.core.errors import Unavailable
from flyball.serving.serve.asgi import Door

DRAIN_S = 10


class _Server(uvicorn.Server):
    """Tells when it answers, and ends with exit code 0 on SIGTERM: ours to decide, not uvicorn's."""

    ready: Callable[[], None]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets=sockets)
        except SystemExit:  # uvicorn's way to say that the door did not start; `serve` raises the reason
            self.should_exit = True
        if self.started:
            self.ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end)
        yield

    def _end(self) -> None:
        self.should_exit = True


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises: Unavailable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Unavailable(f"cannot listen on {host}:{port}: {error}", hint="choose another --port") from error
    return listener


async def serve(door: Door, listener: socket.socket, ready: Callable[[], None]) -> None:
    """Until SIGTERM or SIGINT: stop accepting, finish what is under way, then the door's `stop`.

    Raises: what kept the door from starting.
    """
    config = uvicorn.Config(
        door,
        lifespan="on",
        access_log=False,
        log_level="critical",  # what goes wrong is told by the door, once
        server_header=False,
        backlog=2048,
        timeout_graceful_shutdown=DRAIN_S,
    )
    server = _Server(config)
    server.ready = ready
    await server.serve(sockets=[listener])
    if door.failure is not None:
        raise door.failure
