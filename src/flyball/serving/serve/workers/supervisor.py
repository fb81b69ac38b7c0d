"""Who owns the routing table of each service, and the one decision that a gateway takes by itself.

Ten times a second it adds the counters and asks the judge. On ROLL_BACK the weight is 0 in memory at once; then the
table on disk says so; then the fact is left for the controller. A kill between any two of these is repaired by the next
start: the counters are still there and the judge says the same, or the table knows that it was stopped, and the fact is
left (again) under the same name. Nothing that takes traffic away waits for the disk (`paper.py`).

At the start a service needs its champion and nothing else. One whose champion cannot be loaded answers 503 with the
reason and is tried again; the others of the gateway are served.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path

import msgspec

from flyball.core.arms import MOST_ARMS, WORDS_OF_OUR_OWN
from flyball.core.clock import Clock
from flyball.core.errors import BadInput, Fault, NotFound, Refused, StaleEpoch, Untrusted
from flyball.core.ports import Judge
from flyball.core.routing import Observed, Routing
from flyball.serving.routing.lowering import lowers
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.workers.body import Body
from flyball.serving.serve.workers.paper import Paper, Write
from flyball.serving.serve.workers.table import Table, write_table

TICK_S = 0.1
LOWERED_S = 1.0  # an order that has lowered weight is answered after so long, whatever the disk does
RETRY_S = 30.0  # to the next attempt to load a champion that could not be loaded
_KEYS_KEPT = 64


class Supervisor:
    """Of all services of one gateway."""

    def __init__(
        self,
        services: Mapping[str, Body],
        folders: Mapping[str, Path],
        judge: Judge,
        clock: Clock,
        complain: Callable[[str], None],
        *,
        write: Write = write_table,
    ) -> None:
        """`folders`: one a service, for its table and its spool. `write`: how a table gets there."""
        self._services, self._folders, self._judge, self._clock = services, folders, judge, clock
        self._write = write
        self.renew: Callable[[str], None] | None = None  # how its workers begin to make room; None: it has none
        self._recycled: deque[str] = deque(maxlen=_KEYS_KEPT)  # keys of such orders
        self._papers: dict[str, Paper] = {}
        self._complain = Complaints(complain)
        self._first: Callable[[str], Routing | None] = lambda _: None
        self._refused: dict[str, Exception] = {}  # services that are not served, and why
        self._tables: dict[str, Table] = {}
        self._locks = {name: asyncio.Lock() for name in services}  # held while a table comes into force
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, first: Callable[[str], Routing | None]) -> None:
        """Serve by the table on disk; where there is none, by `first` (what the ledger says, or None).

        Raises: what kept the first service from being served, where not one of them can be.
        """
        self._first = first
        for name in self._services:
            await self._begin(name)
        if self._refused and len(self._refused) == len(self._services):
            raise next(iter(self._refused.values()))
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._try_again())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for paper in self._papers.values():
            await paper.settled(LOWERED_S)

    async def apply(self, key: str, routing: Routing) -> None:
        """An order of the controller; the same key twice is one order.

        One that only lowers a candidate's traffic is in force at once, whatever an earlier order or a worker waits for.

        Raises: NotFound (service), StaleEpoch, and what loading a release raises: then nothing has changed.
        """
        name = routing.service
        if name not in self._services:
            raise NotFound(f"this gateway does not serve {name}")
        _check(routing)
        if self._lower(name, key, routing):
            await self._paper(name).settled(LOWERED_S)
            async with self._locks[name]:
                await self._services[name].settle()
            return
        async with self._locks[name]:
            table = self._tables.get(name)
            if table is not None and key in table.keys and name not in self._refused:
                return
            self._demand_newer(name, routing)
            await self._come_into_force(name, Table(routing=routing, keys=(key,)))

    def recycle(self, key: str, name: str, epoch: int) -> None:
        """Begin to put fresh workers in the place of those that answer; the same key twice is one order.

        Kept in memory alone: a supervisor that starts anew has fresh workers. Raises: NotFound, StaleEpoch, Refused.
        """
        if name not in self._services:
            raise NotFound(f"this gateway does not serve {name}")
        table = self._tables.get(name)
        if table is not None and epoch < table.routing.epoch:
            raise StaleEpoch(f"{name}: epoch {table.routing.epoch} is in force, the order says {epoch}")
        if key in self._recycled:
            return
        if self.renew is None:
            raise Refused("one process answers here, and makes room for nobody: start the gateway with --workers 2")
        self.renew(key)
        self._recycled.append(key)

    def observe(self, name: str) -> Observed:
        """Counts that call for a stop are never shown before the stop: the gateway's word comes first.

        Raises: NotFound.
        """
        if name not in self._services:
            raise NotFound(f"this gateway does not serve {name}")
        self._stop_if_told(name)
        return self._services[name].observe()

    async def _begin(self, name: str) -> None:
        """Bring the table of one service into force; what keeps it from that is its own affair."""
        async with self._locks[name]:
            try:
                table = self._tables.get(name) or self._known(name)
                if table is None:
                    return
                self._tables[name] = table  # also if it cannot come into force: its epoch and its stop hold
                await self._come_into_force(name, table, patient=True)
            except Exception as error:
                self._refused[name] = error
                self._services[name].refuse(_shown(error))
                self._complain(f"{name} is not served: {type(error).__name__}: {error}")

    def _known(self, name: str) -> Table | None:
        """The table on disk, its stop left once more for the controller; or what the ledger says."""
        table = self._paper(name).read()
        if table is None:
            routing = self._first(name)
            return None if routing is None else Table(routing=routing)
        return table

    async def _come_into_force(self, name: str, table: Table, *, patient: bool = False) -> None:
        """Load first, then the disk, then the traffic: a crash in between repeats it or leaves the old table."""
        body, routing = self._services[name], table.routing
        try:
            await body.prepare(routing, patient=patient)
            still = partial(self._demand_newer, name, routing)  # weight may have been lowered meanwhile
            await self._paper(name).ahead(self._remembering(name, table), still=still)
            still()
            self._publish(name, table)
        except Exception:
            await body.forget()  # one worker may have loaded what another refused
            raise
        self._refused.pop(name, None)
        body.refuse("")
        await body.settle()

    def _lower(self, name: str, key: str, routing: Routing) -> bool:
        """Bring a table into force that takes traffic away and no more; False: it is not one, or not newer."""
        held = self._tables.get(name)
        if held is None or name in self._refused or key in held.keys:
            return False
        if routing.epoch <= held.routing.epoch or not lowers(held.routing, routing):
            return False
        self._publish(name, Table(routing=routing, keys=(key,)))
        return True

    def _publish(self, name: str, table: Table) -> None:
        """The traffic goes by it from here on, and the disk follows."""
        made = self._remembering(name, table)
        self._services[name].follow(made.routing, made.stopped)
        self._tables[name] = made
        self._paper(name).later(made)

    def _remembering(self, name: str, table: Table) -> Table:
        """With what the table before it knew of orders, and of its rollout's stop."""
        before = self._tables.get(name, table)
        stopped = before.stopped
        if stopped is not None and stopped.rollout != table.routing.rollout:
            stopped = None
        keys = tuple(dict.fromkeys((*before.keys, *table.keys)))[-_KEYS_KEPT:]
        return msgspec.structs.replace(table, stopped=stopped, keys=keys)

    def _paper(self, name: str) -> Paper:
        """Made at first use, in the event loop."""
        found = self._papers.get(name)
        if found is None:
            found = self._papers[name] = Paper(name, self._folders[name], self._complain, self._write)
        return found

    def _demand_newer(self, name: str, routing: Routing) -> None:
        """Raises: StaleEpoch."""
        if (table := self._tables.get(name)) is None:
            return
        epoch = table.routing.epoch
        if routing.epoch < epoch or (routing.epoch == epoch and routing != table.routing):
            raise StaleEpoch(f"{name}: epoch {epoch} is in force, the order says {routing.epoch}")

    async def _watch(self) -> None:
        """One service's trouble must not keep the others, nor its own next tick, from being judged."""
        while True:
            for name, body in self._services.items():
                try:
                    self._stop_if_told(name)
                except Exception as error:
                    self._complain(f"{name}: the rollout could not be judged: {type(error).__name__}: {error}")
                self._paper(name).catch_up()
                try:
                    body.tend()
                except Exception as error:
                    self._complain(f"{name}: a hung arm could not be ended: {type(error).__name__}: {error}")
            await asyncio.sleep(TICK_S)

    async def _try_again(self) -> None:
        while True:
            await asyncio.sleep(RETRY_S)
            for name in list(self._refused):
                if name in self._refused:  # an order may have come meanwhile
                    await self._begin(name)

    def _stop_if_told(self, name: str) -> None:
        """Ask the judge; on its ROLL_BACK the weight is 0 in memory, and the disk and the spool hear of it."""
        body = self._services[name]
        body.ask_judge(self._judge, at=self._clock.now().timestamp())
        stopped = body.stopped
        table = self._tables.get(name)
        if stopped is None or table is None or table.stopped == stopped:
            return
        self._tables[name] = msgspec.structs.replace(table, stopped=stopped)
        self._paper(name).later(self._tables[name])


def _shown(error: Exception) -> str:
    """What clients may read of it: our own words about the release, no path and no text of foreign code."""
    if isinstance(error, (Untrusted, NotFound, BadInput)):
        return str(error.args[0])
    return f"its release cannot be loaded ({type(error).__name__})"


def _check(routing: Routing) -> None:
    faults = [Fault(where="routing", path="arms", expected=expected, found=found) for expected, found in _arms(routing)]
    if not 0 <= routing.weight <= 10_000 or not 0.0 <= routing.shadow <= 1.0:
        found = f"weight {routing.weight}, shadow {routing.shadow}"
        expected = "weight 0 to 10000, shadow 0 to 1"
        faults.append(Fault(where="routing", path="weight", expected=expected, found=found))
    if faults:
        raise BadInput("the order is faulty", tuple(faults))


def _arms(routing: Routing) -> list[tuple[str, str]]:
    """What is wrong with the arms of an A/B test: expected, found."""
    arms, found = routing.arms, []
    names = [arm.name for arm in arms]
    ranges = sorted(each for arm in arms for each in arm.buckets)
    if len(arms) > MOST_ARMS:
        found.append((f"at most {MOST_ARMS} arms", str(len(arms))))
    if len(set(names)) < len(names) or WORDS_OF_OUR_OWN & set(names):
        found.append((f"names of their own, none of {', '.join(sorted(WORDS_OF_OUR_OWN))}", ", ".join(names)))
    if any(one[1] > other[0] for one, other in pairwise(ranges)):
        found.append(("buckets that belong to one arm", str(ranges)))
    if arms and (routing.candidate is not None or routing.rollout is None or routing.guardrails is None):
        found.append(("a test with guardrails and no candidate", f"candidate {routing.candidate}"))
    return found
