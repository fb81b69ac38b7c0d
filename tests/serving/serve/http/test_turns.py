"""Workers of one socket share the connections that stay, and none waits for a worker that does not come."""

import asyncio
import socket
from pathlib import Path

import pytest
from tests.serving.stage import PATIENCE_S

from flyball.serving.serve.http.server import bound
from flyball.serving.serve.http.turns import Acceptor, Turns


class Kept(asyncio.Protocol):
    """A connection that its client keeps open."""

    def __init__(self, kept: list[asyncio.BaseTransport]) -> None:
        self._kept = kept

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._kept.append(transport)


def acceptor(
    listener: socket.socket, turns: Turns, worker: int, kept: list[asyncio.BaseTransport], had: int = 0
) -> Acceptor:
    return Acceptor(
        listener, turns, worker, protocol=lambda: Kept(kept), open_connections=lambda: had + len(kept), tls=None
    )


@pytest.mark.parametrize(("takes", "had", "at_most"), [((True, True), 10, 8), ((True, False), 0, 20)])
def test_connections_that_come_together_go_to_those_that_take_any_and_have_the_fewest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, takes: tuple[bool, bool], had: int, at_most: int
) -> None:
    """Of twenty, five to the worker that has ten already, or a few more: whoever has left one to the others takes it
    all the same after a while, and on a machine that stands still for as long their turn has not come yet."""
    monkeypatch.setattr("flyball.serving.serve.http.turns.LEAVE_S", 0.05)

    async def story() -> list[int]:
        listener = bound("127.0.0.1", 0)
        listeners = [listener, listener.dup()]
        turns = Turns.made(tmp_path / "turns", 2)
        assert len(Turns(tmp_path / "turns")) == 2, "each worker learns how many they are"
        kept: list[list[asyncio.BaseTransport]] = [[], []]
        acceptors = [acceptor(listeners[i], turns, i, kept[i], (had, 0)[i]) for i in range(2)]
        for worker, one in enumerate(acceptors):
            if takes[worker]:
                one.start()
        clients = [socket.create_connection(listener.getsockname()) for _ in range(20)]
        async with asyncio.timeout(PATIENCE_S):
            while sum(map(len, kept)) < 20:
                await asyncio.sleep(0.001)
        for worker, one in enumerate(acceptors):
            if takes[worker]:
                one.close()
        for transport in (*kept[0], *kept[1]):
            transport.close()
        for closing in (*clients, *listeners):
            closing.close()
        return [len(each) for each in kept]

    kept = asyncio.run(story())
    assert kept[0] <= at_most
    assert kept[1] == 20 - kept[0]
    assert kept[0] >= (3 if takes[1] else 20)


def test_a_worker_that_stands_still_is_not_waited_for(tmp_path: Path) -> None:
    async def story() -> int:
        listener = bound("127.0.0.1", 0)
        turns = Turns.made(tmp_path / "turns", 2)
        kept: list[asyncio.BaseTransport] = []
        mine = acceptor(listener, turns, 0, kept)
        mine.start()
        turns.has(1, 0)  # it says that it has none, and takes none
        clients = [socket.create_connection(listener.getsockname()) for _ in range(5)]
        async with asyncio.timeout(PATIENCE_S):
            while len(kept) < 5:
                await asyncio.sleep(0.001)
        mine.close()
        assert turns.is_next(1)
        assert not turns.is_next(0)
        for transport in kept:
            transport.close()
        for closing in (*clients, listener):
            closing.close()
        return len(kept)

    assert asyncio.run(story()) == 5
