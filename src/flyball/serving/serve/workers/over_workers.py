"""One service over several workers: the table is mapped into each, their slots are added, one judge is asked."""

import asyncio
import contextlib
from functools import partial

from flyball.core.errors import Unavailable
from flyball.core.ports import Judge
from flyball.core.routing import Observed, Routing, Stopped
from flyball.serving.counting.accounting import step_key
from flyball.serving.counting.counter_file import Units
from flyball.serving.counting.judged import JudgedCounts
from flyball.serving.counting.sums import Sums
from flyball.serving.orders import Forget, Prepare, Refuse, Settle
from flyball.serving.routing.stopping import counted, effective, told_to_stop
from flyball.serving.serve.workers.keeper import SETTLE_S, START_S, Workers
from flyball.serving.serve.workers.link import Gone, Link
from flyball.serving.serve.workers.table import Table, TableMap


class OverWorkers:
    """`serve.body.Body` for a gateway of several workers."""

    def __init__(self, name: str, workers: Workers, table: TableMap, sums: Sums, units: Units) -> None:
        self._name, self._workers, self._map, self._sums, self._units = name, workers, table, sums, units
        self._judged = JudgedCounts(sums.slots, sums.counts)
        self._ordered: Routing | None = None
        self._stopped: Stopped | None = None
        self._coming: Routing | None = None  # is being prepared
        self._rising: set[Link] = set()  # workers that are brought up: whoever orders does not wait for them
        self._refused = ""
        self._task: asyncio.Task[None] | None = None

    @property
    def stopped(self) -> Stopped | None:
        return self._stopped

    @property
    def preparing(self) -> bool:
        """Whether an order is being prepared."""
        return self._coming is not None

    async def prepare(self, routing: Routing, *, patient: bool = False) -> None:
        self._coming = routing
        order = partial(Prepare, routing=routing, patient=patient)
        await self._workers.ask_all(lambda number: order(number=number), within_s=START_S, but=self._rising)

    async def forget(self) -> None:
        self._coming = None
        forget = partial(Forget, service=self._name)
        with contextlib.suppress(Unavailable):  # none lives, and none has anything to forget
            await self._workers.ask_all(lambda number: forget(number=number), within_s=SETTLE_S, but=self._rising)

    def follow(self, routing: Routing, stopped: Stopped | None) -> None:
        """In force with one store into the map; each worker goes by it from its next request on."""
        self._units.turn(step_key(counted(routing, stopped)))
        self._map.publish(Table(routing=routing, stopped=stopped))
        self._ordered, self._stopped = routing, stopped
        if self._coming == routing:
            self._coming = None

    async def settle(self) -> None:
        settle = partial(Settle, service=self._name)
        await self._workers.ask_all(lambda number: settle(number=number), within_s=SETTLE_S, but=self._rising)

    def refuse(self, why: str) -> None:
        """Told to the workers that live, and to every one that arrives; a settling takes it back."""
        self._refused = why
        if why:
            self._task = asyncio.create_task(self._tell_refusal(why))

    async def _tell_refusal(self, why: str) -> None:
        with contextlib.suppress(Unavailable):  # none lives: whoever comes is told
            await self._workers.ask_all(partial(_refusal, self._name, why), within_s=SETTLE_S)

    def observe(self) -> Observed:
        if self._ordered is None:
            return Observed(routing=None, counts=None)
        routing, table = effective(self._ordered, self._stopped), counted(self._ordered, self._stopped)
        return Observed(routing=routing, counts=self._judged.standing(table), stopped=self._stopped)

    def ask_judge(self, judge: Judge, *, at: float) -> Stopped | None:
        ordered = self._ordered
        if ordered is None:
            return None
        first = self._sums.first_candidate_at
        stopped = told_to_stop(judge, ordered, self._stopped, counts=self._judged.look, first=first, at=at)
        if stopped is not None:
            if ordered.arms:  # the others go on, with other shares: another step
                self._units.turn(step_key(counted(ordered, stopped)))
            self._map.publish(Table(routing=ordered, stopped=stopped))
            self._stopped = stopped
        return stopped

    def tend(self) -> None:
        """Each worker ends its own hung arms."""

    async def bring_up(self, link: Link) -> None:
        """A worker that has arrived: load what the table in force names, and go by it. Raises: what a worker says.

        Orders come meanwhile and do not wait for it, so it is told again until nothing has changed: it may have missed
        one, and an answer to us may have taken the place of what an order had it load.
        """
        self._rising.add(link)
        try:
            told = None
            while told != (now := (self._refused, self._ordered, self._coming)):
                told = now
                await self._told(link, *now)
        except TimeoutError as error:
            raise Gone(f"worker {link.worker} did not come up in time") from error
        finally:
            self._rising.discard(link)

    async def _told(self, link: Link, refused: str, ordered: Routing | None, coming: Routing | None) -> None:
        if refused:
            await link.ask(partial(_refusal, self._name, refused), within_s=SETTLE_S)
        elif ordered is not None:
            await link.ask(partial(_prepare, ordered), within_s=START_S)
            await link.ask(lambda number: Settle(number=number, service=self._name), within_s=SETTLE_S)
        if coming is not None:
            await link.ask(partial(_prepare, coming), within_s=START_S)


def _prepare(routing: Routing, number: int) -> Prepare:
    return Prepare(number=number, routing=routing, patient=True)


def _refusal(service: str, why: str, number: int) -> Refuse:
    return Refuse(number=number, service=service, why=why)
