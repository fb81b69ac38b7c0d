"""What of one service has to be on the disk: its table for the next start, and the fact that its rollout was stopped.

Theory of operation. A table that takes traffic away is in force before it is here; the disk gets what is in force as
soon as it takes it, however long that is. A table that gives traffic is here before it is in force, or it does not come
into force. Every write is done in a thread, one at a time: a disk that hangs keeps the event loop from nothing. Whoever
is killed in between finds the older table at the next start, and the controller says again what was last.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from flyball.core.errors import Unavailable
from flyball.core.routing import Stopped
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.workers.spool import put
from flyball.serving.serve.workers.table import Table, read_table, write_table

AHEAD_S = 10.0  # a table that gives traffic waits so long for the disk
Write = Callable[[Path, Table], None]


class Paper:
    """Of one service. To be used in the event loop."""

    def __init__(self, name: str, folder: Path, complain: Complaints, write: Write = write_table) -> None:
        self._name, self._folder, self._complain, self._write = name, folder, complain, write
        self._wanted: Table | None = None  # what is in force
        self._on_disk: Table | None = None
        self._left: Stopped | None = None  # the stop whose fact is in the spool
        self._known: Stopped | None = None  # the stop that was on disk at the start
        self._one = asyncio.Lock()  # held by a write
        self._ahead = 0  # tables that are written before they come into force
        self._task: asyncio.Task[None] | None = None

    def read(self) -> Table | None:
        """The table of the last run; its stop is left once more. Raises: BadInput: it is no table."""
        table = read_table(self._folder)
        if table is not None:
            self._on_disk, self._known = table, table.stopped
            self.later(table)
        return table

    def later(self, table: Table) -> None:
        """It is in force; the disk follows."""
        self._wanted = table
        self.catch_up()

    def catch_up(self) -> None:
        """Write what is in force, if it is not there yet and nobody writes; to be asked again and again."""
        if not self._ahead and not self._settled() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._follow())

    async def settled(self, within_s: float) -> None:
        """Returns when the disk has what is in force, or when so much time has passed."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=within_s)

    async def ahead(self, table: Table, *, still: Callable[[], None]) -> None:
        """Write a table that is to come into force when this returns. `still` raises where it must not any more.

        Raises: OSError: the disk refuses. Unavailable: it has not answered; what is in force is written over it then.
        """
        self._ahead += 1
        writing = asyncio.ensure_future(self._put(table, still))
        writing.add_done_callback(lambda done: done.cancelled() or done.exception())  # somebody has looked
        try:
            async with asyncio.timeout(AHEAD_S):
                await asyncio.shield(writing)
        except TimeoutError as error:
            raise Unavailable(f"the disk did not take the table of {self._name} within {AHEAD_S:g} s") from error
        finally:
            self._ahead -= 1

    def _settled(self) -> bool:
        wanted = self._wanted
        return wanted is None or (self._on_disk == wanted and wanted.stopped in (None, self._left))

    async def _put(self, table: Table, still: Callable[[], None]) -> None:
        async with self._one:
            still()
            if self._on_disk != table:
                await asyncio.to_thread(self._write, self._folder, table)
                self._on_disk = table

    async def _follow(self) -> None:
        while (table := self._wanted) is not None and not self._settled():
            try:
                await self._put(table, _always)
                await self._leave(table.stopped)
            except OSError as error:  # the traffic goes by it all the same; the next tick writes it down
                self._complain(f"{self._name}: the table in force cannot be written: {error}")
                return

    async def _leave(self, stopped: Stopped | None) -> None:
        if stopped is None or stopped == self._left:
            return
        await asyncio.to_thread(put, self._folder / "spool", self._name, stopped)
        self._left = stopped
        if stopped != self._known:
            what = "rollout" if not stopped.arms else "an arm of A/B test"
            self._complain(f"{self._name}: {what} {stopped.rollout} stopped: {stopped.verdict.reason}")


def _always() -> None:
    """What is in force may be written at any time."""
