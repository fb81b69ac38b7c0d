"""Process: the supervisor of a gateway of several workers. It holds socket, table and judge, and answers nobody."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count, islice
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log.labels import SqliteLabels
from flyball.adapters.prediction_log.worker_panes import WorkerPanes
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.wiring.health_seen import health_seen
from flyball.app.wiring.serving.gateway import from_ledger
from flyball.app.wiring.serving.inheritance import busy
from flyball.app.wiring.serving.newest_budgets import NewestBudgets
from flyball.app.wiring.serving.newest_windows import NewestWindows
from flyball.app.wiring.serving.panes import (
    COUNTERS,
    MAP,
    UNITS,
    book_of,
    complain,
    only_one,
    repaired,
    taking_over,
    upgraded,
)
from flyball.app.wiring.serving.short_folder import short_folder
from flyball.app.wiring.serving.worker import TURNS
from flyball.core.control import OWNER
from flyball.core.ports import Judge
from flyball.serving.counting.counter_file import Slot
from flyball.serving.counting.sums import Sums
from flyball.serving.resilience.wear import strictest
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.http.health_routes import Healths
from flyball.serving.serve.http.turns import Turns
from flyball.serving.serve.workers.control import Control
from flyball.serving.serve.workers.counters import mapped_slots, mapped_units
from flyball.serving.serve.workers.keeper import Workers
from flyball.serving.serve.workers.link import Link
from flyball.serving.serve.workers.orphan import Orphans
from flyball.serving.serve.workers.over_workers import OverWorkers
from flyball.serving.serve.workers.renewal import Renewal
from flyball.serving.serve.workers.supervisor import Supervisor
from flyball.serving.serve.workers.table import TableMap
from flyball.serving.serve.workers.telling import Telling

TAKE_OVER_S = 0.2

Command = Callable[[int, int, str], Sequence[str]]  # worker's number, descriptor of the listener, supervisor's socket


def command(
    services: Sequence[Declared], home: Home, gateway: Path | None, host: str, grpc_port: int | None = None
) -> Command:
    """How a worker is started. `gateway`: its file, which each worker reads for itself. `host`: the address."""
    files = [str(each.file) for each in services]
    guarded = ["--gateway", str(gateway)] if gateway else []
    guarded += ["--grpc-port", str(grpc_port)] if grpc_port is not None else []

    def words(number: int, listener: int, path: str) -> Sequence[str]:
        module = [sys.executable, "-m", "flyball.app.wiring.serving.worker", "--number", str(number)]
        return [
            *module,
            "--home",
            str(home.root),
            "--listener",
            str(listener),
            "--host",
            host,
            *guarded,
            "--supervisor",
            path,
            *files,
        ]

    return words


def _seen(home: Home) -> tuple[NewestWindows, Healths, NewestBudgets]:
    """What controllers write down of a service, for metrics."""
    return NewestWindows(home, complain), partial(health_seen, home), NewestBudgets(home, complain)


async def run(
    services: Sequence[Declared],
    home: Home,
    judge: Judge,
    listener: socket.socket,
    *,
    workers: int,
    command: Command,
    ready: Callable[[], None],
    orphans: Orphans | None = None,
) -> None:
    """Serve with so many workers until SIGTERM or SIGINT. `orphans`: workers of a supervisor that died, which answer
    until these do.

    Raises: Unavailable: the workers do not come up. What kept the first service from being served, where none can be.
    """
    stopping = _told_to_stop()
    living, numbers = await asyncio.to_thread(_numbers, home, services, workers)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(short_folder(home))
        for declared in services:
            stack.callback(os.close, only_one(home, declared.service.metadata.name))
            await asyncio.to_thread(upgraded, home, declared.service.metadata.name)
            await asyncio.to_thread(repaired, declared, home, workers=numbers, living=living)
        books = {each.service.metadata.name: book_of(each, home) for each in services}
        stack.push_async_callback(_last_panes, services, home, books)
        bodies: dict[str, OverWorkers] = {}
        slots: dict[str, list[Slot]] = {}
        telling = Telling(bodies, slots, *_seen(home))
        turns = Turns.made(folder / TURNS, workers, max(numbers) + 1)

        def gone(number: int, last: str) -> None:
            turns.away(number)
            telling.ended(last)

        async def bring_up(link: Link) -> None:
            for body in bodies.values():
                await body.bring_up(link)

        crew = Workers(
            numbers,
            partial(_spawn, listener, command),
            folder,
            bring_up=bring_up,
            sum_up=telling.sum_up,
            complain=complain,
            gone=gone,
        )
        for declared in services:
            place = home.gateway(name := declared.service.metadata.name)
            slots[name] = mapped_slots(place / COUNTERS, max(numbers) + 2)  # the first: of one process alone
            parts = TableMap(place / MAP), Sums(slots[name]), mapped_units(place / UNITS)
            bodies[name] = OverWorkers(name, crew, *parts)
        supervisor = Supervisor(bodies, {name: home.gateway(name) for name in bodies}, judge, SystemClock(), complain)
        stack.push_async_callback(crew.stop)
        await crew.start()
        await supervisor.start(lambda name: from_ledger(home, name))
        stack.push_async_callback(supervisor.stop)
        renewal = _renewal(services, crew, telling, supervisor)  # before anybody asks whether there is room for one
        control = Control(home.socket, supervisor, os.environ.get(OWNER, ""))
        await control.start()
        stack.push_async_callback(control.stop)
        stack.push_async_callback(_ended, asyncio.create_task(_take_over(services, home, books)))
        await crew.open()
        if orphans is not None:
            orphans.leave()
        stack.push_async_callback(_ended, asyncio.create_task(renewal.keep()))
        ready()
        await stopping.wait()


def _renewal(services: Sequence[Declared], crew: Workers, telling: Telling, supervisor: Supervisor) -> Renewal:
    """Of worn workers, and of those that are to make room by an order."""
    bounds = strictest([each.service.serving.recycle for each in services])
    renewal = Renewal(crew, bounds, telling.received, complain, ordered=telling.ordered)
    supervisor.renew = renewal.order
    return renewal


def _numbers(home: Home, services: Sequence[Declared], workers: int) -> tuple[set[int], list[int]]:
    """Those of workers that live, whoever started them; then those for so many new ones, and one to spare."""
    living = busy(home, services)
    return living, list(islice((number for number in count() if number not in living), workers + 1))


def _told_to_stop() -> asyncio.Event:
    """Set by SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    return stopping


async def _spawn(listener: socket.socket, command: Command, number: int, path: str) -> "asyncio.subprocess.Process":
    """A worker in a session of its own: a Ctrl-C at the terminal is the supervisor's, who lets it drain. It outlives us
    where we are killed: `serve.orphan`."""
    return await asyncio.create_subprocess_exec(
        *command(number, listener.fileno(), path),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr,
        pass_fds=(listener.fileno(),),
        start_new_session=True,
    )


async def _take_over(services: Sequence[Declared], home: Home, books: dict[str, SqliteLabels]) -> None:
    """The workers' panes into the services' streams, as they are sealed."""
    panes: dict[str, WorkerPanes] = {}
    told = Complaints(complain)
    while True:
        for declared in services:
            name = declared.service.metadata.name
            try:
                if name not in panes:
                    panes[name] = await asyncio.to_thread(taking_over, declared, home, books[name])
                await asyncio.to_thread(panes[name].take_over)
            except Exception as error:  # a disk that refuses now: the panes wait where they are
                panes.pop(name, None)
                told(f"{name}: panes cannot be taken over now: {type(error).__name__}: {error}")
        await asyncio.sleep(TAKE_OVER_S)


async def _last_panes(services: Sequence[Declared], home: Home, books: dict[str, SqliteLabels]) -> None:
    """All that the workers left, sealed or not, once every one of them has ended."""
    for declared in services:
        books[declared.service.metadata.name].close()
        await asyncio.to_thread(repaired, declared, home)


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
