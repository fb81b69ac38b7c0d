"""A probe of the home itself is answered by the champion through the door, and nothing knows that it was."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
from tests.serving.door import ask, opened
from tests.serving.stage import PATIENCE_S

from flyball.adapters.clock import SystemClock
from flyball.core.access import Denied
from flyball.serving.access.own_probe import HEADER, mark
from flyball.serving.serve.http.asgi import Door
from flyball.serving.serve.http.guard import Guard

PREDICT, INFER = "/v1/services/shop/predict", "/v2/models/shop/infer"


def run(work: Callable[[Door, Callable[[str], dict[str, str]]], Awaitable[None]], folder: Path) -> None:
    async def all_of_it() -> None:
        async with opened(folder, sick=False) as door:
            await work(door, lambda path: good(door, path))

    asyncio.run(all_of_it())


def good(door: Door, path: str, method: str = "POST") -> dict[str, str]:
    """What the home sends with a probe of this path."""
    return {HEADER.decode(): mark(door._secret, time.time(), method, path)}


def body_of(door: Door, path: str) -> bytes:
    served = door._services["shop"]
    row = {
        column.name: {"number": 1.0, "integer": 1, "string": "EU"}.get(column.kind)
        for column in served.signature.columns
    }
    if path == PREDICT:
        return msgspec.json.encode(row)
    kinds = {"number": "FP64", "integer": "INT64", "string": "BYTES"}
    inputs = [
        {"name": column.name, "datatype": kinds[column.kind], "shape": [1, 1], "data": [row[column.name]]}
        for column in served.signature.columns
    ]
    return msgspec.json.encode({"inputs": inputs})


def guarded(door: Door) -> Guard:
    """Nobody has credentials for it."""
    nobody = Denied(reason="nobody is let in", kind="unknown")
    return Guard(
        door, lambda text, at: nobody, SystemClock(), print, rate_rps=0.001, burst=1, only="shop", own=door.own
    )


def everything(door: Door) -> dict[str, Any]:
    """All that a request may leave behind."""
    served = door._services["shop"]
    slot = served.core.accounting.slot
    return {
        "metrics": msgspec.json.encode([(key, value) for key, value in served.tally.outcomes.items()]),
        "seconds": served.tally.seconds,
        "statistics": msgspec.json.encode(served.statistics.releases),
        "counters": [slot.count(what) for what in ("received", "written", "dropped")],
        "step": served.core.observe(),
        "rate": served.core.rate_rps,
        "recent": list(served.recent),
        "log": served.capture._index,
        "received": served.core.accounting.pane(served.capture._index),
        "open": served.arms.broken,
    }


async def settled(door: Door) -> None:
    """The record of the request before is written, and its pane is closed: both take their time."""
    served = door._services["shop"]
    async with asyncio.timeout(PATIENCE_S):
        while not served.core.accounting.slot.count("written") or not served.capture._index:
            await asyncio.sleep(0.01)


def test_it_is_answered_and_everything_is_as_before(tmp_path: Path) -> None:
    async def work(door: Door, good: Callable[[str], dict[str, str]]) -> None:
        await ask(door, "POST", PREDICT, body_of(door, PREDICT), {})  # so that there is something to compare
        await settled(door)
        before = everything(door)
        for path in (PREDICT, INFER) * 20:
            status, _, body = await ask(door, "POST", path, body_of(door, path), good(path))
            assert (status, "prediction" in json.loads(body)["probe"]) == (200, True)
        assert everything(door) == before

    run(work, tmp_path)


def test_a_client_cannot_mark_itself(tmp_path: Path) -> None:
    async def work(door: Door, good: Callable[[str], dict[str, str]]) -> None:
        name = HEADER.decode()
        asked = "POST", PREDICT
        old, stranger = mark(door._secret, time.time() - 3600.0, *asked), mark(b"another home", time.time(), *asked)
        other = good(INFER)[name]  # of another request
        for forged in ("1", stranger, old, other, good(PREDICT)[name][:-1] + "!"):
            before = everything(door)
            status, _, body = await ask(door, "POST", PREDICT, body_of(door, PREDICT), {name: forged})
            assert (status, "predictions" in json.loads(body)) == (200, True)  # a request like any other
            assert everything(door) != before

    run(work, tmp_path)


def test_the_home_needs_no_credentials_and_has_no_rate(tmp_path: Path) -> None:
    async def work(door: Door, good: Callable[[str], dict[str, str]]) -> None:
        guard = guarded(door)
        for _ in range(3):
            status, _, _ = await ask(guard, "POST", PREDICT, body_of(door, PREDICT), good(PREDICT))  # type: ignore[arg-type]
            assert status == 200
        status, _, _ = await ask(guard, "POST", PREDICT, body_of(door, PREDICT), {})  # type: ignore[arg-type]
        assert status == 401

    run(work, tmp_path)


def test_a_mark_opens_no_path_that_is_not_probed(tmp_path: Path) -> None:
    """Whether it was made for a probe, or even for the path itself."""

    async def work(door: Door, good_for: Callable[[str], dict[str, str]]) -> None:
        guard = guarded(door)
        for method, path in (("GET", "/metrics"), ("GET", "/openapi.json"), ("POST", "/v1/labels"), ("GET", PREDICT)):
            for word in (good_for(PREDICT), good(door, path, method)):
                status, _, _ = await ask(guard, method, path, b"", word)  # type: ignore[arg-type]
                assert status == 401, (method, path)
        ready = "/v2/models/shop/ready"
        status, _, _ = await ask(guard, "GET", ready, b"", good(door, ready, "GET"))  # type: ignore[arg-type]
        assert status == 200

    run(work, tmp_path)


def test_a_champion_that_fails_is_told_though_a_stand_in_answers_clients(tmp_path: Path) -> None:
    async def work() -> None:
        async with opened(tmp_path, sick=True) as door:
            row = json.loads(body_of(door, PREDICT)) | {"items": 13}
            status, _, body = await ask(door, "POST", PREDICT, json.dumps(row).encode(), {})
            assert (status, json.loads(body)["predictions"][0]["fallback"]) == (200, "previous")
            status, _, body = await ask(door, "POST", PREDICT, json.dumps(row).encode(), good(door, PREDICT))
            assert (status, json.loads(body)["error"].startswith("the champion failed")) == (503, True)

    asyncio.run(work())
