"""A gateway's whole application in the test's own process and loop: everything real but the socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.serving.parts import CHAMPION, PREVIOUS, routing
from tests.serving.stage import SERVICE, FolderReleases, Stage

from flyball.app.declared import load as load_service
from flyball.app.wiring.serving.gateway import assemble
from flyball.decide.rollout import judge
from flyball.serving.serve.http.asgi import Door

Answer = tuple[int, dict[str, str], bytes]


@contextlib.asynccontextmanager
async def opened(folder: Path, *, declared: str = SERVICE, sick: bool = True) -> AsyncIterator[Door]:
    """The service `shop` with a champion, which may be sick, and the release before it."""
    stage = Stage(folder, declared=declared)
    stage.release(CHAMPION, sick=sick)
    stage.release(PREVIOUS, score=0.1)
    sockets = folder / "s"
    sockets.mkdir()
    releases = FolderReleases(stage.home.root)
    services = [load_service(each) for each in stage.services]
    door = assemble(services, stage.home, releases, judge, sockets=sockets, loader="tests.serving.obedient:load")
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    told: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(door({"type": "lifespan"}, said.get, told.put))
    said.put_nowait({"type": "lifespan.startup"})
    assert (await told.get())["type"] == "lifespan.startup.complete", door.failure
    try:
        alone: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None}
        await asyncio.to_thread(stage.control.apply, "first", routing(**alone))
        yield door
    finally:
        said.put_nowait({"type": "lifespan.shutdown"})
        await life


async def ask(door: Door, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    """One request; its body comes in two pieces."""
    cut = len(body) // 2
    pieces = [
        {"type": "http.request", "body": body[:cut], "more_body": True},
        {"type": "http.request", "body": body[cut:], "more_body": False},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return pieces.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    await door({"type": "http", "method": method, "path": path, "headers": raw}, receive, send)
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    back = {name.decode(): value.decode("latin-1") for name, value in sent[0]["headers"]}
    return sent[0]["status"], back, sent[1]["body"]
