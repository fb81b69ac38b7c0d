"""Who owns the routing table of each service, and the one decision that a gateway takes by itself.

Ten times a second it adds the counters and asks the judge. On ROLL_BACK the weight is 0 in memory at once; then the
table on disk says so; then the fact is left for the controller. A kill between any two of these is repaired by the next
start: the counters are still there and the judge says the same, or the table knows that it was stopped, and the fact is
left (again) under the same name.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from flyball.core.clock import Clock
from flyball.core.errors import BadInput, Fault, NotFound, StaleEpoch
from flyball.core.ports import Judge
from flyball.core.record import Record
from flyball.core.routing import Observed, Routing, Stopped
from flyball.serving.serve.served import Served
from flyball.serving.serve.spool import put, write_whole

TICK_S = 0.1
_KEYS_KEPT = 64


class Table(Record):
    """What is on disk of one service."""

    routing: Routing
    stopped: Stopped | None = None
    keys: tuple[str, ...] = ()  # of the orders that were obeyed, newest last


class Supervisor:
    """Of all services of one gateway."""

    def __init__(
        self,
        services: Mapping[str, Served],
        folders: Mapping[str, Path],
        judge: Judge,
        clock: Clock,
        complain: Callable[[str], None],
    ) -> None:
        """`folders`: one a service, for its table and its spool."""
        self._services, self._folders, self._judge, self._clock = services, folders, judge, clock
        self._complain = complain
        self._tables: dict[str, Table] = {}
        self._left: dict[str, Stopped] = {}  # the stops that are on disk and in the spool
        self._locks = {name: asyncio.Lock() for name in services}
        self._task: asyncio.Task[None] | None = None

    async def start(self, first: Callable[[str], Routing | None]) -> None:
        """Serve by the table on disk; where there is none, by `first` (what the ledger says, or None)."""
        for name in self._services:
            table = read_table(self._folders[name])
            if table is None:
                routing = first(name)
                if routing is None:
                    continue
                table = Table(routing=routing)
            await self._come_into_force(name, table)
            if table.stopped is not None:
                put(self._folders[name] / "spool", name, table.stopped)
                self._left[name] = table.stopped
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def apply(self, key: str, routing: Routing) -> None:
        """An order of the controller; the same key twice is one order.

        Raises: NotFound (service), StaleEpoch, and what loading a release raises: then nothing has changed.
        """
        name = routing.service
        if name not in self._services:
            raise NotFound(f"this gateway does not serve {name}")
        _check(routing)
        async with self._locks[name]:
            table = self._tables.get(name)
            if table is not None:
                if key in table.keys:
                    return
                if routing.epoch < table.routing.epoch or (
                    routing.epoch == table.routing.epoch and routing != table.routing
                ):
                    raise StaleEpoch(f"{name}: epoch {table.routing.epoch} is in force, the order says {routing.epoch}")
            keys = (*(table.keys if table else ()), key)[-_KEYS_KEPT:]
            await self._come_into_force(
                name, Table(routing=routing, stopped=table.stopped if table else None, keys=keys)
            )

    def observe(self, name: str) -> Observed:
        """Counts that call for a stop are never shown before the stop: the gateway's word comes first.

        Raises: NotFound.
        """
        if name not in self._services:
            raise NotFound(f"this gateway does not serve {name}")
        self._stop_if_told(name)
        return self._services[name].core.observe()

    async def _come_into_force(self, name: str, table: Table) -> None:
        """Load first, then the disk, then the traffic: a crash in between repeats it or leaves the old table."""
        served, routing = self._services[name], table.routing
        await served.arms.prepare(routing)
        stopped = self._tables[name].stopped if name in self._tables else table.stopped  # it may have stopped meanwhile
        if stopped is not None and stopped.rollout != routing.rollout:
            stopped = None
        table = msgspec.structs.replace(table, stopped=stopped)
        self._write(name, table)
        served.core.route(routing, stopped)
        served.arms.switch(routing)
        await served.arms.prune(served.core.routing or routing)

    async def _watch(self) -> None:
        while True:
            for name, served in self._services.items():
                self._stop_if_told(name)
                served.arms.end_hung()
            await asyncio.sleep(TICK_S)

    def _stop_if_told(self, name: str) -> None:
        """Ask the judge; on its ROLL_BACK the weight is 0 in memory, then on disk, then the fact is left."""
        core = self._services[name].core
        core.ask_judge(self._judge, at=self._clock.now().timestamp())
        stopped = core.stopped
        if stopped is None or self._left.get(name) == stopped:
            return
        try:
            self._write(name, msgspec.structs.replace(self._tables[name], stopped=stopped))
            put(self._folders[name] / "spool", name, stopped)
        except OSError as error:  # the weight is 0 all the same; the next tick writes it down
            self._complain(f"{name}: the stop of rollout {stopped.rollout} cannot be written: {error}")
            return
        self._left[name] = stopped
        self._complain(f"{name}: rollout {stopped.rollout} stopped: {stopped.verdict.reason}")

    def _write(self, name: str, table: Table) -> None:
        self._folders[name].mkdir(parents=True, exist_ok=True, mode=0o700)
        write_whole(self._folders[name] / "routing.json", msgspec.json.encode(table))
        self._tables[name] = table


def read_table(folder: Path) -> Table | None:
    """The table on disk; None: there is none. Raises: BadInput: it is no table."""
    path = folder / "routing.json"
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Table)
    except msgspec.DecodeError as error:
        fault = Fault(where=str(path), path="$", expected="a routing table", found=str(error), fix="remove the file")
        raise BadInput("the routing table cannot be read", (fault,)) from error


def _check(routing: Routing) -> None:
    if not 0 <= routing.weight <= 10_000 or not 0.0 <= routing.shadow <= 1.0:
        found = f"weight {routing.weight}, shadow {routing.shadow}"
        expected = "weight 0 to 10000, shadow 0 to 1"
        raise BadInput("the order is faulty", (Fault(where="routing", path="weight", expected=expected, found=found),))
