"""All releases that a service can ask, and the one way to ask them: an answer or a Failure by the deadline, always."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flyball.core.prediction import ArmReply, Failure
from flyball.core.routing import Routing
from flyball.serving.batch import Ask
from flyball.serving.serve.arm_process import ArmProcess
from flyball.serving.serve.champion import InProcess

LATE = Failure(reason="deadline", message="no answer by the deadline")
UNKNOWN = Failure(reason="dead", message="this release is not loaded")

Deliver = Callable[[ArmReply | Failure], None]


class Start(Protocol):
    """How releases come to life; each is verified first. Raises: NotFound, Untrusted, Unavailable."""

    async def in_process(self, root: str) -> InProcess: ...

    async def process(self, root: str) -> ArmProcess: ...


class Arms:
    """The champion in this process, every other release in one of its own."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._champion: InProcess | None = None
        self._coming: InProcess | None = None  # loaded for a table that is not yet in force
        self._processes: dict[tuple[str, bool], ArmProcess] = {}  # by release and whether it serves the shadow

    @property
    def releases(self) -> tuple[str, ...]:
        """Roots that can be asked, the champion first."""
        mine = (self._champion.release,) if self._champion else ()
        return tuple(dict.fromkeys((*mine, *(root for root, shadow in self._processes if not shadow))))

    def process(self, root: str, *, shadow: bool = False) -> ArmProcess | None:
        return self._processes.get((root, shadow))

    async def prepare(self, routing: Routing) -> None:
        """Load, verify and warm whatever this table names and is not there yet. Nothing that serves is touched.

        Raises: NotFound, Untrusted, Unavailable: a release cannot be had; the table must not come into force.
        """
        wanted = _wanted(routing)
        self._relabel(wanted)
        missing = [key for key in wanted if key not in self._processes]
        serving = self._champion.release if self._champion else None
        if routing.champion != serving and (self._coming is None or self._coming.release != routing.champion):
            self._coming = await self._start.in_process(routing.champion)
        for key in missing:
            self._processes[key] = await self._start.process(key[0])

    def switch(self, routing: Routing) -> None:
        """After `prepare`, at the moment the table comes into force: the new champion is the one in this process."""
        coming = self._coming
        if coming is not None and coming.release == routing.champion:
            old, self._champion, self._coming = self._champion, coming, None
            if old is not None:
                old.close()

    async def prune(self, routing: Routing) -> None:
        """End the processes that the table in force does not name."""
        wanted = _wanted(routing)
        for key in [key for key in self._processes if key not in wanted]:
            await self._processes.pop(key).close()

    def ask(self, ask: Ask, seconds: float) -> "asyncio.Future[ArmReply | Failure]":
        """The reply; LATE after so many seconds."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ArmReply | Failure] = loop.create_future()
        timer = loop.call_later(max(0.0, seconds), _settle, future, LATE)

        def deliver(reply: ArmReply | Failure) -> None:
            timer.cancel()
            _settle(future, reply)

        self._send(ask, ask.rows, deliver)
        return future

    def end_hung(self) -> None:
        for process in self._processes.values():
            process.end_if_hung()

    async def close(self) -> None:
        if self._champion is not None:
            self._champion.close()
        if self._coming is not None:
            self._coming.close()
        for process in self._processes.values():
            await process.close()
        self._processes.clear()

    def _send(self, ask: Ask, rows: Sequence[dict[str, Any]], deliver: Deliver) -> None:
        shadow = ask.role == "shadow"
        if self._champion is not None and self._champion.release == ask.release and not shadow:
            self._champion.ask(rows, deliver)
        elif (process := self._processes.get((ask.release, shadow))) is not None:
            process.ask(rows, deliver)
        else:
            deliver(UNKNOWN)

    def _relabel(self, wanted: Sequence[tuple[str, bool]]) -> None:
        """The shadow that goes live needs no second start: its process takes the new part."""
        for root, shadow in wanted:
            other = (root, not shadow)
            if (root, shadow) not in self._processes and other in self._processes and other not in wanted:
                self._processes[root, shadow] = self._processes.pop(other)


def _wanted(routing: Routing) -> list[tuple[str, bool]]:
    """Processes that a table needs: (release, whether for the shadow)."""
    wanted = []
    if routing.previous is not None and routing.previous != routing.champion:
        wanted.append((routing.previous, False))
    if routing.candidate is not None:
        # a candidate between shadow and canary, in an approval step, is kept warm
        wanted.append((routing.candidate, routing.weight == 0 and routing.shadow > 0.0))
        if routing.weight and routing.shadow:
            wanted.append((routing.candidate, True))
    return list(dict.fromkeys((str(root), shadow) for root, shadow in wanted))


def _settle(future: "asyncio.Future[ArmReply | Failure]", reply: ArmReply | Failure) -> None:
    if not future.done():
        future.set_result(reply)
