"""The digest of a period: what happened to a service, what it came to, and what people had to do, as one document.

Everything in it is of facts before the end of the period, so it reads the same whenever it is written; rows of the
prediction log are counted as the log still holds them.
"""

from collections.abc import Sequence

from flyball.control.explain import standing
from flyball.control.narrate import sentence
from flyball.control.overdue import overdue
from flyball.control.review.outside import Outside
from flyball.control.review.paging import Paged, paging
from flyball.control.review.reading import past_of
from flyball.control.review.scorecard import Scorecard, scorecard
from flyball.control.review.toil import Toil, toil
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.declared.review import Period
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.service import Service
from flyball.decide.calendar import Span, name_of
from flyball.decide.overdue import Overdue

MOST_LINES = 40  # of a chapter; the rest is counted
CHAPTERS: dict[str, tuple[type[e.Fact], ...]] = {
    "Releases and rollouts": (
        *(e.ReleaseRegistered, e.RolloutOpened, e.RolledBack, e.RolloutClosed, e.ChampionAppointed, e.AbClosed),
        *(e.TrainingFailed, e.TicketOpened, e.TicketClosed, e.ReproductionJudged),
    ),
    "Health and incidents": (
        *(e.HealthChanged, e.IncidentOpened, e.IncidentClosed, e.BudgetSpent, e.BudgetRestored, e.DiagnosisMade),
    ),
    "Remedies": (e.RemedyBegun, e.RemedyVerified, e.RemedyEnded, e.RemedyReviewed, e.BackfillDone, e.CommandGivenUp),
    "Alerts": (
        *(e.AlertRaised, e.AlertAcked, e.AlertEscalated, e.AlertHeld, e.AlertResolved, e.AlertsSilenced),
        e.AlertsTested,
    ),
    "Drills and routine": (e.DrillEnded, e.FallbackExercised, e.StorageCollected),
    "Words of people": (
        *(e.ApprovalGiven, e.ApprovalRejected, e.TicketApproved, e.RollbackOrdered, e.Frozen, e.Thawed),
        *(e.ExceptionRequested, e.ExceptionConfirmed, e.StepWaived, e.StepSkipped, e.RunbookStepDone),
    ),
}


class Said(Record):
    """One fact, told."""

    seq: int
    at: str
    text: str


class Chapter(Record):
    title: str
    lines: tuple[Said, ...]  # the newest of them where there are too many
    more: int  # that are not shown


class WriteUp(Record):
    service: str
    period: Period
    name: str  # `2026-W47`
    since: str  # RFC 3339, UTC
    until: str
    facts: int  # of the service in the period
    standing: str  # at its end, in one sentence
    waiting_for: tuple[str, ...]
    scorecard: Scorecard
    chapters: tuple[Chapter, ...]
    pages: tuple[Paged, ...]
    toil: tuple[Toil, ...]
    overdue: tuple[Overdue, ...]  # at its end


def written_up(service: Service, entries: Sequence[Entry], period: Period, span: Span, told: Outside) -> WriteUp:
    """Args: entries: of the service, from its first fact on; those behind the span are left out."""
    name = service.metadata.name
    known = [entry for entry in entries if moment(entry.at) < span.until]
    inside = [entry for entry in known if span.holds(moment(entry.at))]
    state = ServiceState(service=name)
    for entry in known:
        state = fold(state, entry)
    past, until = past_of(known, name), timestamp(span.until)
    there = past.within(span)
    return WriteUp(
        service=name,
        period=period,
        name=name_of(period, span),
        since=timestamp(span.since),
        until=until,
        facts=len(inside),
        standing=standing(state),
        waiting_for=tuple(wait for each in state.decisions.values() for wait in each.waiting_for),
        scorecard=scorecard(name, past, span, service.review, told),
        chapters=tuple(_chapter(title, kinds, inside) for title, kinds in CHAPTERS.items()),
        pages=paging(there, service.review.pages_per_week),
        toil=toil(there),
        overdue=tuple(each for each in overdue(state, service, until) if each.due_at < until),
    )


def _chapter(title: str, kinds: tuple[type[e.Fact], ...], inside: Sequence[Entry]) -> Chapter:
    found = [entry for entry in inside if isinstance(entry.fact, kinds)]
    shown = found[-MOST_LINES:]
    lines = tuple(Said(seq=entry.seq, at=entry.at, text=sentence(entry.fact)) for entry in shown)
    return Chapter(title=title, lines=lines, more=len(found) - len(shown))
