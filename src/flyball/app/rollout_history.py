"""The rollouts of a service, as the ledger tells them: what was tried, how far it came, how it ended and why."""

from collections.abc import Iterable

import msgspec

from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ledger import Entry
from flyball.core.record import Record


class PastRollout(Record):
    """One rollout, open or closed."""

    rollout: str
    release: str
    champion: str  # that it was compared with
    opened_at: str
    closed_at: str | None = None
    seconds: float | None = None  # from the first to the last, by the clock of the ledger
    outcome: str | None = None  # None: it runs
    reason: str = ""
    steps: tuple[str, ...] = ()  # kinds of the steps that were begun, in their order
    exceptions: tuple[str, ...] = ()  # by which it went ahead although a gate had failed
    drill: str = ""  # whose candidate was tried; empty: a release was
    alone: str = ""  # the rule of the policy by which nobody was asked
    people: tuple[str, ...] = ()  # who said something to it, in the order of their first word


def rollouts_of(entries: Iterable[Entry]) -> tuple[PastRollout, ...]:
    """Every rollout among the facts of one service, oldest first."""
    found: dict[str, PastRollout] = {}
    for entry in entries:
        fact = entry.fact
        if isinstance(fact, e.RolloutOpened):
            found[fact.rollout] = PastRollout(
                rollout=fact.rollout,
                release=fact.release,
                champion=fact.champion,
                opened_at=entry.at,
                exceptions=fact.exceptions,
                drill=fact.drill,
            )
        elif (name := getattr(fact, "rollout", None)) in found:
            found[str(name)] = _further(found[str(name)], fact, entry.at)
    return tuple(found.values())


def _further(past: PastRollout, fact: e.AnyFact, at: str) -> PastRollout:
    match fact:
        case e.StepStarted(step=index) if index < len(past.steps):
            return past  # the same step goes on with other shares
        case e.StepStarted(kind=kind):
            return msgspec.structs.replace(past, steps=(*past.steps, kind))
        case e.RolloutClosed(outcome=outcome, reason=reason):
            seconds = (moment(at) - moment(past.opened_at)).total_seconds()
            return msgspec.structs.replace(past, closed_at=at, seconds=seconds, outcome=outcome, reason=reason)
        case e.ApprovalRequested(alone=rule):
            return msgspec.structs.replace(past, alone=rule)
        case e.ApprovalGiven(proof="policy"):
            return past
        case (
            e.ApprovalGiven(by=by)
            | e.ApprovalRejected(by=by)
            | e.RolloutPaused(by=by)
            | e.RolloutResumed(by=by)
            | e.StepSkipped(by=by)
        ):
            return msgspec.structs.replace(past, people=tuple(dict.fromkeys((*past.people, by))))
        case _:
            return past
