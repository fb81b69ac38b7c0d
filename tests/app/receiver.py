"""A receiver of messages on loopback: real HTTP, with the bad habits that receivers have."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Got:
    """One request, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


@dataclass
class Receiver:
    """`answers`: the status of each request in turn, the last one for all that follow; "hang" and "die" are none."""

    answers: tuple[int | str, ...] = (200,)
    on_request: Callable[[Got], None] = lambda _: None
    got: list[Got] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        found = Got({name.title(): value for name, value in request.headers.items()}, await request.read())
        self.got.append(found)
        self.on_request(found)
        said = self.answers[min(len(self.got), len(self.answers)) - 1]
        if said == "hang":
            await asyncio.sleep(3600)
        if said == "die":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=said if isinstance(said, int) else 200, text="said so")


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """In a thread with a loop of its own, until the block ends."""
    loop, ready, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/{tail:.*}", receiver.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/in"
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    ready.wait()
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
