"""The gateway of one service without its wires: rows in, questions to arms out, answers and records at the end.

Synchronous, batch-based, no I/O, no clock: times are handed in, arms are asked by the caller. The HTTP gateway and the
replay run this same code. A batch goes

    begin  -> the asks of its arms          (contract, ids, assignment)
    take   <- each arm's reply, or Failure
    stand_ins -> asks of the fallback chain (until there are none)
    finish -> one record a row              (counted, in the running step)
    shadow -> what to show to the shadow, after the client has its answer; `shadow_done` takes the reply

A row's place in the lists of `Batch` is its place in the request.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flyball.core.contract import RowChecker
from flyball.core.ports import Judge
from flyball.core.prediction import (
    Answer,
    ArmName,
    ArmReply,
    Failure,
    PredictionRecord,
    Predictor,
    ShadowRecord,
)
from flyball.core.routing import Observed, Routing, Stopped
from flyball.core.service import Service
from flyball.serving import outcome
from flyball.serving.accounting import Accounting
from flyball.serving.admit import admit
from flyball.serving.assign import mirrored, to_candidate, unit_hash
from flyball.serving.batch import Ask, Batch, ask_for, first_asks
from flyball.serving.fallback import PREVIOUS, constant, stand_ins
from flyball.serving.identity import PredictionIds
from flyball.serving.rate import Rate
from flyball.serving.records import ASKED, Recorder, Redact
from flyball.serving.stopping import effective, stopped_by

QUIET_RPS = 10.0  # below this many rows a second everything is mirrored


class Gateway:
    """One service's core in one worker. It serves from the moment it is given a routing."""

    def __init__(
        self,
        service: Service,
        checker: RowChecker,
        accounting: Accounting,
        ids: PredictionIds,
        redact: Redact,
        *,
        hide_unit: Callable[[str], str] | None = None,
    ) -> None:
        """`redact` makes of a row what is written of it; `hide_unit` of a unit, where the key is personal."""
        self.service = service
        self._checker = checker
        self.accounting = accounting
        self._ids = ids
        self._ordered: Routing | None = None
        self._effective: Routing | None = None
        self._stopped: Stopped | None = None
        self._rate = Rate()
        self._limit_ms = service.serving.objectives.latency_p99_ms
        self._recorder = Recorder(redact, hide_unit, constant(service.serving), self._limit_ms)

    @property
    def routing(self) -> Routing | None:
        """In force: as ordered, with weight and shadow at 0 once the gateway has stopped the candidate."""
        return self._effective

    @property
    def stopped(self) -> Stopped | None:
        """What the gateway has done by itself in the rollout of this routing."""
        return self._stopped

    def route(self, routing: Routing, stopped: Stopped | None = None) -> None:
        """Go by this table from the next batch on. A rollout that was stopped never gets weight again."""
        self._stopped = stopped or self._stopped
        if self._stopped and self._stopped.rollout != routing.rollout:
            self._stopped = None
        self._ordered = routing
        self._effective = effective(routing, self._stopped)
        self.accounting.route(routing)

    def begin(
        self,
        rows: Sequence[dict[str, Any]],
        *,
        request_id: str,
        at: Sequence[float],
        started: float = 0.0,
        pinned: str | None = None,
        shed: bool = False,
        whole: bool = False,
        joined: bool = False,
    ) -> tuple[Batch, list[Ask]]:
        """Admit and assign. `at`: arrival of each row, seconds since the epoch; `started`: monotonic seconds.

        `whole`: one rejected row refuses the others too, before anything is predicted. `joined`: the rows are not one
        client's request, each came alone (it decides what a row's own service time is).

        Raises: LookupError: no routing yet (the caller answers "not ready").
        """
        routing = self._effective
        if routing is None:
            raise LookupError(f"service {self.service.metadata.name} has no release to serve yet")
        if rows:
            self._rate.add(at[0], at[-1], len(rows))
        admission = admit(self._checker, rows)
        key = self.service.data.key
        names = [request_id if key is None or row.get(key) is None else str(row[key]) for row in rows]
        salt, weight = routing.salt, routing.weight if routing.candidate else 0
        hashes = [unit_hash(salt, name) for name in names]
        arms: list[ArmName | None] = ["candidate" if to_candidate(h, weight) else "champion" for h in hashes]
        refused = whole and admission.rejected > 0
        for place, verdict in enumerate(admission.verdicts):
            if refused or (verdict is not None and verdict.verdict == "reject"):
                arms[place] = None
        batch = Batch(
            routing=routing,
            step_key=self.accounting.step_key,
            rows=rows,
            ids=self._ids.issue(at),
            at=at,
            started=started,
            units=names,
            hashes=hashes,
            verdicts=admission.verdicts,
            arms=arms,
            pinned=pinned,
            shed=shed,
            joined=joined,
        )
        if shed:
            return batch, []
        if pinned is None:
            for hashed, arm, verdict in zip(hashes, arms, admission.verdicts, strict=True):
                if arm is not None and verdict is None:
                    self.accounting.assigned(arm == "candidate", hashed)
        return batch, first_asks(batch)

    def take(self, batch: Batch, ask: Ask, reply: ArmReply | Failure) -> None:
        """The reply of an arm or stand-in; a reply of the wrong length is none."""
        if isinstance(reply, ArmReply) and len(reply.answers) != len(ask.places):
            message = f"{len(reply.answers)} answers to {len(ask.places)} rows"
            reply = Failure(reason="invalid", message=message)
        answers: Sequence[Answer | Failure] = (
            reply.answers if isinstance(reply, ArmReply) else (reply,) * len(ask.places)
        )
        own_ms = _own_ms(batch, ask, reply)
        standing_in = ask.role == "fallback"
        for place, given in zip(ask.places, answers, strict=True):
            answer = outcome.valid(given)
            if not standing_in:
                batch.own[place] = answer
                batch.own_ms[place] = own_ms
            if isinstance(answer, Answer) and batch.final[place] is None:
                batch.final[place] = answer
                batch.fallback[place] = PREVIOUS if standing_in else None
                batch.answered_by[place] = ask.release

    def stand_ins(self, batch: Batch) -> list[Ask]:
        """The next releases to ask for rows without an answer; each is asked once. Empty: the rest is `finish`'s."""
        if batch.shed or batch.pinned is not None or all(answer is not None for answer in batch.final):
            return []
        wanted: dict[str, list[int]] = {}
        for place, (arm, final) in enumerate(zip(batch.arms, batch.final, strict=True)):
            if arm is None or final is not None:
                continue
            for root in stand_ins(self.service.serving, batch.routing, arm):
                if (place, root) not in batch.asked:
                    batch.asked.add((place, root))
                    wanted.setdefault(root, []).append(place)
                    break
        return [ask_for(batch, root, "fallback", places) for root, places in wanted.items()]

    def finish(self, batch: Batch, *, ended: float) -> list[PredictionRecord]:
        """One record a row, in order, counted in the running step. `ended`: monotonic seconds."""
        counted = batch.pinned is None and batch.step_key == self.accounting.step_key
        latency_ms = (ended - batch.started) * 1000.0
        records = [self._recorder.record(batch, place, latency_ms) for place in range(len(batch))]
        if counted:
            count = self.accounting.row
            for record, hashed in zip(records, batch.hashes, strict=True):
                if record.outcome in ASKED:
                    failed = outcome.failed_answer(record.outcome)
                    count(record.arm == "candidate", hashed, record.error, record.slow, failed, record.at)
        return records

    def shadow(self, batch: Batch) -> Ask | None:
        """The rows to mirror to the candidate, after the answer has gone."""
        routing = batch.routing
        if routing.candidate is None or routing.shadow <= 0.0 or batch.shed or batch.pinned is not None:
            return None
        share = 1.0 if self._rate.rps < QUIET_RPS else routing.shadow
        places = [
            place
            for place, (arm, verdict) in enumerate(zip(batch.arms, batch.verdicts, strict=True))
            if arm == "champion" and verdict is None and mirrored(routing.salt, batch.ids[place], share)
        ]
        return ask_for(batch, routing.candidate, "shadow", places) if places else None

    def shadow_done(self, batch: Batch, ask: Ask, reply: ArmReply | Failure) -> list[ShadowRecord]:
        """What the shadow said, counted beside what the champion said about the same rows."""
        whole = isinstance(reply, ArmReply) and len(reply.answers) == len(ask.places)
        answers = reply.answers if isinstance(reply, ArmReply) and whole else (None,) * len(ask.places)
        own_ms = _own_ms(batch, ask, reply)
        counted = batch.step_key == self.accounting.step_key and self._stopped is None
        records = []
        for place, given in zip(ask.places, answers, strict=True):
            answer = outcome.valid(given) if given is not None else None
            record = self._recorder.shadow_record(batch, place, ask.release, answer, own_ms)
            records.append(record)
            if counted:
                own = batch.own[place]
                self.accounting.mirrored(
                    batch.hashes[place],
                    error=record.error,
                    slow=record.slow,
                    champion_error=outcome.error_event(own),
                    champion_slow=outcome.slow_event(own, batch.own_ms[place], self._limit_ms),
                    disagrees=outcome.disagree(own, answer)
                    if isinstance(own, Answer) and isinstance(answer, Answer)
                    else None,
                )
        return records

    def answer(
        self, rows: Sequence[dict[str, Any]], predictors: Mapping[str, Predictor], at: Sequence[float], request_id: str
    ) -> tuple[list[PredictionRecord], list[ShadowRecord]]:
        """The whole way in one call, for worlds that hold the predictors (by release root) in their own process.

        A release that is not among `predictors` is dead. The stay in the gateway is a row's share of the arms' calls:
        where rows are handed in by the hundred, each came alone, and a pause of the machine must not slow them all.
        """
        batch, asks = self.begin(rows, request_id=request_id, at=at, joined=True)
        spent_ms = 0.0
        while asks := asks or self.stand_ins(batch):
            for ask in asks:
                reply = _predict(predictors, ask)
                spent_ms += _own_ms(batch, ask, reply)
                self.take(batch, ask, reply)
            asks = []
        records = self.finish(batch, ended=spent_ms / 1000.0)
        mirror = self.shadow(batch)
        return records, self.shadow_done(batch, mirror, _predict(predictors, mirror)) if mirror else []

    def observe(self) -> Observed:
        """What a controller sees of this service."""
        counts = self.accounting.counts(self._ordered) if self._ordered else None
        return Observed(routing=self._effective, counts=counts, stopped=self._stopped)

    def ask_judge(self, judge: Judge, *, at: float) -> Stopped | None:
        """Stop the candidate if the judge says so: the one decision a gateway takes by itself. None: go on."""
        ordered = self._ordered
        if ordered is None or self._stopped is not None or ordered.candidate is None or ordered.guardrails is None:
            return None
        counts = self.accounting.counts(ordered)
        verdict = judge(ordered, counts)
        stopped = stopped_by(verdict, ordered, counts, at=at, first=self.accounting.first_candidate_at())
        if stopped is not None:
            self._stopped = stopped
            self._effective = effective(ordered, stopped)
        return stopped


def _own_ms(batch: Batch, ask: Ask, reply: ArmReply | Failure) -> float:
    if isinstance(reply, Failure):
        return 0.0
    return outcome.own_service_ms(reply.service_ms, len(ask.places), joined=batch.joined)


def _predict(predictors: Mapping[str, Predictor], ask: Ask) -> ArmReply | Failure:
    predictor = predictors.get(ask.release)
    if predictor is None:
        return Failure(reason="dead", message=f"release {ask.release} is not loaded")
    return predictor.predict(ask.rows)
