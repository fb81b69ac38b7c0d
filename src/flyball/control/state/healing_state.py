"""Remedies of a service: those under way, those whose effect still stands, and what a budget counts."""

from datetime import timedelta

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.record import Record

DAY = timedelta(days=1)


class Tried(Record):
    begun: e.RemedyBegun
    at: str  # RFC 3339, UTC
    verified: e.RemedyVerified | None = None
    ended: bool = False  # what it put in place is taken away again


class HealingState(Record):
    tried: dict[str, Tried] = {}  # by remedy id, oldest first: of the last day, and those that still stand
    drill: e.DrillBegun | None = None  # the drill that runs

    def of_cause(self, cause: str) -> tuple[Tried, ...]:
        return tuple(each for each in self.tried.values() if each.begun.cause == cause)

    @property
    def under_way(self) -> tuple[Tried, ...]:
        """Begun, and nobody knows yet whether it helps."""
        return tuple(each for each in self.tried.values() if each.verified is None)


def folded(state: HealingState, fact: e.AnyFact, at: str) -> HealingState:
    """One fact further; one that is of no remedy changes nothing."""
    match fact:
        case e.RemedyBegun(remedy=name):
            since = timestamp(moment(at) - DAY)
            kept = {each: one for each, one in state.tried.items() if one.at >= since or not one.ended}
            return replace(state, tried=kept | {name: Tried(begun=fact, at=at)})
        case e.RemedyVerified(remedy=name) if name in state.tried:
            return replace(state, tried=state.tried | {name: replace(state.tried[name], verified=fact)})
        case e.RemedyEnded(remedy=name) if name in state.tried:
            return replace(state, tried=state.tried | {name: replace(state.tried[name], ended=True)})
        case e.DrillBegun():
            return replace(state, drill=fact)
        case e.DrillEnded():
            return replace(state, drill=None)
        case _:
            return state
