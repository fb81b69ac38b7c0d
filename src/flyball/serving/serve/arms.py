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
_Part = tuple[str, bool]  # a release, and whether it serves the shadow


class Start(Protocol):
    """How releases come to life; each is verified first. Raises: NotFound, Untrusted, Unavailable."""

    async def in_process(self, root: str) -> InProcess: ...

    async def process(self, root: str, *, patient: bool) -> ArmProcess:
        """`patient`: one that does not start is given back all the same, and goes on trying."""
        ...


class Arms:
    """The champion in this process, every other release in one of its own."""

    def __init__(self, start: Start) -> None:
        self._start = start
        self._champion: InProcess | None = None
        self._processes: dict[_Part, ArmProcess] = {}
        # for a table that is not yet in force: nobody is asked there
        self._coming: InProcess | None = None
        self._fresh: dict[_Part, ArmProcess] = {}
        self._replaced: list[ArmProcess] = []  # to be ended

    @property
    def releases(self) -> tuple[str, ...]:
        """Roots that can be asked, the champion first."""
        mine = (self._champion.release,) if self._champion else ()
        return tuple(dict.fromkeys((*mine, *(root for root, shadow in self._processes if not shadow))))

    def process(self, root: str, *, shadow: bool = False) -> ArmProcess | None:
        return self._processes.get((root, shadow))

    async def prepare(self, routing: Routing, *, patient: bool = False) -> None:
        """Load, verify and warm whatever this table names and is not there yet. Nothing that serves is touched.

        `patient`, at the start of the gateway: only the champion has to be there; the others are tried again and again,
        and whoever asks them meanwhile hears that they are dead. A `previous` that is away by then is not demanded by
        later tables either: it would keep every order from being obeyed, also the one that takes a candidate back.

        Raises: NotFound, Untrusted, Unavailable: a release cannot be had; the table must not come into force.
        """
        await self._discard()
        wanted = _wanted(routing)
        serving = self._champion.release if self._champion else None
        try:
            if routing.champion != serving:
                self._coming = await self._start.in_process(routing.champion)
            for part in wanted:
                held = self._held(part, wanted)
                if held is None or not (held.loaded or patient or part[0] == routing.previous):
                    self._fresh[part] = await self._start.process(part[0], patient=patient)
        except BaseException:
            await self._discard()
            raise

    def switch(self, routing: Routing) -> None:
        """After `prepare`, at the moment the table comes into force: the new champion is the one in this process."""
        if self._coming is not None:
            old, self._champion, self._coming = self._champion, self._coming, None
            if old is not None:
                old.close()
        wanted = _wanted(routing)
        for part in wanted:
            # the shadow that goes live needs no second start: its process takes the new part
            held = self._held(part, wanted)
            if held is not None and part not in self._processes:
                self._processes[part] = self._processes.pop(_other(part))
        self._replaced += [self._processes[part] for part in self._fresh if part in self._processes]
        self._processes |= self._fresh
        self._fresh = {}

    async def prune(self, routing: Routing) -> None:
        """End the processes that the table in force does not name."""
        wanted = _wanted(routing)
        self._replaced += [self._processes.pop(part) for part in list(self._processes) if part not in wanted]
        while self._replaced:
            await self._replaced.pop().close()

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
        await self._discard()
        for process in (*self._processes.values(), *self._replaced):
            await process.close()
        self._processes.clear()
        self._replaced.clear()

    def _send(self, ask: Ask, rows: Sequence[dict[str, Any]], deliver: Deliver) -> None:
        shadow = ask.role == "shadow"
        if self._champion is not None and self._champion.release == ask.release and not shadow:
            self._champion.ask(rows, deliver)
        elif (process := self._processes.get((ask.release, shadow))) is not None:
            process.ask(rows, deliver)
        else:
            deliver(UNKNOWN)

    def _held(self, part: _Part, wanted: Sequence[_Part]) -> ArmProcess | None:
        """The process for this part of a table, perhaps one that changes sides."""
        if part in self._processes or _other(part) in wanted:
            return self._processes.get(part)
        return self._processes.get(_other(part))

    async def _discard(self) -> None:
        """End what was started for a table that did not come into force."""
        if self._coming is not None:
            self._coming.close()
            self._coming = None
        while self._fresh:
            await self._fresh.popitem()[1].close()


def _other(part: _Part) -> _Part:
    return part[0], not part[1]


def _wanted(routing: Routing) -> list[_Part]:
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
