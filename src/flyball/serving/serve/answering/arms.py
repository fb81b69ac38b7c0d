"""All releases that a service can ask, and the one way to ask them: an answer or a Failure by the deadline, always."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from flyball.core.clock import Clock
from flyball.core.prediction import ArmReply, Failure
from flyball.core.routing import Routing
from flyball.serving.batch import Ask
from flyball.serving.resilience.breaker import OPEN
from flyball.serving.resilience.circuits import Circuits
from flyball.serving.serve.answering.arm_process import ArmProcess
from flyball.serving.serve.answering.champion import InProcess

LATE = Failure(reason="deadline", message="no answer by the deadline")
UNKNOWN = Failure(reason="dead", message="this release is not loaded")

LEAVE_S = 0.5  # an order waits so long for processes that leave; few are asked anything by then

Deliver = Callable[[ArmReply | Failure], None]
_Part = tuple[str, bool]  # a release, and whether it serves the shadow


class Champion(Protocol):
    """The release that this worker asks by itself: its model is in this process (`champion.InProcess`), or elsewhere
    (`remote_arm.RemoteChampion`)."""

    @property
    def release(self) -> str: ...

    @property
    def quick(self) -> bool:
        """Whether a call takes a few milliseconds."""
        ...

    @property
    def away(self) -> bool:
        """Whether it answers nobody for now, and says so at once."""
        ...

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None: ...

    def close(self) -> None: ...


class Start(Protocol):
    """How releases come to life; each is verified first. Raises: NotFound, Untrusted, Unavailable."""

    async def in_process(self, root: str) -> Champion: ...

    async def process(self, root: str, *, patient: bool) -> ArmProcess:
        """`patient`: one that does not start is given back all the same, and goes on trying."""
        ...


class Arms:
    """The champion in this process, every other release in one of its own."""

    def __init__(self, start: Start, clock: Clock, circuits: Circuits) -> None:
        self._start, self._clock, self.circuits = start, clock, circuits
        self._champion: Champion | None = None
        self._processes: dict[_Part, ArmProcess] = {}
        self.expecting = False  # an order is being prepared: no arm begins to make room now
        # for a table that is not yet in force: nobody is asked there
        self._coming: Champion | None = None
        self._fresh: dict[_Part, ArmProcess] = {}
        self._replaced: list[ArmProcess] = []  # to be ended
        self._leaving: set[asyncio.Task[None]] = set()  # they answer what they were asked, then they end

    @property
    def releases(self) -> tuple[str, ...]:
        """Roots that can be asked, the champion first."""
        mine = (self._champion.release,) if self._champion else ()
        return tuple(dict.fromkeys((*mine, *(root for root, shadow in self._processes if not shadow))))

    def quick(self, root: str) -> bool:
        """Whether this release answers here, and in a few milliseconds."""
        return self._champion is not None and self._champion.release == root and self._champion.quick

    @property
    def broken(self) -> set[str]:
        """Releases that are not asked for now: their circuit is open, or they are elsewhere and away."""
        found = {root for root, _ in self.circuits.open_parts()}
        return found | {self._champion.release} if self._champion is not None and self._champion.away else found

    def process(self, root: str, *, shadow: bool = False) -> ArmProcess | None:
        return self._processes.get((root, shadow))

    async def prepare(self, routing: Routing, *, patient: bool = False) -> None:
        """Load, verify and warm whatever this table names and is not there yet. Nothing that serves is touched.

        `patient`, at the start of the gateway: only the champion has to be there; the others are tried again and again,
        and whoever asks them meanwhile hears that they are dead. A `previous` that is away by then is not demanded by
        later tables either: it would keep every order from being obeyed, also the one that takes a candidate back.

        Raises: NotFound, Untrusted, Unavailable: a release cannot be had; the table must not come into force.
        """
        await self.discard()
        self.expecting = True
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
            await self.discard()
            raise

    def prepared(self, root: str, routing: Routing) -> Champion | ArmProcess | None:
        """Whom the table that was prepared last would ask for this release's own answers."""
        if root == routing.champion:
            return self._coming
        part = (root, False)
        return self._fresh.get(part) or self._held(part, _wanted(routing))

    def switch(self, routing: Routing) -> None:
        """After `prepare`, at the moment the table comes into force: the new champion is the one in this process."""
        self.expecting = False
        wanted = _wanted(routing)
        # an order that only lowers comes in between: what is there for another table stays for that one
        if self._coming is not None and self._coming.release == routing.champion:
            old, self._champion, self._coming = self._champion, self._coming, None
            if old is not None:
                old.close()
        for part in wanted:
            # the shadow that goes live needs no second start: its process takes the new part
            held = self._held(part, wanted)
            if held is not None and part not in self._processes:
                self._processes[part] = self._processes.pop(_other(part))
        fresh = {part: self._fresh.pop(part) for part in list(self._fresh) if part in wanted}
        self._replaced += [self._processes[part] for part in fresh if part in self._processes]
        self._processes |= fresh

    @property
    def processes(self) -> tuple[ArmProcess, ...]:
        """Those that may be asked now."""
        return tuple(self._processes.values())

    async def renew(self, worn: ArmProcess) -> bool:
        """A fresh process in the place of this one, which answers what it was asked and ends. False: it has no place
        any more. Raises: what keeps the fresh one from starting; then nothing has changed."""
        fresh = await self._start.process(worn.release, patient=False)
        part = next((part for part, held in self._processes.items() if held is worn), None)
        if part is None:
            await fresh.close()
            return False
        self._processes[part] = fresh
        self._leaves(worn)
        return True

    def _leaves(self, process: ArmProcess) -> "asyncio.Task[None]":
        task = asyncio.create_task(_left(process))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
        return task

    async def prune(self, routing: Routing) -> None:
        """End the processes that the table in force does not name, each when it has answered what it was asked.

        Whoever orders does not wait for one that hangs: after a moment the rest is left to itself.
        """
        self.expecting = False
        wanted = _wanted(routing)
        self.circuits.keep({(str(routing.champion), False), *wanted})
        self._replaced += [self._processes.pop(part) for part in list(self._processes) if part not in wanted]
        tasks = {self._leaves(process) for process in self._replaced}
        self._replaced = []
        if tasks:
            await asyncio.wait(tasks, timeout=LEAVE_S)

    def ask(self, ask: Ask, seconds: float) -> "asyncio.Future[ArmReply | Failure]":
        """The reply; LATE after so many seconds, OPEN at once where the release's circuit is open."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[ArmReply | Failure] = loop.create_future()
        told = self.circuits.begin((ask.release, ask.role == "shadow"), seconds, self._clock.monotonic())
        if told is None:
            future.set_result(OPEN)
            return future

        def late() -> None:
            if not future.done():
                told(LATE, self._clock.monotonic())
                future.set_result(LATE)

        timer: asyncio.TimerHandle | None = None

        def deliver(reply: ArmReply | Failure) -> None:
            if timer is not None:
                timer.cancel()
            if not future.done():
                told(reply, self._clock.monotonic())
                future.set_result(reply)

        self._send(ask, ask.rows, deliver, self._clock.monotonic() + seconds)
        if not future.done():  # most champions answer at once
            timer = loop.call_later(max(0.0, seconds), late)
        return future

    async def probe(self, root: str, rows: Sequence[dict[str, Any]], seconds: float) -> ArmReply | Failure:
        """What this release says, whatever its circuit has seen, which learns nothing of it."""
        future: asyncio.Future[ArmReply | Failure] = asyncio.get_running_loop().create_future()

        def deliver(reply: ArmReply | Failure) -> None:
            if not future.done():
                future.set_result(reply)

        ask = Ask(release=root, role="champion", places=tuple(range(len(rows))), rows=tuple(rows))
        self._send(ask, rows, deliver, self._clock.monotonic() + seconds)
        try:
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            return LATE

    def ask_now(self, ask: Ask, seconds: float) -> ArmReply | Failure | None:
        """The reply of a champion that is asked in the event loop; None: nobody was asked, `ask` does it."""
        champion = self._champion
        if champion is None or champion.release != ask.release or ask.role == "shadow":
            return None
        if not isinstance(champion, InProcess) or not champion.at_once(len(ask.rows)):
            return None
        told = self.circuits.begin((ask.release, False), seconds, self._clock.monotonic())
        if told is None:
            return OPEN
        reply = LATE if seconds <= 0.0 else champion.answer(ask.rows)
        told(reply, self._clock.monotonic())
        return reply

    def end_hung(self) -> None:
        for process in self._processes.values():
            process.end_if_hung()

    async def close(self) -> None:
        if self._champion is not None:
            self._champion.close()
        await self.discard()
        for process in (*self._processes.values(), *self._replaced):
            await process.close()
        if self._leaving:
            await asyncio.wait(self._leaving)
        self._processes.clear()
        self._replaced.clear()

    def _send(self, ask: Ask, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        shadow = ask.role == "shadow"
        if self._champion is not None and self._champion.release == ask.release and not shadow:
            self._champion.ask(rows, deliver, until)
        elif (process := self._processes.get((ask.release, shadow))) is not None:
            process.ask(rows, deliver, until)
        else:
            deliver(UNKNOWN)

    def _held(self, part: _Part, wanted: Sequence[_Part]) -> ArmProcess | None:
        """The process for this part of a table, perhaps one that changes sides."""
        if part in self._processes or _other(part) in wanted:
            return self._processes.get(part)
        return self._processes.get(_other(part))

    async def discard(self) -> None:
        """End what was started for a table that did not come into force."""
        self.expecting = False
        if self._coming is not None:
            self._coming.close()
            self._coming = None
        while self._fresh:
            await self._fresh.popitem()[1].close()


async def _left(process: ArmProcess) -> None:
    await process.drained()
    await process.close()


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
    # an arm that has nobody, or the champion's own release, needs no process of its own
    wanted += [(arm.release, False) for arm in routing.arms if arm.buckets and arm.release != routing.champion]
    return list(dict.fromkeys((str(root), shadow) for root, shadow in wanted))
