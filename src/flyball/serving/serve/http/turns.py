"""Workers of one listening socket take turns: whoever has the fewest connections takes the next one.

Theory of operation. An event loop that accepts takes everything that waits, so of clients that come together and stay,
one worker gets all and the others idle. Here a worker takes one connection at a time, and leaves it to the others for
two milliseconds where one of them has fewer. The numbers are in a small mapped file; they may be a moment old, and
nothing depends on them but who takes the next one: a worker that waited in vain takes it all the same, so nobody waits
for one that is busy or dead.
"""

import asyncio
import mmap
import os
import socket
import ssl
import struct
from collections.abc import Callable
from pathlib import Path

LEAVE_S = 0.002
NO_DESCRIPTOR_S = 0.1  # until the next attempt where the process may open no more
BACKLOG = 2048
AWAY = 1 << 40  # connections of a worker that takes none


class Turns:
    """Connections of each worker, in a file that all of them map."""

    def __init__(self, path: Path) -> None:
        """Raises: OSError: nobody has made it."""
        file = os.open(path, os.O_RDWR)
        try:
            words = memoryview(mmap.mmap(file, 0)).cast("q")
            self._workers, self._counts = words[0], words[1:]
        finally:
            os.close(file)

    @classmethod
    def made(cls, path: Path, workers: int, places: int = 0) -> "Turns":
        """A new file; nobody takes connections yet. `places`: numbers that workers may have, one more than there are
        workers at least, for the one that comes while another leaves. Raises: OSError.
        """
        path.write_bytes(struct.pack("=q", workers) + struct.pack("=q", AWAY) * max(places, workers + 1))
        return cls(path)

    def __len__(self) -> int:
        """Workers that the gateway has."""
        return self._workers

    def away(self, worker: int) -> None:
        """It takes no connections now: nobody leaves one to it."""
        self._counts[worker] = AWAY

    def has(self, worker: int, connections: int) -> None:
        self._counts[worker] = connections

    def is_next(self, worker: int) -> bool:
        """Whether no other has fewer."""
        return self._counts[worker] <= min(self._counts)


class Acceptor:
    """The part of a server that takes connections, for one worker of several."""

    def __init__(
        self,
        listener: socket.socket,
        turns: Turns,
        worker: int,
        *,
        protocol: Callable[[], asyncio.Protocol],
        open_connections: Callable[[], int],
        tls: ssl.SSLContext | None,
    ) -> None:
        self._listener, self._turns, self._worker = listener, turns, worker
        self._protocol, self._open, self._tls = protocol, open_connections, tls
        self._coming: set[asyncio.Task[object]] = set()  # accepted, and not yet a connection
        self._left = False  # the one that waits was left to the others once
        self._closed = False
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._turns.has(self._worker, 0)
        self._loop.add_reader(self._listener.fileno(), self._ready)

    @property
    def idle(self) -> bool:
        """Nobody is on the way from the queue to a connection."""
        return not self._coming

    def close(self) -> None:
        """Take no more; what waits is the other workers'."""
        self._closed = True
        self._turns.away(self._worker)
        self._loop.remove_reader(self._listener.fileno())

    def _ready(self) -> None:
        self._turns.has(self._worker, self._open() + len(self._coming))
        if not self._left and not self._turns.is_next(self._worker):
            self._left = True
            self._pause(LEAVE_S)
            return
        self._left = False
        try:
            connection, _ = self._listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionError):
            return  # another worker was first, or the client has gone
        except OSError:  # no descriptor left: the client waits, as it would in a longer queue
            self._pause(NO_DESCRIPTOR_S)
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        task = self._loop.create_task(self._loop.connect_accepted_socket(self._protocol, connection, ssl=self._tls))
        self._coming.add(task)
        task.add_done_callback(self._come)
        self._turns.has(self._worker, self._open() + len(self._coming))

    def _come(self, task: "asyncio.Task[object]") -> None:
        self._coming.discard(task)
        if not task.cancelled():
            task.exception()  # a handshake that fails is the client's affair

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._listener.fileno())
        self._loop.call_later(seconds, self._resume)

    def _resume(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._listener.fileno(), self._ready)
