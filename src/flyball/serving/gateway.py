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
from flyball.core.ids import ReleaseRoot
from flyball.core.ports import Judge
from flyball.core.prediction import Answer, ArmName, ArmReply, Failure, PredictionRecord, Predictor, ShadowRecord
from flyball.core.routing import Observed, Routing, Stopped
from flyball.core.service import Service
from flyball.serving import outcome
from flyball.serving.admit import admit
from flyball.serving.batch import Ask, Batch, ask_for, asked, first_asks, own_ms
from flyball.serving.counting import counted
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.judged import JudgedCounts
from flyball.serving.identity import PredictionIds
from flyball.serving.protocols.terms import PLAIN, Terms
from flyball.serving.rate import Rate
from flyball.serving.records import Recorder, Redact
from flyball.serving.resilience.answer_cache import AnswerCache
from flyball.serving.resilience.class_share import ClassShare
from flyball.serving.resilience.fallback import PREVIOUS, may_answer, next_stand_ins
from flyball.serving.resilience.filters import Filters, Marks, Verdicts
from flyball.serving.resilience.last_links import last_links
from flyball.serving.routing.assign import unit_hash
from flyball.serving.routing.in_force import InForce
from flyball.serving.routing.placing import Placing
from flyball.serving.routing.stopping import told_to_stop
from flyball.serving.routing.units import units_of

QUIET_RPS = 10.0  # below this many rows a second, all workers together, everything is mirrored


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
        kinds: Mapping[str, str] | None = None,
        cache: AnswerCache | None = None,
        workers: int = 1,
        shares: Mapping[str, ClassShare] | None = None,
    ) -> None:
        """`redact` makes of a row what is written of it; `hide_unit` of a unit, where the key is personal.
        `kinds`: of the columns, for the rules of the fallback chain. `cache`: None where none is declared.
        `workers`: that share the rows. `shares`: of the filters by rate, where all workers share them.
        """
        self.service = service
        self._checker, self.accounting, self._ids = checker, accounting, ids
        self.workers, self._quiet_rps = workers, QUIET_RPS / workers
        self._table, self._judged = InForce(), JudgedCounts([accounting.slot], accounting.counts)
        self.relieving = self._table.relieving
        self.room: Callable[[ReleaseRoot], bool] = lambda _: True  # whether a release may be asked about caught rows
        self._rate, self._placing = Rate(), Placing(service.routing)
        self._limit_ms, self._cache = service.serving.objectives.latency_p99_ms, cache
        self.links = links = last_links(service.serving, kinds or {}, cache)
        self._recorder = Recorder(redact, hide_unit, links, service.serving)
        self.filters = Filters(service.serving.filters, kinds or {}, links, shares) if service.serving.filters else None

    @property
    def routing(self) -> Routing | None:
        """In force: as ordered, with weight and shadow at 0 once the gateway has stopped the candidate, and without
        the buckets of arms that it has stopped."""
        return self._table.routing

    @property
    def rate_rps(self) -> float:
        """Rows that arrive a second."""
        return self._rate.rps

    @property
    def stopped(self) -> Stopped | None:
        """What the gateway has done by itself in the rollout of this routing."""
        return self._table.stopped

    def route(self, routing: Routing, stopped: Stopped | None = None) -> None:
        """Go by this table from the next batch on. A rollout that was stopped never gets weight again."""
        self._table.order(routing, stopped)
        self.accounting.route(self._table.counted or routing)

    def begin(
        self,
        rows: Sequence[dict[str, Any]],
        *,
        request_id: str | Sequence[str],
        at: Sequence[float],
        started: float = 0.0,
        pinned: str | None = None,
        shed: bool = False,
        whole: bool = False,
        joined: bool = False,
        terms: Terms = PLAIN,
        accepted: bool = False,
    ) -> tuple[Batch, list[Ask]]:
        """Admit and assign. `at`: arrival of each row, seconds since the epoch; `started`: monotonic seconds.

        `whole`: one row that nobody may answer refuses the others too, before anything is predicted. `joined`: the rows
        are not one client's request, each came alone (it decides what a row's own service time is); then `request_id`
        may name each. `accepted`: the contract has been asked already and accepts them all.

        Raises: LookupError: no routing yet (the caller answers "not ready"). BadInput: a choice that nobody offers.
        """
        routing = self._table.routing
        if routing is None:
            raise LookupError(f"service {self.service.metadata.name} has no release to serve yet")
        if rows:
            self._rate.add(at[0], at[-1], len(rows))
        verdicts: Verdicts = (None,) * len(rows) if accepted else admit(self._checker, rows).verdicts
        marks: Marks = {}
        if self.filters is not None:
            rows, verdicts, marks = self.filters.before(rows, verdicts)
        names = units_of(rows, self.service.data.key, request_id)
        salt, weight = routing.salt, routing.weight if routing.candidate else 0
        hashes = [unit_hash(salt, name) for name in names]
        placed = self._placing.places(rows, terms.headers)
        arms = self._placing.arms(hashes, weight, placed, chosen=terms.arm, routing=routing, owners=self._table.owners)
        unanswerable = [
            place
            for place, (verdict, arm) in enumerate(zip(verdicts, arms, strict=True))
            if verdict is not None and not may_answer(verdict, self.service.serving, routing, arm, pinned)
        ]
        for place in range(len(rows)) if whole and unanswerable else unanswerable:
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
            verdicts=verdicts,
            arms=arms,
            pinned=pinned,
            shed=shed,
            joined=joined,
            placed=placed,
            marks=marks,
            relief=self._table.relieving.at(at),
            excluded=terms.probe or terms.arm is not None,
        )
        if shed:
            return batch, []
        counted.assigned(self.accounting, batch)
        asks = first_asks(batch)
        if self._cache is not None and self._cache.answers:
            for ask, answers in self._cache.answered(batch, asks):
                self.take(batch, ask, ArmReply(answers=answers, service_ms=0.0))
        return batch, asks

    def arms_of(self, rows: Sequence[dict[str, Any]], request_id: Sequence[str]) -> list[ArmName | None]:
        """The arm that each row would be assigned to now, where its request says nothing about itself."""
        routing = self._table.routing
        if routing is None or (self._table.owners is None and (routing.candidate is None or not routing.weight)):
            return ["champion"] * len(rows)
        hashes = [unit_hash(routing.salt, unit) for unit in units_of(rows, self.service.data.key, request_id)]
        placed = self._placing.places(rows, {})
        weight = routing.weight
        return self._placing.arms(hashes, weight, placed, chosen=None, routing=routing, owners=self._table.owners)

    def turned_away(self, at: Sequence[float]) -> list[str]:
        """The ids of rows that are refused unread."""
        self._rate.add(at[0], at[-1], len(at))
        return self._ids.issue(at)

    def take(self, batch: Batch, ask: Ask, reply: ArmReply | Failure) -> None:
        """The reply of an arm or stand-in; a reply of the wrong length is none."""
        if isinstance(reply, ArmReply) and len(reply.answers) != len(ask.places):
            message = f"{len(reply.answers)} answers to {len(ask.places)} rows"
            reply = Failure(reason="invalid", message=message)
        answers: Sequence[Answer | Failure] = (
            reply.answers if isinstance(reply, ArmReply) else (reply,) * len(ask.places)
        )
        spent_ms = own_ms(batch, ask, reply)
        standing_in = ask.role == "fallback"
        for place, given in zip(ask.places, answers, strict=True):
            answer = outcome.valid(given)
            if not standing_in:
                batch.own[place] = answer
                batch.own_ms[place] = spent_ms
            if isinstance(answer, Answer) and batch.final[place] is None:
                batch.final[place] = answer
                batch.fallback[place] = PREVIOUS if standing_in else None
                batch.answered_by[place] = ask.release

    def stand_ins(self, batch: Batch) -> list[Ask]:
        """The next releases to ask for rows without an answer; each is asked once. Empty: the rest is `finish`'s."""
        wanted: dict[str, list[int]] = {}
        for place, root in self.wanting(batch).items():
            batch.asked.add((place, root))
            wanted.setdefault(root, []).append(place)
        return [ask_for(batch, root, "fallback", places) for root, places in wanted.items()]

    def wanting(self, batch: Batch) -> dict[int, ReleaseRoot]:
        """Places of the rows that `stand_ins` would ask another release about, and which."""
        return next_stand_ins(self.service.serving, batch, self.room)

    def finish(self, batch: Batch, *, ended: float) -> list[PredictionRecord]:
        """One record a row, in order, counted in the running step. `ended`: monotonic seconds."""
        latency_ms = (ended - batch.started) * 1000.0
        if self.filters is not None:
            self.filters.after(batch)
        records = [self._recorder.record(batch, place, latency_ms) for place in range(len(batch))]
        if self._cache is not None:
            self._cache.learn(batch)
        counted.finished(self.accounting, batch, records)
        return records

    def shadow(self, batch: Batch) -> Ask | None:
        """The rows to mirror to the candidate, after the answer has gone."""
        routing = batch.routing
        if routing.candidate is None or routing.shadow <= 0.0 or not self.service.serving.idempotent:
            return None
        places = counted.for_shadow(batch, 1.0 if self._rate.rps < self._quiet_rps else routing.shadow)
        return ask_for(batch, routing.candidate, "shadow", places) if places else None

    def shadow_done(self, batch: Batch, ask: Ask, reply: ArmReply | Failure) -> list[ShadowRecord]:
        """What the shadow said, counted beside what the champion said about the same rows."""
        whole = isinstance(reply, ArmReply) and len(reply.answers) == len(ask.places)
        answers = reply.answers if isinstance(reply, ArmReply) and whole else (None,) * len(ask.places)
        spent_ms = own_ms(batch, ask, reply)
        running = batch.step_key == self.accounting.step_key and self._table.stopped is None
        records = []
        for place, given in zip(ask.places, answers, strict=True):
            answer = outcome.valid(given) if given is not None else None
            record = self._recorder.shadow_record(batch, place, ask.release, answer, spent_ms)
            records.append(record)
            if running:
                own = batch.own[place]
                self.accounting.mirrored(
                    batch.hashes[place],
                    error=record.error,
                    slow=record.slow,
                    champion_error=outcome.error_event(own),
                    champion_slow=outcome.slow_event(own, batch.own_ms[place], self._limit_ms),
                    disagrees=None if record.agrees is None else not record.agrees,
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
                reply = asked(predictors, ask)
                spent_ms += own_ms(batch, ask, reply)
                self.take(batch, ask, reply)
            asks = []
        records = self.finish(batch, ended=spent_ms / 1000.0)
        mirror = self.shadow(batch)
        return records, self.shadow_done(batch, mirror, asked(predictors, mirror)) if mirror else []

    def observe(self) -> Observed:
        """What a controller sees of this service."""
        table = self._table
        counts = self._judged.standing(table.counted) if table.counted else None
        return Observed(routing=table.routing, counts=counts, stopped=table.stopped)

    def ask_judge(self, judge: Judge, *, at: float, turn: Callable[[Routing], None] = lambda _: None) -> Stopped | None:
        """Stop the candidate, or arms of an A/B test, if the judge says so: the one decision a gateway takes by itself.
        None: go on. `turn`: told of the table whose step begins, before it does, where arms go and others go on."""
        table, counts, first = self._table, self._judged.look, self.accounting.first_candidate_at
        if table.ordered is None:
            return None
        stopped = told_to_stop(judge, table.ordered, table.stopped, counts=counts, first=lambda _: first(), at=at)
        if stopped is not None:
            table.stop(stopped)
            if stopped.arms and table.counted is not None:
                turn(table.counted)
                self.accounting.route(table.counted)
        return stopped
