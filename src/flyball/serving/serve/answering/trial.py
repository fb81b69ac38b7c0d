"""A trial load before weight moves: a release that is to get more traffic shows that it can carry it.

It is asked rows that were asked a moment ago, one a question, some at a time, until its rate is known well enough
(`routing/trial_length.py`). Nobody waits for these answers and nothing counts them. Each worker tries its own copy with
its own share of the traffic. A process that makes room in the middle of its trial (one that began to before the order
came) is followed by the fresh one: each question goes to whoever has the place.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from flyball.core.clock import Clock
from flyball.core.errors import Unavailable
from flyball.core.prediction import ArmReply, Failure
from flyball.core.routing import Routing
from flyball.serving.routing.capacity import lifted, too_little
from flyball.serving.routing.trial_length import BATCH_S, CAP_S, Batch, Rate, over, rate_of
from flyball.serving.serve.answering.served import Served

AT_A_TIME = 16
GONE = Failure(reason="dead", message="nobody has its place any more")


class Asked(Protocol):
    """A loaded release: in this process or in its own."""

    def ask(
        self, rows: Sequence[dict[str, Any]], deliver: Callable[[ArmReply | Failure], None], until: float
    ) -> None: ...


async def tried(served: Served, routing: Routing) -> None:
    """Between `prepare` and the moment the table comes into force. Several releases are tried one after the other.

    Raises: Unavailable: a release cannot carry what it is to get; the order may be given again.
    """
    if not served.recent or served.core.rate_rps <= 0.0 or not served.core.service.serving.idempotent:
        return
    for release, share in lifted(served.core.routing, routing).items():
        whom = partial(served.arms.prepared, release, routing)
        if whom() is None:
            continue
        rate = await rate_found(whom, list(served.recent), served.clock)
        if (why := too_little(release, rate, share=share, rate_rps=served.core.rate_rps)) is not None:
            raise Unavailable(why)


async def rate_found(whom: Callable[[], Asked | None], rows: Sequence[dict[str, Any]], clock: Clock) -> Rate:
    """Rows that it answers a second where some questions always wait. What it cannot answer counts for nothing; one
    that dies of it answers none. `whom`: who has the place at the moment."""
    trial = _Trial(whom, rows, clock)
    for _ in range(AT_A_TIME):
        trial.ask()
    await asyncio.wait({trial.over}, timeout=2 * CAP_S)
    return trial.end()


class _Trial:
    """Questions to one release, and its answers in batches. The first answer starts the clock."""

    def __init__(self, whom: Callable[[], Asked | None], rows: Sequence[dict[str, Any]], clock: Clock) -> None:
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._whom, self._rows, self._clock = whom, rows, clock
        self._until = clock.monotonic() + 4 * CAP_S
        self._since: float | None = None  # when the batch began
        self._batches: list[Batch] = []
        self._given = self._answered = 0  # questions; answers in this batch
        self._dead = False

    def ask(self) -> None:
        self._given += 1
        if (asked := self._whom()) is None:
            self._deliver(GONE)
        else:
            asked.ask([self._rows[self._given % len(self._rows)]], self._deliver, self._until)

    def end(self) -> Rate:
        """What was found so far; no answer counts from here on."""
        if not self.over.done():
            self.over.set_result(None)
        if self._dead:
            return rate_of(())
        if self._since is not None and self._answered and not over(self._batches):
            self._batches.append((self._answered, self._clock.monotonic() - self._since))
        return rate_of(self._batches)

    def _deliver(self, reply: ArmReply | Failure) -> None:
        if self.over.done():
            return
        if isinstance(reply, Failure) and reply.reason in ("dead", "overload"):
            self._dead = True
            self.over.set_result(None)
            return
        now = self._clock.monotonic()
        if self._since is None:
            self._since = now
        else:
            self._answered += isinstance(reply, ArmReply)
            if now - self._since >= BATCH_S:
                self._batches.append((self._answered, now - self._since))
                self._since, self._answered = now, 0
        if over(self._batches):
            self.over.set_result(None)
        else:
            asyncio.get_running_loop().call_soon(self.ask)
