"""A client that does not wait: requests go out when their time has come, and latency counts from that time."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any

import httptools

CONNECTIONS, MOST_OPEN = 6, 4000  # six rows in flight are below any limit: a closed loop is never refused


def request(row: dict[str, Any]) -> bytes:
    """A prediction of one row, as bytes."""
    body = json.dumps(row).encode()
    head = b"POST /v1/services/shop/predict HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n%s" % (len(body), body)


class _Connection(asyncio.Protocol):
    """One kept-alive connection with at most one request under way."""

    def __init__(self, pool: "_Pool") -> None:
        self._pool, self._due = pool, 0.0
        self._parser = httptools.HttpResponseParser(self)
        self._wire: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport

    def ask(self, due: float) -> None:
        assert self._wire is not None
        self._due = due
        self._wire.write(self._pool.request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._pool.told(self._due, self._parser.get_status_code())
        self._parser = httptools.HttpResponseParser(self)
        self._pool.idle.append(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        if self in self._pool.idle:
            self._pool.idle.remove(self)


class _Pool:
    """Sends at given times."""

    def __init__(self, port: int, request_bytes: bytes) -> None:
        self._port, self.request, self.idle = port, request_bytes, list[_Connection]()
        self.answers: list[tuple[float, int, float]] = []  # (due, status, seconds)
        self.open = 0

    def told(self, due: float, status: int) -> None:
        self.answers.append((due - self.zero, status, time.monotonic() - due))

    async def run(self, parts: Sequence[tuple[float, float]]) -> None:
        due = self.zero = time.monotonic()
        for rps, seconds in parts:
            end = due + seconds
            while due < end:
                if (left := due - time.monotonic()) > 0.001:
                    await asyncio.sleep(left)
                await self._send(due)
                due += 1.0 / rps
        await asyncio.sleep(2.0)

    async def _send(self, due: float) -> None:
        if self.idle:
            self.idle.pop().ask(due)
        elif self.open < MOST_OPEN:
            self.open += 1
            task = asyncio.create_task(self._new(due))
            task.add_done_callback(lambda done: done.exception())
            await asyncio.sleep(0)
        else:
            self.answers.append((due - self.zero, 0, 0.0))

    async def _new(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
        connection.ask(due)


def open_loop(port: int, request_bytes: bytes, parts: Sequence[tuple[float, float]]) -> list[tuple[float, int, float]]:
    """(seconds since the start when it was due, status, seconds to the answer) of each answered request."""

    async def run() -> list[tuple[float, int, float]]:
        pool = _Pool(port, request_bytes)
        await pool.run(parts)
        return pool.answers

    return asyncio.run(run())


def closed_loop(port: int, request_bytes: bytes, seconds: float, wanted: int = 200) -> float:
    """Answers of the wanted status a second, to clients that wait for theirs."""

    class Again(_Connection):
        def on_message_complete(self) -> None:
            super().on_message_complete()
            self._pool.idle.pop().ask(time.monotonic())

    async def run() -> float:
        pool = _Pool(port, request_bytes)
        pool.zero = time.monotonic()
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, connection = await loop.create_connection(lambda: Again(pool), "127.0.0.1", port)
            connection.ask(time.monotonic())
        await asyncio.sleep(seconds)
        return sum(status == wanted for _, status, _ in pool.answers) / seconds

    return asyncio.run(run())
