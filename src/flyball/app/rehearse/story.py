"""What happened in a rehearsal, for people: the turns of the story as the ledger has them."""

from collections.abc import Iterable, Iterator

from flyball.control.narrate import sentence
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ledger import Entry
from flyball.core.record import Record

TURNS = (
    *(e.RolloutOpened, e.StepJudged, e.RolledBack, e.RolloutClosed, e.ApprovalGiven, e.ApprovalRejected),
    *(e.RolloutPaused, e.RolloutResumed, e.StepSkipped, e.StepWaived, e.RollbackOrdered, e.Frozen, e.Thawed),
    *(e.TriggerReceived, e.TicketOpened, e.RetrainOrdered, e.TicketClosed, e.IncidentOpened, e.IncidentClosed),
    *(e.HealthChanged, e.RemedyBegun, e.RemedyVerified, e.RemedyEnded),
    *(e.ExceptionRequested, e.ExceptionConfirmed, e.ExceptionEnded, e.CommandGivenUp),
)


class Turn(Record):
    """One line."""

    at: float  # seconds since the beginning, by the wall clock of the rehearsal
    what: str


def story(entries: Iterable[Entry]) -> tuple[Turn, ...]:
    """Releases that were judged, rollouts, words of people, trainings; and what keeps a release from being tried."""
    return tuple(_turns(entries))


def _turns(entries: Iterable[Entry]) -> Iterator[Turn]:
    began, tried = None, False
    for entry in entries:
        fact = entry.fact
        began = moment(entry.at) if began is None else began
        tried = isinstance(fact, e.RolloutOpened) or (tried and not isinstance(fact, e.RolloutClosed))
        held = isinstance(fact, e.DecisionTaken) and fact.action == "rollout" and not tried
        failed = isinstance(fact, e.GatesJudged) and not fact.passed
        if held or failed or isinstance(fact, TURNS):
            yield Turn(at=(moment(entry.at) - began).total_seconds(), what=sentence(fact))
