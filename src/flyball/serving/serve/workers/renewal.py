"""The workers of a gateway are looked at once a second; one that is worn makes room, one at a time.

It waits while an order is prepared: a worker that starts takes the cores on which a release is tried just then.
"""

import asyncio
import contextlib
from collections.abc import Callable

from flyball.core.declared.serving import Recycling
from flyball.serving.resilience.wear import Wear
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.resident import resident_mb
from flyball.serving.serve.workers.keeper import Workers

LOOK_S = 1.0
PAUSE_S = 0.1  # between questions whether an order is still prepared
RETRY_S = 30.0  # after a fresh worker that did not come up
PATIENCE_S = 60.0  # and no longer: orders may follow one another without a pause, and a leak goes on


class Renewal:
    """Of one gateway."""

    def __init__(
        self,
        workers: Workers,
        declared: Recycling,
        rows: Callable[[int], int],
        complain: Callable[[str], None],
        *,
        ordered: Callable[[], bool] = lambda: False,
    ) -> None:
        """`rows`: that the worker of a number has received, in all its lives. `ordered`: whether an order is being
        prepared."""
        self._ordered = ordered
        self._workers, self._declared, self._rows, self._complain = workers, declared, rows, Complaints(complain)
        self._hopeless = False  # the operator knows that no worker can hold less
        self._due: dict[int, str] = {}  # workers that are to make room by an order, and by which
        self._lives: dict[int, tuple[int, int, Wear]] = {}  # number -> (pid, rows when it began, its wear)

    def order(self, why: str) -> None:
        """Somebody wants fresh workers: each that answers now makes room, one after the other."""
        self._due = {link.worker: f"ordered by {why}" for link in self._workers.live if link.opened}

    async def keep(self) -> None:
        """Until cancelled: a look that fails is told, and the next one is taken all the same."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self._turn()
            try:
                done = (found := self._worn()) is None or await self._workers.renew(*found)
            except Exception as error:
                self._complain(f"no worn worker could make room now: {type(error).__name__}: {error}")
                continue
            if not done:
                await asyncio.sleep(RETRY_S)

    async def _turn(self) -> None:
        """Until no order is prepared, within a bound."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self._ordered():
                    await asyncio.sleep(PAUSE_S)

    def _worn(self) -> tuple[int, str] | None:
        """The first worker that is to make room by an order, or is worn, and why."""
        while self._due:
            number = next(iter(self._due))
            order = self._due.pop(number)
            if any(link.worker == number for link in self._workers.live):
                return number, order
        for link in self._workers.live:
            if not link.opened:
                continue
            held, rows = resident_mb(link.pid), self._rows(link.worker)
            pid, before, wear = self._lives.get(link.worker, (0, 0, None))
            if wear is None or pid != link.pid:
                before, wear = rows, Wear(self._declared, fresh_mb=link.fresh_mb)
                self._lives[link.worker] = link.pid, before, wear
                if wear.complaint is not None and not self._hopeless:
                    self._hopeless = True  # the others, and the next lives, hold as much: no news
                    self._complain(f"worker {link.worker}: {wear.complaint}; its memory is not a reason to replace it")
            if (why := wear.why(held, rows - before)) is not None:
                return link.worker, why
        return None
