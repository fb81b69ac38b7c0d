"""What carries one service's traffic, as its supervisor sees it: one process, or several workers."""

from typing import Protocol

from flyball.core.ports import Judge
from flyball.core.routing import Observed, Routing, Stopped
from flyball.serving.counting.accounting import step_key
from flyball.serving.counting.counter_file import Units
from flyball.serving.routing.stopping import counted
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.answering.trial import tried


class Body(Protocol):
    """The supervisor orders, a body obeys."""

    @property
    def stopped(self) -> Stopped | None:
        """What was done by our own authority in the running rollout."""
        ...

    async def prepare(self, routing: Routing, *, patient: bool = False) -> None:
        """Load, verify and warm everywhere what this table names; nothing that serves is touched.

        Raises: NotFound, Untrusted, Unavailable, Refused: the table must not come into force.
        """
        ...

    async def forget(self) -> None:
        """What was prepared does not come into force: end everywhere what was loaded for it."""
        ...

    def follow(self, routing: Routing, stopped: Stopped | None) -> None:
        """Go by this table, everywhere, from the next request on."""
        ...

    async def settle(self) -> None:
        """Returns when everybody goes by it; what it does not name is ended."""
        ...

    def refuse(self, why: str) -> None:
        """Answer 503 with this reason; empty: no more."""
        ...

    def observe(self) -> Observed: ...

    def ask_judge(self, judge: Judge, *, at: float) -> Stopped | None:
        """Stop the candidate, or arms of an A/B test, everywhere and at once, if the judge says so."""
        ...

    def tend(self) -> None:
        """Now and then: end what hangs."""
        ...


class OneProcess:
    """Supervisor and worker are one process."""

    def __init__(self, served: Served, units: Units | None = None) -> None:
        """`units`: the sets that the service's slot shares, if it does."""
        self._served, self._units = served, units

    @property
    def stopped(self) -> Stopped | None:
        return self._served.core.stopped

    async def prepare(self, routing: Routing, *, patient: bool = False) -> None:
        await self._served.arms.prepare(routing, patient=patient)
        if not patient:
            await tried(self._served, routing)

    async def forget(self) -> None:
        await self._served.arms.discard()

    def follow(self, routing: Routing, stopped: Stopped | None) -> None:
        self._turn(counted(routing, stopped))
        self._served.core.route(routing, stopped)
        self._served.arms.switch(routing)

    async def settle(self) -> None:
        if (routing := self._served.core.routing) is not None:
            await self._served.arms.prune(routing)

    def refuse(self, why: str) -> None:
        self._served.refused = why

    def observe(self) -> Observed:
        return self._served.core.observe()

    def ask_judge(self, judge: Judge, *, at: float) -> Stopped | None:
        return self._served.core.ask_judge(judge, at=at, turn=self._turn)

    def _turn(self, table: Routing) -> None:
        if self._units is not None:
            self._units.turn(step_key(table))

    def tend(self) -> None:
        self._served.tend()
