"""What stands before the API: so many requests at once, and nobody holds a place whose body has not come."""

import asyncio
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from tests.app.api.asked import declared, put
from tests.control.world import NAME

from flyball.app.api.books import Books
from flyball.app.home import Home
from flyball.app.wiring.api.desk import LedgerDesk
from flyball.app.wiring.api.doorway import AT_ONCE, Doorway
from flyball.core.errors import Unavailable

SCOPE: dict[str, Any] = {"type": "http", "method": "POST", "path": "/v1/decide", "headers": []}


async def status(door: Doorway, body: asyncio.Future[bytes]) -> int:
    said: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": await body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    await door(dict(SCOPE), receive, send)
    return said[0]


async def crowd() -> tuple[int, list[int], int]:
    """One more than there are places; those that were let in; one that comes when they have gone."""
    going = asyncio.Event()

    async def inner(_scope: Any, receive: Any, send: Any) -> None:
        assert (await receive())["body"] == b"{}"
        await going.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})

    door, loop = Doorway(inner), asyncio.get_running_loop()
    never, there = loop.create_future(), loop.create_future()
    there.set_result(b"{}")
    hung = [asyncio.create_task(status(door, never)) for _ in range(2 * AT_ONCE)]
    inside = [asyncio.create_task(status(door, there)) for _ in range(AT_ONCE)]
    while sum(each.done() for each in inside) + door.busy < AT_ONCE:
        await asyncio.sleep(0)
    turned_away = await status(door, there)
    going.set()
    answered = list(await asyncio.gather(*inside))
    later = await status(door, there)
    for each in hung:
        each.cancel()
    return turned_away, answered, later


def test_more_than_are_answered_at_once_are_told_to_come_back() -> None:
    assert asyncio.run(crowd()) == (503, [200] * AT_ONCE, 200)


def test_a_ledger_that_went_away_is_opened_anew(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    put(home, *declared({}))

    def gone(_books: Books) -> None:
        raise Unavailable("the database does not answer")

    async def asked() -> str:
        desk = LedgerDesk(home)
        try:
            assert (await desk.read(lambda books: books.standing(NAME))).service == NAME
            with pytest.raises(Unavailable):
                await desk.read(gone)
            return (await desk.read(lambda books: books.standing(NAME))).service
        finally:
            desk.close()

    assert asyncio.run(asked()) == NAME
