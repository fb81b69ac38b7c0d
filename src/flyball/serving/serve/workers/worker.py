"""A worker's ear: it hears the supervisor's orders, and goes by the mapped table from each request to the next.

When the supervisor is gone the worker answers on by the table in force, for a while: see `orphan.py`.
"""

import asyncio
import contextlib
import itertools
import os
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, assert_never

import msgspec

from flyball.core.errors import Unavailable
from flyball.core.routing import Routing
from flyball.serving.counting.report import Report
from flyball.serving.orders import (
    Collect,
    Did,
    Forget,
    FromWorker,
    Here,
    Last,
    Open,
    Order,
    Prepare,
    Refuse,
    Settle,
    Sum,
    Summed,
    ToWorker,
    said,
)
from flyball.serving.routing.lowering import lowers
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.answering.trial import tried
from flyball.serving.serve.workers.link import LIMIT
from flyball.serving.serve.workers.table import TableMap

LOOK_S = 0.02  # between looks at the map of a service that nobody asks
TEND_S = 0.1
SUM_S = 5.0


class Follower:
    """One service of this worker and the map that it goes by."""

    def __init__(self, served: Served, table: TableMap) -> None:
        self.served, self._map = served, table
        self.lock = asyncio.Lock()  # one order at a time
        self._seen = 0
        self._prepared: Routing | None = None
        self._followed: Routing | None = None

    async def prepare(self, order: Prepare) -> None:
        async with self.lock:
            self._prepared = None
            await self.served.arms.prepare(order.routing, patient=order.patient)
            if not order.patient:
                await tried(self.served, order.routing)
            self._prepared = order.routing

    async def forget(self) -> None:
        async with self.lock:
            self._prepared = None
            await self.served.arms.discard()

    def look(self) -> None:
        """Called before every request: a newer table holds for it."""
        if self._map.number != self._seen:
            self._take()

    async def settle(self) -> None:
        async with self.lock:
            self.look()
            self.served.refused = ""
            if (routing := self.served.core.routing) is not None:
                await self.served.arms.prune(routing)

    def _take(self) -> None:
        """The newest table, if what it names is loaded: a stop and a lower weight always are."""
        number, table = self._map.read()
        if table is None:
            return
        if self._followed == table.routing:
            self.served.core.route(table.routing, table.stopped)
        elif self._prepared == table.routing:
            self.served.core.route(table.routing, table.stopped)
            self.served.arms.switch(table.routing)
            self._followed, self._prepared = table.routing, None
        elif self._followed is not None and lowers(self._followed, table.routing):
            self.served.core.route(table.routing, table.stopped)
            self.served.arms.switch(table.routing)
            self._followed = table.routing
        else:
            return  # the order that loads it comes first
        self._seen = number


class Worker:
    """The wire to the supervisor, and what comes over it."""

    def __init__(
        self,
        number: int,
        followers: Mapping[str, Follower],
        *,
        report: Callable[[], Report],
        complain: Callable[[str], None],
        orphaned: Callable[[bool], None],
    ) -> None:
        """`report`: this worker's own. `orphaned`: called when the supervisor is gone; True: clients are
        answered here."""
        self._number, self._followers, self._report = number, followers, report
        self._complain, self._orphaned = complain, orphaned
        self._numbers = itertools.count(1)
        self._sums: dict[int, asyncio.Future[str]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._opened = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, path: str) -> None:
        """Returns when the supervisor says that everything is warm."""
        reader, self._writer = await asyncio.open_unix_connection(path, limit=LIMIT)
        self._send(Here(worker=self._number, pid=os.getpid()))
        self._do(self._listen(reader))
        self._do(self._look())
        await self._opened.wait()

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._writer is not None:
            self._send(Last(text=msgspec.json.encode(self._report()).decode()))
            self._writer.close()

    async def sums(self) -> Report:
        """The report of all workers. Raises: Unavailable: the supervisor does not answer."""
        if self._writer is None:
            raise Unavailable("there is no supervisor now, who adds up what the workers tell")
        number = next(self._numbers)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._sums[number] = future
        try:
            self._send(Sum(number=number))
            async with asyncio.timeout(SUM_S):
                return msgspec.json.decode(await future, type=Report)
        except TimeoutError as error:
            raise Unavailable("the supervisor does not answer") from error
        finally:
            self._sums.pop(number, None)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        try:
            while line := await reader.readline():
                message = msgspec.json.decode(line, type=ToWorker)
                if isinstance(message, Summed):
                    if (future := self._sums.get(message.number)) is not None and not future.done():
                        future.set_result(message.text)
                else:
                    self._do(self._answer(message))
        except (ConnectionError, ValueError) as error:
            self._complain(f"worker {self._number}: the supervisor's word broke off: {error}")
        if (writer := self._writer) is not None:
            self._writer = None
            writer.close()
        answers = self._opened.is_set()
        self._opened.set()
        self._orphaned(answers)

    async def _answer(self, order: Order) -> None:
        try:
            text = await self._obey(order)
        except Exception as error:  # the supervisor decides what it means
            self._send(said(order.number, error))
        else:
            self._send(Did(number=order.number, text=text))

    async def _obey(self, order: Order) -> str:
        match order:
            case Prepare():
                await self._followers[order.routing.service].prepare(order)
            case Forget():
                await self._followers[order.service].forget()
            case Settle():
                await self._followers[order.service].settle()
            case Refuse():
                self._followers[order.service].served.refused = order.why
            case Open():
                self._opened.set()
            case Collect():
                return msgspec.json.encode(self._report()).decode()
            case _:
                assert_never(order)
        return ""

    async def _look(self) -> None:
        """What a request would do, for services that nobody asks; and the end of what hangs."""
        for turn in itertools.count():
            await asyncio.sleep(LOOK_S)
            for name, follower in self._followers.items():
                try:
                    follower.look()
                    if turn % round(TEND_S / LOOK_S) == 0:
                        follower.served.tend()
                except Exception as error:
                    self._complain(f"{name}: {type(error).__name__}: {error}")

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _send(self, message: FromWorker) -> None:
        if self._writer is not None:
            with contextlib.suppress(ConnectionError):
                self._writer.write(msgspec.json.encode(message) + b"\n")
