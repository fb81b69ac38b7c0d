"""One service of a gateway process: the pure core joined to its arms, its log and its shadow."""

import asyncio
from collections.abc import Sequence
from typing import Any

from flyball.core.clock import Clock
from flyball.core.ports import LabelBook
from flyball.core.prediction import PredictionRecord
from flyball.serving.batch import Ask, Batch
from flyball.serving.gateway import Gateway
from flyball.serving.oip import Signature
from flyball.serving.serve.arms import Arms
from flyball.serving.serve.capture import Capture
from flyball.serving.serve.shadow import Shadow
from flyball.serving.tally import Tally

IN_FLIGHT_ROWS = 20_000  # more rows than this at once are shed: an honest 503 now instead of a late answer


class Served:
    """Takes rows from the wire to records."""

    def __init__(
        self, core: Gateway, arms: Arms, capture: Capture, labels: LabelBook, clock: Clock, signature: Signature
    ) -> None:
        self.core, self.arms, self.capture, self.labels, self.signature = core, arms, capture, labels, signature
        self.tally = Tally()
        self.refused = ""  # why a service that has a champion does not serve it; shown to clients
        self._clock = clock
        self._deadline_s = core.service.serving.deadline_ms / 1000.0
        self.shadow = Shadow(core, arms, capture.offer_shadows, deadline_s=self._deadline_s)
        self._in_flight = 0

    @property
    def name(self) -> str:
        return self.core.service.metadata.name

    @property
    def ready(self) -> bool:
        routing = self.core.routing
        return routing is not None and routing.champion in self.arms.releases

    async def predict(
        self, rows: Sequence[dict[str, Any]], *, request_id: str, pinned: str | None = None, whole: bool = False
    ) -> tuple[Batch, list[PredictionRecord]]:
        """Answer rows; whatever happens on the way, each becomes one record.

        `whole`: all rows or none are answered (tensors have no place for an error): one rejected row, and no arm is
        asked. Raises: LookupError: no routing yet, or its champion cannot be loaded.
        """
        if self.refused:
            raise LookupError(f"service {self.name} is not served: {self.refused}")
        started = self._clock.monotonic()
        at = [self._clock.now().timestamp()] * len(rows)
        shed = self._in_flight + len(rows) > IN_FLIGHT_ROWS
        batch, asks = self.core.begin(
            rows, request_id=request_id, at=at, started=started, pinned=pinned, shed=shed, whole=whole
        )
        self._in_flight += len(rows)
        try:
            await self._converse(batch, asks, started + self._deadline_s)
        finally:
            self._in_flight -= len(rows)
            records = self.core.finish(batch, ended=self._clock.monotonic())
            self.capture.offer(records)
            self.tally.add(records)
        return batch, records

    async def _converse(self, batch: Batch, asks: list[Ask], deadline: float) -> None:
        """Ask the arms; from half the deadline on their stand-ins too, so that a hang is answered in time."""
        core, arms = self.core, self.arms
        loop = asyncio.get_running_loop()
        hedges: list[tuple[Ask, asyncio.Future[Any]]] = []

        def hedge() -> None:
            hedges.extend((ask, arms.ask(ask, deadline - self._clock.monotonic())) for ask in core.stand_ins(batch))

        left = deadline - self._clock.monotonic()
        timer = loop.call_later(left / 2, hedge)
        try:
            for ask, future in [(ask, arms.ask(ask, left)) for ask in asks]:
                core.take(batch, ask, await future)
        finally:
            timer.cancel()
        for ask, future in hedges:
            # the stand-in that was asked in vain has had the same deadline: it is done
            core.take(batch, ask, await future)
        while (stand_ins := core.stand_ins(batch)) and (left := deadline - self._clock.monotonic()) > 0:
            for ask, future in [(ask, arms.ask(ask, left)) for ask in stand_ins]:
                core.take(batch, ask, await future)
