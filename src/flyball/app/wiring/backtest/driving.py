"""One policy through the recorded past: the production sensor looks, the production planner decides.

Theory of operation. Time goes in ticks: a stretch of sealed rows, perhaps with a window that it completes. What the
world did by then is folded into the state as it stood on the ledger; where the record has a decision of its own, the
planner is asked at that very place, before what followed from it is folded. So the recorded policy meets its own past
again and decides the same.

Another policy sooner or later asks for a training that the record does not have, or lets one pass that it has. From
there on nobody knows the releases it would have had: the windows go on as they were recorded, the training counts as
ended after the record's median time, neither a gain nor none, and the course says from which row on that is so.
"""

from collections.abc import Sequence
from statistics import median

from msgspec.structs import replace

from flyball.app.backtest.course import Alarm, AlarmKind, Course, Divergence, Ticket
from flyball.app.backtest.past import Past, PastTicket, moves
from flyball.app.wiring.backtest.hearing import Feed, Overheard
from flyball.control.decision import Learning, Situation, elapsed_s
from flyball.control.reconcile import TelemetrySensor
from flyball.control.reconcile.sensing import Watching
from flyball.control.retraining import ordered, plan_retraining
from flyball.control.state.fold import fold
from flyball.control.state.rollout_state import RolloutState, advanced
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ids import ServiceName
from flyball.core.ledger import Entry
from flyball.core.ports import Segment
from flyball.core.record import Record
from flyball.core.service import Service
from flyball.core.watching import APART

MOST_MOVES = 20  # of one tick, as in the loop
PERSON = "assumed person"


class Tick(Record):
    """A stretch of rows that was sealed, and the moment when the controller looked at it."""

    segment: Segment
    now: str  # RFC 3339
    whole: bool = True  # False: no window ends here, so it need not be looked at where nothing waits


class Driver:
    """Feeds one policy; `course` is what came of it."""

    def __init__(
        self, service: Service, past: Past, watching: Watching, *, window_s: float, by_rows: bool = False
    ) -> None:
        """Args:
        window_s: how long a window of the record took; decisions that lie closer together are the same.
        by_rows: the ticks hold the rows themselves, so the arms of a rollout can be told apart.
        """
        self._service, self._past, self._window_s = service, past, window_s
        self._watching, self._by_rows = Overheard(watching), by_rows
        self._feed = Feed()
        self._sensor = TelemetrySensor(service, self._feed, self._watching)
        self._state = ServiceState(service=past.service)
        self._entries, self._place = past.entries, 0
        self._times = [moment(entry.at) for entry in past.entries]
        self._known = {ticket.ticket for ticket in past.tickets}
        self._mine = ""  # name of its own open ticket
        self._tickets: list[Ticket] = []
        self._same: dict[int, PastTicket] = {}  # place in `_tickets` -> the record's own
        self._alarms: list[Alarm] = []
        self._standing: dict[AlarmKind, int] = {}
        self._left: Divergence | None = None
        self._pending = True
        self._row, self._now = 0, ""
        took = [
            elapsed_s(one.ordered_at, one.closed_at)
            for one in past.tickets
            if one.ordered_at is not None and one.closed_at is not None
        ]
        self._training_s = median(took) if took else 0.0

    def tick(self, tick: Tick) -> None:
        """What was sealed, what happened, and what the policy makes of it."""
        self._now, pane = tick.now, tick.segment.pane
        due = self._due()
        if not tick.whole and not due and not self._pending:
            return
        self._row = max(self._row, pane.last_row)
        self._feed.segments.append(tick.segment)
        if self._by_rows:
            self._watching.follow(self._running(due, pane.end))
        self._fold(*self._look().facts)  # the record's own tick wrote what it saw before it did anything else
        for entry in due:
            if moves(entry.fact, self._known):
                self._plan()
            else:
                self._state = fold(self._state, replace(entry, seq=self._state.version + 1))
        learning = self._plan()
        self._notice(learning)
        self._missed()
        waits = self._state.ticket is not None or learning.fired is not None or bool(self._state.asked)
        self._pending = waits or self._service.retrain.schedule is not None

    def course(self, *, guessed: int = 0) -> Course:
        """After the last tick."""
        reports = self._watching.reports
        return Course(
            alarms=tuple(self._alarms),
            tickets=tuple(self._tickets),
            reports=tuple(reports),
            last_row=self._row,
            left=self._left,
            trials=tuple(self._watching.trials) if self._by_rows else None,
            guessed=guessed,
        )

    def _due(self) -> list[Entry]:
        begin, now = self._place, moment(self._now)
        while self._place < len(self._entries) and self._times[self._place] <= now:
            self._place += 1
        return list(self._entries[begin : self._place])

    def _running(self, due: Sequence[Entry], until: float) -> RolloutState | None:
        """The record's rollout when a pane was sealed: a step of it that began within the pane has rows there."""
        rollout = self._state.rollout
        for entry in due:
            if moment(entry.at).timestamp() < until:  # what was decided at its end had seen it
                rollout = advanced(rollout, entry.fact, entry.at)
        return rollout

    def _look(self) -> "_Look":
        seen = self._sensor.look(self._state, self._now)
        facts = [fact for fact in seen.watched if not _apart(fact)]
        return _Look(learning=seen.learning, facts=tuple(facts))

    def _plan(self) -> Learning:
        """Move until nothing moves any more; returns what the windows say in the end."""
        look = self._look()
        for _ in range(MOST_MOVES):
            self._end()
            if look.facts:
                self._fold(*look.facts)
            elif not self._decide(look.learning):
                break
            look = self._look()
        return look.learning

    def _decide(self, learning: Learning) -> bool:
        """One decision of the production planner; whether it changed anything."""
        if self._state.frozen is not None:
            return False
        ticket = self._state.ticket
        if ticket is not None and (ticket.ordered is not None or ticket.ticket != self._mine):
            return False  # it is trained, or a person's own
        service, person = self._service, self._service.autonomy.retrain in ("suggest", "approval")
        if ticket is not None and person:  # does anything but the person lack?
            service = replace(service, autonomy=replace(service.autonomy, retrain="auto"))
        decision = plan_retraining(Situation(state=self._state, service=service, now=self._now, learning=learning))
        if decision is None or not decision.facts:
            return False
        if ticket is not None and person and any(isinstance(fact, e.RetrainOrdered) for fact in decision.facts):
            if not self._person_says_yes():
                return False
            decision = ordered(self._state, ticket, by=PERSON, proof="simulated")
        for fact in decision.facts:
            self._fold(fact)
            self._book(fact)
        return True

    def _person_says_yes(self) -> bool:
        """As the record's person did, when they did; of a ticket that the record does not have, at once."""
        same = self._same.get(len(self._tickets) - 1)
        if same is None or (same.by_policy and same.ordered_at is not None):
            return True
        return same.ordered_at is not None and same.ordered_at <= self._now

    def _fold(self, *facts: e.AnyFact) -> None:
        for fact in facts:
            seq = self._state.version + 1
            entry = Entry(seq=seq, at=self._now, type="", subject=self._state.service, fact=fact, prev_hash="", hash="")
            self._state = fold(self._state, entry)

    def _book(self, fact: e.AnyFact) -> None:
        """Write down what the policy did."""
        place = len(self._tickets) - 1
        match fact:
            case e.TicketOpened():
                self._mine = fact.ticket
                self._tickets.append(Ticket(row=fact.row, at=self._now, reason=fact.reason, kind=fact.diagnosis.kind))
                same = self._twin(self._tickets[-1])
                if same is not None:
                    self._same[place + 1] = same
                    self._tickets[-1] = replace(self._tickets[-1], as_recorded=True)
            case e.RetrainOrdered():
                same = self._same.get(place)
                if same is None or same.ordered_at is None or self._apart_s(same.ordered_at) >= self._window_s:
                    self._same.pop(place, None)
                    same = None
                    self._leave(f"it asks for a training ({fact.reason}) that the record does not have")
                self._order(place, same)
            case e.TicketClosed(outcome=outcome):
                ended = None if self._tickets[place].ordered_row is None else self._row
                self._tickets[place] = replace(self._tickets[place], outcome=outcome, ended_row=ended)
            case _:
                pass

    def _order(self, place: int, same: PastTicket | None) -> None:
        """A training begins: what it takes stands on record, or is the record's mean."""
        took = (same.spent if same is not None else None) or self._past.mean_training
        self._tickets[place] = replace(
            self._tickets[place],
            ordered_row=self._row,
            ordered_at=self._now,
            as_recorded=same is not None,
            seconds=None if took is None else took.seconds,
            cost=None if took is None else took.cost,
        )
        if took is not None and took.cost is not None:
            spent = self._state.spent.since(self._now)
            costs = (*spent.costs, (self._now, took.cost))
            self._state = replace(self._state, spent=replace(spent, costs=costs))

    def _twin(self, ticket: Ticket) -> PastTicket | None:
        """The record's ticket for the same reason within a window of this one."""
        taken = {one.ticket for one in self._same.values()}
        near = (
            one
            for one in self._past.tickets
            if one.ticket not in taken and one.reason == ticket.reason and self._apart_s(one.opened_at) < self._window_s
        )
        return min(near, key=lambda one: self._apart_s(one.opened_at), default=None)

    def _apart_s(self, at: str) -> float:
        return max(elapsed_s(at, self._now), elapsed_s(self._now, at))

    def _end(self) -> None:
        """A training that was asked for ends: as the record says, or nobody knows how."""
        ticket, place = self._state.ticket, len(self._tickets) - 1
        if ticket is None or ticket.ordered is None or ticket.ticket != self._mine:
            return
        same, began = self._same.get(place), self._tickets[place].ordered_at
        if same is None:
            if began is not None and began < self._now and elapsed_s(began, self._now) >= self._training_s:
                self._tickets[place] = replace(self._tickets[place], outcome="unknown", ended_row=self._row)
                self._state = replace(self._state, ticket=None, version=self._state.version + 1)
            return
        if same.closed_at is None or moment(same.closed_at) > moment(self._now) or same.outcome is None:
            return
        fact = e.TicketClosed(
            service=ServiceName(self._state.service),
            ticket=ticket.ticket,
            outcome=same.outcome,
            reason="as recorded",
        )
        self._fold(fact)
        self._book(fact)

    def _missed(self) -> None:
        """A training of the record that this policy has let pass."""
        if self._left is not None:
            return
        met = {one.ticket for one in self._same.values()}
        for one in self._past.tickets:
            if one.ordered_at is None or one.ticket in met:
                continue
            if elapsed_s(one.ordered_at, self._now) >= self._window_s:
                self._leave(f"it does not ask for the record's training of row {one.row} ({one.reason})")
                return

    def _leave(self, why: str) -> None:
        if self._left is None:
            self._left = Divergence(row=self._row, at=self._now, why=why)

    def _notice(self, learning: Learning) -> None:
        """Alarms that begin or end with this tick."""
        found: dict[AlarmKind, str] = {}
        if learning.fired in ("drift", "risk", "trend"):
            found[learning.fired] = learning.why
        if self._state.incident is not None:
            found["quality"] = self._state.incident.reason
        for kind, place in list(self._standing.items()):
            stands = kind in found or (kind != "quality" and bool(found.keys() - {"quality"}))
            if not stands:  # drift behind a risk may stand all the same: a wish names one trigger
                self._alarms[place] = replace(self._alarms[place], until_row=self._row)
                del self._standing[kind]
        for kind, why in found.items():
            if kind not in self._standing:
                self._standing[kind] = len(self._alarms)
                self._alarms.append(Alarm(kind=kind, row=self._row, at=self._now, why=why))


class _Look(Record):
    """What the sensor says, without what is about no policy."""

    learning: Learning
    facts: tuple[e.AnyFact, ...] = ()


def _apart(fact: e.AnyFact) -> bool:
    return isinstance(fact, e.SignalRaised) and fact.signal.signal in APART
