"""Who owns the routing table of each service, and the one decision that a gateway takes by itself.

Ten times a second it adds the counters and asks the judge. On ROLL_BACK the weight is 0 in memory at once; then the
table on disk says so; then the fact is left for the controller. A kill between any two of these is repaired by the next
start: the counters are still there and the judge says the same, or the table knows that it was stopped, and the fact is
left (again) under the same name.

At the start a service needs its champion and nothing else. One whose champion cannot be loaded answers 503 with the
reason and is tried again; the others of the gateway are served.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from flyball.core.clock import Clock
from flyball.core.errors import BadInput, Fault, NotFound, StaleEpoch, Untrusted
from flyball.core.ports import Judge
from flyball.core.record import Record
from flyball.core.routing import Observed, Routing, Stopped
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.served import Served
from flyball.serving.serve.spool import put, write_whole

TICK_S = 0.1
RETRY_S = 30.0  # to the next attempt to load a champion that could not be loaded
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
        self._complain = Complaints(complain)
        self._first: Callable[[str], Routing | None] = lambda _: None
        self._refused: dict[str, Exception] = {}  # services that are not served, and why
        self._tables: dict[str, Table] = {}
        self._on_disk: dict[str, Table] = {}
        self._left: dict[str, Stopped] = {}  # the stops that are on disk and in the spool
        self._locks = {name: asyncio.Lock() for name in services}
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
                if key in table.keys and name not in self._refused:
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
                self._services[name].refused = _shown(error)
                self._complain(f"{name} is not served: {type(error).__name__}: {error}")

    def _known(self, name: str) -> Table | None:
        """The table on disk, its stop left once more for the controller; or what the ledger says."""
        table = read_table(self._folders[name])
        if table is None:
            routing = self._first(name)
            return None if routing is None else Table(routing=routing)
        self._on_disk[name] = table
        if table.stopped is not None:
            try:
                put(self._folders[name] / "spool", name, table.stopped)
                self._left[name] = table.stopped
            except OSError as error:  # the next tick tries again
                self._complain(f"{name}: the stop of rollout {table.stopped.rollout} cannot be written: {error}")
        return table

    async def _come_into_force(self, name: str, table: Table, *, patient: bool = False) -> None:
        """Load first, then the disk, then the traffic: a crash in between repeats it or leaves the old table."""
        served, routing = self._services[name], table.routing
        await served.arms.prepare(routing, patient=patient)
        stopped = self._tables[name].stopped if name in self._tables else table.stopped  # it may have stopped meanwhile
        if stopped is not None and stopped.rollout != routing.rollout:
            stopped = None
        table = msgspec.structs.replace(table, stopped=stopped)
        self._write(name, table)
        served.core.route(routing, stopped)
        served.arms.switch(routing)
        self._refused.pop(name, None)
        served.refused = ""
        await served.arms.prune(served.core.routing or routing)

    async def _watch(self) -> None:
        """One service's trouble must not keep the others, nor its own next tick, from being judged."""
        while True:
            for name, served in self._services.items():
                try:
                    self._stop_if_told(name)
                except Exception as error:
                    self._complain(f"{name}: the rollout could not be judged: {type(error).__name__}: {error}")
                try:
                    served.arms.end_hung()
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
        """A table that is on disk already is not written: a full disk must not keep it from being served."""
        if self._on_disk.get(name) != table:
            self._folders[name].mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(self._folders[name] / "routing.json", msgspec.json.encode(table))
            self._on_disk[name] = table
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


def _shown(error: Exception) -> str:
    """What clients may read of it: our own words about the release, no path and no text of foreign code."""
    if isinstance(error, (Untrusted, NotFound, BadInput)):
        return str(error.args[0])
    return f"its release cannot be loaded ({type(error).__name__})"


def _check(routing: Routing) -> None:
    if not 0 <= routing.weight <= 10_000 or not 0.0 <= routing.shadow <= 1.0:
        found = f"weight {routing.weight}, shadow {routing.shadow}"
        expected = "weight 0 to 10000, shadow 0 to 1"
        raise BadInput("the order is faulty", (Fault(where="routing", path="weight", expected=expected, found=found),))
