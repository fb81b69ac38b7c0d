"""Show rows to the shadow after the client has its answer; what does not fit is dropped and counted."""

import asyncio
from collections.abc import Callable, Sequence

from flyball.core.prediction import ArmReply, Failure, ShadowRecord
from flyball.serving.batch import Ask, Batch
from flyball.serving.gateway import Gateway
from flyball.serving.serve.arms import Arms

WAITING_ROWS = 1_000


class Shadow:
    """One service's mirror. It holds a bounded number of rows, whatever the shadow does with them."""

    def __init__(
        self, core: Gateway, arms: Arms, record: Callable[[Sequence[ShadowRecord]], None], *, deadline_s: float
    ) -> None:
        self._core, self._arms, self._record, self._deadline_s = core, arms, record, deadline_s
        self._waiting = 0
        self.dropped = 0  # rows not shown: no room, or no shadow there

    def offer(self, batch: Batch) -> None:
        """Called after the answer has been sent."""
        ask = self._core.shadow(batch)
        if ask is None:
            return
        rows = len(ask.places)
        process = self._arms.process(ask.release, shadow=True)
        if process is None or not process.alive or self._waiting + rows > WAITING_ROWS:
            self.dropped += rows
            return
        self._waiting += rows
        future = self._arms.ask(ask, self._deadline_s)
        future.add_done_callback(lambda done: self._done(batch, ask, done))

    def _done(self, batch: Batch, ask: Ask, future: "asyncio.Future[ArmReply | Failure]") -> None:
        self._waiting -= len(ask.places)
        if not future.cancelled():
            self._record(self._core.shadow_done(batch, ask, future.result()))
