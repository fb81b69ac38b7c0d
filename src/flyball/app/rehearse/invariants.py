"""What must never happen, asked after every step of a rehearsal by code that shares nothing with planner or check.

Each invariant keeps what it needs itself, from the ledger's facts in their order, from what was done in the world, and
from how the world stands. It answers with what is wrong, in words.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from flyball.app.rehearse.witness import Effect, Stand
from flyball.core import events as e
from flyball.core.declared.guardrails import NO_LIMIT
from flyball.core.ledger import Entry
from flyball.core.routing import Routing
from flyball.core.service import Service

BAD_RATIO: Final = 10.0
MOST_ERRORS: Final = 40  # of a release that bad, at the declared bound (SEMANTICS, Simulator)
BOUND_ALPHA, BOUND_RATIO, BOUND_WEIGHT = 0.05, 2.0, 0.5  # for which that holds: with more weight an error says less
WEEK: Final = timedelta(days=7)
MOST_RETRAINS: Final = 7  # a week, whatever drifts


class Invariant:
    """One promise. What it is shown it may answer with complaints."""

    name = ""

    def entry(self, entry: Entry) -> Iterator[str]:  # noqa: ARG002 -- most look at some of the three only
        """The next line of the ledger."""
        yield from ()

    def effect(self, effect: Effect) -> Iterator[str]:  # noqa: ARG002 -- as above
        """Something was done."""
        yield from ()

    def stand(self, stand: Stand) -> Iterator[str]:  # noqa: ARG002 -- as above
        """The step is over."""
        yield from ()


class Exposure(Invariant):
    """A release that is ten times worse errs at most 40 times before its weight is 0; none more than `max_errors`."""

    name = "exposure"

    def __init__(self, service: Service, error_ratio: Callable[[str], float]) -> None:
        """`error_ratio`: what a release was declared to be, as nobody in the world can know."""
        rails = service.rollout.guardrails
        self._ratio, soaks = error_ratio, any(step.soak for step in service.rollout.steps)
        self._most = NO_LIMIT if soaks else rails.max_errors
        most = max((step.canary.weight for step in service.rollout.steps if step.canary), default=0.0)
        declared = rails.alpha >= BOUND_ALPHA and rails.errors.ratio == BOUND_RATIO and most <= BOUND_WEIGHT
        self._most_of_bad = min(MOST_ERRORS if declared else rails.max_errors, rails.max_errors)

    def entry(self, entry: Entry) -> Iterator[str]:
        if isinstance(fact := entry.fact, e.ChampionAppointed) and fact.rollout is not None and self._bad(fact.release):
            yield f"{fact.release}, {self._ratio(fact.release):g} times the error rate, was promoted"

    def stand(self, stand: Stand) -> Iterator[str]:
        for release, errors in stand.errors.items():
            most = self._most_of_bad if self._bad(release) else self._most
            if errors > most:
                yield f"{release}, {self._ratio(release):g} times the error rate, erred more than {most} times"

    def _bad(self, release: str) -> bool:
        return self._ratio(release) >= BAD_RATIO


class OneChampion(Invariant):
    """Who serves is one release: on the ledger, in the orders, and in the answers."""

    name = "one champion"

    def __init__(self) -> None:
        self._champion: str | None = None
        self._previous: str | None = None
        self._rollout: str | None = None
        self._candidate: str | None = None  # of the rollout
        self._orders: dict[int, Routing] = {}

    def entry(self, entry: Entry) -> Iterator[str]:
        fact = entry.fact
        match fact:
            case e.ChampionAppointed():
                if fact.previous != self._champion:
                    yield f"{fact.release} follows {fact.previous}, but {self._champion} serves"
                self._champion, self._previous = fact.release, self._champion
            case e.RolloutOpened():
                if self._rollout is not None:
                    yield f"rollout {fact.rollout} was opened beside {self._rollout}"
                self._rollout, self._candidate = fact.rollout, fact.release
            case e.RolloutClosed():
                self._rollout = None
            case e.StepStarted() | e.RoutingOrdered():
                known = self._orders.setdefault(fact.routing.epoch, fact.routing)
                if known != fact.routing:
                    yield f"epoch {fact.routing.epoch} was ordered twice, each time another table"
                if fact.routing.champion not in self._able(fact):
                    yield f"epoch {fact.routing.epoch} makes {fact.routing.champion} champion, who is none"
            case _:
                return

    def stand(self, stand: Stand) -> Iterator[str]:
        for epoch, release in stand.champions:
            ordered = self._orders.get(epoch)
            if ordered is None or ordered.champion != release:
                said = "nobody" if ordered is None else ordered.champion
                yield f"{release} answered as champion in epoch {epoch}, whose champion is {said}"

    def _able(self, fact: e.StepStarted | e.RoutingOrdered) -> tuple[str | None, ...]:
        """Who may be champion of this table: the one that serves; its last step makes the candidate one; and back."""
        if isinstance(fact, e.RoutingOrdered):
            return self._champion, self._previous
        return (self._candidate,) if fact.kind == "promote" else (self._champion,)


class WarmTarget(Invariant):
    """There is a release to go back to, and it could answer now."""

    name = "rollback target"

    def __init__(self) -> None:
        self._served: set[str] = set()
        self._back: set[str] = set()  # brought back by a person: not backed up by what they were brought back from

    def entry(self, entry: Entry) -> Iterator[str]:
        match entry.fact:
            case e.ChampionAppointed(release=release):
                (self._back if release in self._served else self._served).add(release)
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                others = self._served - {routing.champion}
                if others and routing.previous is None and routing.champion not in self._back:
                    yield f"epoch {routing.epoch} names no release to go back to"
            case _:
                return

    def stand(self, stand: Stand) -> Iterator[str]:
        routing = stand.routing
        if routing is None:
            return
        for role, release in (("champion", routing.champion), ("previous release", routing.previous)):
            if release is not None and release not in stand.warm:
                yield f"the {role} {release} of epoch {routing.epoch} could not answer"


class Intent(Invariant):
    """Nothing is done that is not on the ledger as something to be done."""

    name = "intent"

    def __init__(self) -> None:
        self._orders: dict[int, Routing] = {}
        self._trainings: set[str] = set()

    def entry(self, entry: Entry) -> Iterator[str]:
        match entry.fact:
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                self._orders[routing.epoch] = routing
            case e.RetrainOrdered(key=key):
                self._trainings.add(key)
            case e.RoutingApplied(epoch=epoch) if epoch not in self._orders:
                yield f"epoch {epoch} is in force and was never ordered"
            case _:
                return

    def effect(self, effect: Effect) -> Iterator[str]:
        if effect.kind == "train":
            if effect.key not in self._trainings:
                yield f"training {effect.key} began without an order"
            return
        assert effect.routing is not None
        ordered = self._orders.get(effect.routing.epoch)
        if ordered != effect.routing:
            yield f"the gateway took a table for epoch {effect.routing.epoch} that is not the one on the ledger"
        if effect.kind == "stop" and (ordered is None or ordered.guardrails is None):
            yield f"the gateway stopped rollout {effect.key} without the authority to"


class Survival(Invariant):
    """What was acknowledged is there, where it was and as it was; every row received is written or counted as lost."""

    name = "survival"

    def __init__(self) -> None:
        self._acknowledged: dict[int, str] = {}  # seq -> hash
        self._read: list[str] = []  # hashes, in order

    def acknowledged(self, entries: Sequence[Entry]) -> None:
        """The ledger told its author so."""
        self._acknowledged |= {entry.seq: entry.hash for entry in entries}

    def entry(self, entry: Entry) -> Iterator[str]:
        before = self._read[-1] if self._read else "0" * 64
        if entry.seq != len(self._read) + 1 or entry.prev_hash != before:
            yield f"entry {entry.seq} does not follow entry {len(self._read)}"
        self._read.append(entry.hash)
        told = self._acknowledged.get(entry.seq)
        if told is not None and told != entry.hash:
            yield f"entry {entry.seq} is another than the one that was acknowledged"

    def stand(self, stand: Stand) -> Iterator[str]:
        if self._acknowledged and max(self._acknowledged) > len(self._read):
            yield f"entry {max(self._acknowledged)} was acknowledged and is not there"
        if stand.received != stand.written + stand.dropped:
            yield f"{stand.received} rows received, {stand.written} written, {stand.dropped} dropped"

    def whole(self, entries: Sequence[Entry]) -> Iterator[str]:
        """The ledger read from its beginning once more."""
        if [entry.hash for entry in entries] != self._read:
            yield "the ledger read again is another than the one that was read before"


class NoOscillation(Invariant):
    """Promotions and retrainings a week are bounded, and no release comes back by itself."""

    name = "oscillation"

    def __init__(self, service: Service, now_s: Callable[[], float]) -> None:
        """`now_s`: since the beginning. The wall clock may be corrected between two trainings, and the loop knows no
        other: they are too close only where both say so."""
        self._dead = timedelta(seconds=max(service.retrain.cooldown_s, service.data.label_window_s))
        self._now_s = now_s
        self._orders: list[tuple[datetime, timedelta, str]] = []  # of trainings: by both clocks, and by whom
        self._closed: dict[str, str] = {}  # release -> how its rollout ended for good
        self._promoted: dict[str, int] = defaultdict(int)
        self._of: dict[str, str] = {}  # rollout -> release

    def entry(self, entry: Entry) -> Iterator[str]:
        at, fact = datetime.fromisoformat(entry.at), entry.fact
        match fact:
            case e.RetrainOrdered():
                yield from self._ordered(at, fact)
            case e.RolloutOpened(release=release, rollout=rollout):
                self._of[rollout] = release
                if ended := self._closed.get(release):
                    yield f"{release} was {ended} and is rolled out again"
            case e.RolloutClosed(again=False, rollout=rollout, outcome=outcome):
                self._closed[self._of[rollout]] = outcome
            case e.ChampionAppointed(rollout=str(), release=release):
                self._promoted[release] += 1
                if self._promoted[release] > 1:
                    yield f"{release} was promoted {self._promoted[release]} times"
            case _:
                return

    def _ordered(self, at: datetime, fact: e.RetrainOrdered) -> Iterator[str]:
        since = timedelta(seconds=self._now_s())
        apart = [(max(at - when, since - then), by) for when, then, by in self._orders]
        alone = [gap for gap, by in apart if by == "policy"]
        if fact.by == "policy" and alone and alone[-1] < self._dead:
            yield f"a training was ordered {alone[-1].total_seconds():g} s after another one"
        self._orders.append((at, since, fact.by))
        of_week = 1 + sum(gap < WEEK for gap, _ in apart)
        if of_week > MOST_RETRAINS:
            yield f"{of_week} trainings were ordered within a week"
