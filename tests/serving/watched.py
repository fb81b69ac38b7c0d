"""A door on a real socket, which tells what way each request went and when nothing is under way."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

from tests.serving.stage import PATIENCE_S
from uvicorn.server import ServerState

from flyball.serving.serve.http.asgi import Door
from flyball.serving.serve.http.bounds import Bounds, bounded
from flyball.serving.serve.http.server import config_of
from flyball.serving.serve.http.short_way import _Cycle

TURNS = 20  # of the loop: an application that answers before the body is whole has done so by then


class Watched:
    """The server's side. `ways`: how many requests went the short way (decision 0062) and the long way."""

    def __init__(self) -> None:
        self.ways: Counter[str] = Counter()
        self.state, self.port = ServerState(), 0
        self.state.default_headers = [(b"date", b"today")]

    async def told(self, pieces: Sequence[bytes], *, hurried: bool = False) -> tuple[bytes, bool]:
        """Everything that comes back on one connection, and whether the server would have kept it.

        Each piece is sent when all that came before is answered; `hurried`: at once.
        """
        async with asyncio.timeout(PATIENCE_S):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            name, sent = writer.get_extra_info("sockname"), 0
            while not (mine := [each for each in self.state.connections if getattr(each, "client", None) == name]):
                await asyncio.sleep(0)
            connection: Any = mine[0]
            with contextlib.closing(writer):
                for number, piece in enumerate(pieces, 1):
                    writer.write(piece)
                    sent += len(piece)
                    if not hurried or number == len(pieces):
                        await self._quiet(connection, sent)
                    await asyncio.sleep(0)
                kept = not connection.transport.is_closing()
                connection.transport.close()
                return await _all(reader), kept

    async def _quiet(self, connection: Any, sent: int) -> None:
        turns = TURNS
        while turns and not connection.transport.is_closing():
            cycle = connection.cycle
            done = cycle is None or cycle.response_complete
            waits = cycle is not None and cycle.more_body and not connection.pipeline  # for the rest of its body
            if connection.got == sent and done:
                return
            turns = turns - 1 if connection.got == sent and waits else TURNS
            await asyncio.sleep(0)


async def _all(reader: asyncio.StreamReader) -> bytes:
    """Until the end of the connection; one that is reset has been told what it was told."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := await reader.read(65536):
            found += part
    return found


@contextlib.asynccontextmanager
async def listening(door: Door, *, short: bool = True) -> AsyncIterator[Watched]:
    """With the protocol that a gateway has; not `short`: with that of one whose door is guarded."""
    bounds = Bounds(idle_s=10 * PATIENCE_S)
    config, one = config_of(door, None, bounds, None), Watched()
    if not short:
        config.http = bounded(bounds)
    config.load()
    base: Any = config.http_protocol_class

    class Counted(base):  # type: ignore[misc]
        got = 0  # bytes

        def data_received(self, data: bytes) -> None:
            self.got += len(data)
            super().data_received(data)

        def on_message_complete(self) -> None:
            super().on_message_complete()
            one.ways["short" if isinstance(self.cycle, _Cycle) else "long"] += 1

    server = await asyncio.get_running_loop().create_server(
        lambda: Counted(config=config, server_state=one.state, app_state={}), "127.0.0.1", 0
    )
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()


async def warm(server: Watched, request: bytes) -> None:
    """Ask until such a request goes the short way: its path is known, and the champion is known to be quick."""
    end = time.monotonic() + PATIENCE_S
    while not server.ways["short"]:
        assert time.monotonic() < end, "no request went the short way"
        await server.told([request])
    server.ways.clear()
