"""One service of a gateway process: the pure core joined to its arms, its log and its shadow."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from msgspec.structs import replace

from flyball.core.clock import Clock
from flyball.core.errors import Unavailable
from flyball.core.ports import LabelBook
from flyball.core.prediction import Answer, ArmReply, Failure, PredictionRecord
from flyball.core.promised import latency_limits_ms
from flyball.core.routing import Routing
from flyball.serving import outcome
from flyball.serving.batch import Ask, Batch, Caught
from flyball.serving.counting.label_tally import LabelTally
from flyball.serving.counting.tally import Tally
from flyball.serving.gateway import Gateway
from flyball.serving.protocols.labels import LabelRule
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.protocols.oip_stats import Statistics
from flyball.serving.protocols.terms import PLAIN, Terms
from flyball.serving.records import ANSWERED
from flyball.serving.resilience.catching import Catching
from flyball.serving.resilience.overload import Overloads, Refusal
from flyball.serving.resilience.retry_budget import Budget
from flyball.serving.serve.answering.arm_renewal import ArmRenewal
from flyball.serving.serve.answering.arms import Arms
from flyball.serving.serve.answering.capture import Capture
from flyball.serving.serve.answering.conversation import Conversation
from flyball.serving.serve.answering.course import Course
from flyball.serving.serve.answering.exercising import exercising
from flyball.serving.serve.answering.shadow import Shadow

RECENT_ROWS = 64  # rows kept for the trial of a release that is to get traffic


class ReadsBodies(Protocol):
    """A contract that was compiled: it reads what the contract accepts, and says nothing (None) about the rest."""

    def row(self, body: bytes) -> dict[str, Any] | None: ...
    def rows(self, body: bytes) -> list[dict[str, Any]] | None: ...


class Served:
    """Takes rows from the wire to records."""

    def __init__(
        self,
        core: Gateway,
        arms: Arms,
        capture: Capture,
        labels: LabelBook,
        clock: Clock,
        signature: Signature,
        label_rule: LabelRule | None = None,
        reader: ReadsBodies | None = None,
        renewal: ArmRenewal | None = None,
    ) -> None:
        """`label_rule`: what the contract says of a label; None: any is taken. `reader`: what it does not read goes the
        slow way, and where it is None everything does. `renewal`: of its arms' processes."""
        self.reader, self._renewal = reader, renewal
        self.label_rule = label_rule
        self.core, self.arms, self.capture, self.labels, self.signature = core, arms, capture, labels, signature
        self.tally = Tally(latency_limits_ms(core.service))
        self.statistics = Statistics()
        self.label_tally = LabelTally(core.service.data.label_window_s)
        self.refused = ""  # why a service that has a champion does not serve it; shown to clients
        self.look: Callable[[], None] = lambda: None  # before each request: is there a newer table? (several workers)
        self.cohort = frozenset(rule.header for rule in core.service.routing.rules if rule.header)  # headers they read
        self.recent: deque[dict[str, Any]] = deque(maxlen=RECENT_ROWS)  # accepted; in memory only
        self.clock = self._clock = clock
        self._deadline_s = core.service.serving.deadline_ms / 1000.0
        self._most_settling = core.service.serving.overload.max_in_flight
        self._settling = 0  # rows whose records are on their way to the disk
        self.overloads = Overloads(core.service.serving.overload, deadline_s=self._deadline_s)
        self.catching = Catching(core.service.serving, self.overloads, links=bool(core.links))
        core.room = self.catching.room
        self.retries = Budget(core.service.serving.retry_budget, workers=core.workers)
        self.conversation = Conversation(core, arms, self.overloads, self.retries, clock)
        self.exercising = exercising(core, arms, self.overloads, clock)
        self.shadow = Shadow(
            core,
            arms,
            capture.offer_shadows,
            self.overloads,
            core.service.serving.shadow,
            clock,
            deadline_s=self._deadline_s,
            also=self.exercising.offer,
        )

    @property
    def name(self) -> str:
        return self.core.service.metadata.name

    @property
    def ready(self) -> bool:
        routing = self.core.routing
        return routing is not None and routing.champion in self.arms.releases

    async def predict(
        self,
        rows: Sequence[dict[str, Any]],
        *,
        request_id: str,
        terms: Terms = PLAIN,
        pinned: str | None = None,
        whole: bool = False,
        accepted: bool = False,
    ) -> tuple[Batch, list[PredictionRecord]]:
        """Answer rows; whatever happens on the way, each becomes one record.

        `accepted`: by the contract already. `whole`: all rows or none are answered (tensors have no place for an
        error): one rejected row, and no arm is asked. Raises: LookupError: no routing yet, or its champion cannot be
        loaded. Unavailable: the records had to reach the disk first, and did not by another deadline.
        """
        course = self.begin(rows, request_id=request_id, terms=terms, pinned=pinned, whole=whole, accepted=accepted)
        try:
            await self.conversation.hold(course)
        finally:
            records = await self.end(course)
        return course.batch, records

    async def probe(self, rows: Sequence[dict[str, Any]]) -> Answer | Failure:
        """The champion's own answer to a probe of this home: no record, count, limit or circuit knows of it.

        Raises: LookupError: nothing to serve by.
        """
        self.look()
        routing = self.core.routing
        if self.refused or routing is None:
            raise LookupError(f"service {self.name} is not served: {self.refused or 'it has no release yet'}")
        reply = await self.arms.probe(routing.champion, rows, self._deadline_s)
        return outcome.valid(reply.answers[0]) if isinstance(reply, ArmReply) else reply

    def begin(
        self,
        rows: Sequence[dict[str, Any]],
        *,
        request_id: str | Sequence[str],
        terms: Terms = PLAIN,
        pinned: str | None = None,
        whole: bool = False,
        started: float | None = None,
        joined: bool = False,
        accepted: bool = False,
    ) -> Course:
        """Admit and assign. `joined`: rows of several requests, each with its id; `accepted`: by the contract already;
        `started`: when the oldest of them came. Raises: LookupError."""
        self.look()
        if self.refused:
            raise LookupError(f"service {self.name} is not served: {self.refused}")
        started = self.now() if started is None else started
        at = [self._clock.now().timestamp()] * len(rows)
        left = self._deadline_s if terms.deadline_ms is None else min(self._deadline_s, terms.deadline_ms / 1000.0)
        refusal = self._refusal(terms, len(rows), left, started)
        batch, asks = self.core.begin(
            rows,
            request_id=request_id,
            at=at,
            started=started,
            pinned=pinned,
            shed=refusal is not None,
            whole=whole,
            terms=terms,
            joined=joined,
            accepted=accepted,
        )
        batch.hurried = left < self._deadline_s
        if refusal is None:
            self.retries.earn(len(rows), started)
        else:
            batch.refusal, batch.caught = refusal, self._caught(batch, refusal)
        if rows and batch.verdicts[0] is None:
            self.recent.append(batch.rows[0])
        return Course(batch=batch, asks=self._admitted(batch, asks), deadline=started + left)

    def tend(self) -> None:
        """Now and then: end what hangs, renew what is worn."""
        self.arms.end_hung()
        if self._renewal is not None:
            self._renewal.look()

    async def close(self) -> None:
        """Nobody asks any more: the arms end, then what is on its way to the log is written."""
        if self._renewal is not None:
            await self._renewal.stop()
        self.shadow.close()
        await self.arms.close()
        await asyncio.to_thread(self.capture.stop)

    def now(self) -> float:
        """Monotonic seconds."""
        return self._clock.monotonic()

    async def end(self, course: Course) -> list[PredictionRecord]:
        """Its records, counted and on their way to the disk. Raises: Unavailable: they had to reach it first."""
        batch = course.batch
        records = told = self._recorded(batch)
        try:
            if (not batch.shed or batch.caught is not None) and (settled := self.capture.settled()) is not None:
                await self._on_disk(settled, len(batch))
        except Unavailable:
            told = [replace(one, outcome="failed") if one.outcome in ANSWERED else one for one in records]
            raise
        finally:
            self._count(batch, told)
        return records

    def end_now(self, course: Course) -> list[PredictionRecord] | None:
        """`end` without waiting; None: nothing was done, the records have to reach the disk first."""
        if self.capture.settles:
            return None
        records = self._recorded(course.batch)
        self._count(course.batch, records)
        return records

    def _recorded(self, batch: Batch) -> list[PredictionRecord]:
        records = self.core.finish(batch, ended=self._clock.monotonic())
        self.capture.offer(records)
        return records

    def _count(self, batch: Batch, told: list[PredictionRecord]) -> None:
        """For the metrics. `told`: as their clients heard it."""
        self.tally.add(told)
        if batch.caught is not None:
            self.catching.answered += sum(one.reason == "shed" for one in told)
        if batch.joined:
            self.statistics.add_each(told)
        else:
            self.statistics.add(told)

    async def _on_disk(self, settled: "asyncio.Future[None]", rows: int) -> None:
        """Wait with the answer; rows that wait count as in flight, so that a slow disk sheds instead of piling up."""
        self._settling += rows
        try:
            async with asyncio.timeout(self._deadline_s):
                await settled
        except TimeoutError as error:
            raise Unavailable("the prediction log did not reach the disk in time: send the request again") from error
        finally:
            self._settling -= rows

    def _refusal(self, terms: Terms, rows: int, left: float, now: float) -> Refusal | None:
        """Why the whole request is turned away before anything is asked."""
        if left <= 0.0:
            return "deadline"
        if self._settling >= self._most_settling:
            return "overload"
        routing = self.core.routing
        if routing is None:
            return None
        return self.overloads.refusal(routing.champion, terms.priority, rows, now, self._relieving(routing))

    def _relieving(self, routing: Routing) -> Callable[[], bool] | None:
        """What a relief turns away; None: none does."""
        if routing.relief is None or not routing.relief.shed:
            return None
        return lambda: self.core.relieving.turns_away(self._clock.now().timestamp())

    def full(self, routing: Routing) -> bool:
        """Whether a request that says nothing about itself would be refused now."""
        return self._settling >= self._most_settling or self.overloads.full(routing.champion)

    def catches(self, routing: Routing) -> bool:
        """Whether the fallback chain would answer a request that finds no room now."""
        return self._settling < self._most_settling and self.catching.would(routing, self.now())

    def _caught(self, batch: Batch, refusal: Refusal) -> Caught | None:
        """Who answers in the place of a champion that is full. A client who can wait, or no longer waits, is told so;
        and where the disk does not keep up, the record of a stand-in's answer would have to wait for it too."""
        if refusal != "overload" or batch.pinned is not None or self._settling >= self._most_settling:
            return None
        return self.catching.catch(batch.routing, len(batch), self.now())

    def turned_away(self, routing: Routing, rows: int) -> Refusal | None:
        """Refuse such a request unread, and count it. None: there is room again."""
        refusal = self.overloads.refusal(routing.champion, None, rows, self.now())
        return "overload" if self._settling >= self._most_settling else refusal

    def _admitted(self, batch: Batch, asks: list[Ask]) -> list[Ask]:
        """The asks without those of a candidate, or of other arms, whose rows have to wait for better times."""
        champion, admitted = batch.routing.champion, []
        for ask in asks:
            if ask.role == "candidate" and self.overloads.refuses_canary(champion, ask.release, len(ask.places)):
                batch.turned_away, batch.refusal = batch.turned_away | frozenset(ask.places), "priority"
                batch.caught = self.catching.canary(champion)
            else:
                admitted.append(ask)
        return admitted
