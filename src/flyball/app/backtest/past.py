"""What a ledger says of one service, told apart: what the policy decided, and what the world did.

A backtest decides anew, so tickets, orders of trainings, signals and quality incidents of the record are not facts for
it. Releases, gates, rollouts, freezes, messages and what people did are: nobody knows how they would have been.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Literal

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.routing import Routing, StepCounts, Verdict
from flyball.core.watching import APART

BY_HAND = ("manual", "first")  # tickets that no policy opened


class PastTicket(Record):
    """A retraining that the record wanted."""

    ticket: str
    reason: str
    row: int
    opened_at: str
    since_row: int  # where the signals that opened it began
    ordered_at: str | None = None
    by_policy: bool = True  # who ordered it
    closed_at: str | None = None
    outcome: Literal["promoted", "no_gain", "failed", "dismissed"] | None = None
    run: str = ""  # its newest training
    spent: "Spent | None" = None  # by all its trainings; None: no end of one is on record


class Spent(Record):
    """What trainings took."""

    seconds: float  # wall time of the machine
    cost: float | None  # in the unit of experiment.limits.cost_per_hour; None: no price was declared

    def plus(self, other: "Spent | None") -> "Spent":
        if other is None:
            return self
        cost = None if self.cost is None or other.cost is None else self.cost + other.cost
        return Spent(seconds=self.seconds + other.seconds, cost=cost)


class PastJudgement(Record):
    """Counts of a running step on which somebody decided."""

    at: str
    step: int
    started_at: str
    routing: Routing
    verdict: Verdict
    counts: StepCounts | None


class PastRollout(Record):
    """A rollout that the record had."""

    rollout: str
    release: str
    opened_at: str
    judged: tuple[PastJudgement, ...] = ()
    closed_at: str | None = None
    outcome: str | None = None  # promoted, rolled_back, rejected, expired


class Past(Record):
    """The record of one service."""

    service: str
    entries: tuple[Entry, ...] = ()  # what no policy decides, and where the record moved a ticket, in order
    tickets: tuple[PastTicket, ...] = ()
    rollouts: tuple[PastRollout, ...] = ()
    incidents: tuple[e.IncidentOpened, ...] = ()
    trainings: tuple[Spent, ...] = ()  # of its retrainings

    @property
    def mean_training(self) -> Spent | None:
        """What a retraining of the record took on average; None: no end of one is on record."""
        if not self.trainings:
            return None
        costs = [one.cost for one in self.trainings if one.cost is not None]
        seconds = sum(one.seconds for one in self.trainings) / len(self.trainings)
        return Spent(seconds=seconds, cost=sum(costs) / len(costs) if costs else None)


def past(service: str, entries: Iterable[Entry]) -> Past:
    """Fold the facts of one service, in order."""
    reader = _Reader()
    for entry in entries:
        if entry.subject == service:
            reader.take(entry)
    return Past(
        service=service,
        entries=tuple(reader.entries),
        tickets=tuple(reader.tickets.values()),
        rollouts=tuple(reader.rollouts.values()),
        incidents=tuple(reader.incidents),
        trainings=tuple(reader.trainings),
    )


def moves(fact: e.AnyFact, tickets: Container[str]) -> bool:
    """Whether the record's own planner opened, ordered or closed one of these tickets here."""
    match fact:
        case e.TicketOpened(ticket=ticket) | e.RetrainOrdered(ticket=ticket) | e.TicketClosed(ticket=ticket):
            return ticket in tickets
        case _:
            return False


class _Reader:
    """One pass over the facts."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.tickets: dict[str, PastTicket] = {}
        self.rollouts: dict[str, PastRollout] = {}
        self.incidents: list[e.IncidentOpened] = []
        self.trainings: list[Spent] = []
        self._started: dict[tuple[str, int], tuple[str, Routing]] = {}

    def take(self, entry: Entry) -> None:
        self._notice(entry)
        if not self._decided(entry.fact) or moves(entry.fact, self.tickets):
            self.entries.append(entry)

    def _decided(self, fact: e.AnyFact) -> bool:
        """Whether a policy did it: those facts are made anew."""
        match fact:
            case e.TicketOpened(reason=reason):
                return reason not in BY_HAND
            case e.RetrainOrdered(ticket=ticket) | e.TicketClosed(ticket=ticket):
                return ticket in self.tickets
            case e.SignalRaised(signal=signal):
                return signal.signal not in APART
            case e.SignalCleared(signal=kind):
                return kind not in APART
            case e.IncidentClosed(how="new_normal"):
                return True
            case e.IncidentClosed(how="recovered", incident=name):
                return any(opened.incident == name for opened in self.incidents)
            case e.RunFinished(reason=reason):
                return reason not in BY_HAND
            case e.IncidentOpened(kind=kind):
                return kind == "data_quality"
            case e.DiagnosisMade() | e.DecisionTaken():
                return True
            case _:
                return False

    def _notice(self, entry: Entry) -> None:
        match entry.fact:
            case e.TicketOpened(reason=reason) as opened if reason not in BY_HAND:
                self.tickets[opened.ticket] = PastTicket(
                    ticket=opened.ticket,
                    reason=reason,
                    row=opened.row,
                    opened_at=entry.at,
                    since_row=min((signal.first_row for signal in opened.evidence), default=opened.row),
                )
            case e.RetrainOrdered(ticket=name, proof=proof) if name in self.tickets:
                known = self.tickets[name]
                self.tickets[name] = replace(known, ordered_at=entry.at, by_policy=proof == "policy")
            case e.TicketClosed(ticket=name, outcome=outcome) if name in self.tickets:
                self.tickets[name] = replace(self.tickets[name], closed_at=entry.at, outcome=outcome)
            case e.IncidentOpened(kind="data_quality") as incident:
                self.incidents.append(incident)
            case e.TrainingStarted(ticket=name, run=run) if name in self.tickets:
                self.tickets[name] = replace(self.tickets[name], run=run)
            case e.RunFinished(reason=reason, run=run, use=use, cost=cost) if reason != "first":
                self._spent(run, Spent(seconds=use.seconds, cost=cost))
            case _:
                self._rollout(entry)

    def _spent(self, run: str, spent: Spent) -> None:
        self.trainings.append(spent)
        for name, ticket in self.tickets.items():
            if ticket.run == run and run:
                self.tickets[name] = replace(ticket, spent=spent.plus(ticket.spent))

    def _rollout(self, entry: Entry) -> None:
        match entry.fact:
            case e.RolloutOpened(drill="") as opened:  # what a drill tried is no release
                self.rollouts[opened.rollout] = PastRollout(
                    rollout=opened.rollout, release=opened.release, opened_at=entry.at
                )
            case e.StepStarted() as begun:
                at, _ = self._started.get((begun.rollout, begun.step), (entry.at, None))  # other shares keep the clock
                self._started[begun.rollout, begun.step] = at, begun.routing
            case e.StepJudged() as judged:
                self._judged(judged.rollout, judged.step, entry.at, judged.verdict, judged.counts)
            case e.RolledBack(counts=counts) as back if back.rollout in self.rollouts:
                step = counts.step if counts is not None and counts.step is not None else self._newest(back.rollout)
                self._judged(back.rollout, step, entry.at, back.verdict, counts)
            case e.RolloutClosed() as closed if closed.rollout in self.rollouts:
                known = self.rollouts[closed.rollout]
                self.rollouts[closed.rollout] = replace(known, closed_at=entry.at, outcome=closed.outcome)
            case _:
                pass

    def _newest(self, rollout: str) -> int:
        return max((step for known, step in self._started if known == rollout), default=0)

    def _judged(self, rollout: str, step: int, at: str, verdict: Verdict, counts: StepCounts | None) -> None:
        started: Mapping[tuple[str, int], tuple[str, Routing]] = self._started
        if rollout not in self.rollouts or (rollout, step) not in started:
            return
        began, routing = started[rollout, step]
        judgement = PastJudgement(at=at, step=step, started_at=began, routing=routing, verdict=verdict, counts=counts)
        known = self.rollouts[rollout]
        self.rollouts[rollout] = replace(known, judged=(*known.judged, judgement))
