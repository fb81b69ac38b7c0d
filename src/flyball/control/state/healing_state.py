"""Remedies of a service: those under way, those whose effect still stands, and what a budget counts."""

from datetime import timedelta
from typing import Final

from msgspec.structs import replace

from flyball.control.state.taken import taken_by
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.facts.healing import RemedyKind
from flyball.core.record import Record

DAY = timedelta(days=1)
REMEMBERED = 20  # spans that wait for a repair, and drills
RELIEFS: Final[frozenset[RemedyKind]] = frozenset({"fall_back", "shed", "freeze"})  # stay until they are taken away
SLOW: Final[frozenset[RemedyKind]] = frozenset({"retrain", "quarantine", "page"})  # block no other remedy
BY = "policy"  # whose name stands on what is done by itself


class Tried(Record):
    begun: e.RemedyBegun
    at: str  # RFC 3339, UTC
    verified: e.RemedyVerified | None = None
    verified_at: str = ""  # empty: it is not
    ended: bool = False  # what it put in place is taken away again
    ended_at: str = ""
    failed: str = ""  # why what it ordered could not be done
    taken_by: str = ""  # of a page: the person who did something about the service since; empty: nobody did

    @property
    def stands(self) -> bool:
        """What it put in place is still there."""
        return self.begun.kind in (*RELIEFS, "quarantine") and not self.ended

    @property
    def acts(self) -> bool:
        """It is in place, or may still help: what was taken away before its verdict does neither."""
        return self.stands or (self.verified is None and not self.ended)

    @property
    def last_at(self) -> str:
        """When anything was heard of it last."""
        return self.ended_at or self.verified_at or self.at


class Exercised(Record):
    """The last exercise of one link of the fallback chain."""

    fact: e.FallbackExercised
    at: str


class KeptOut(Record):
    """Rows that no training may see, by stream position."""

    first: int
    last: int | None = None  # None: there may come more
    drill: bool = False  # a drill made them
    until: str = ""  # when good rows came again, RFC 3339, UTC; empty: not known, or they became the new normal


class Unrepaired(Record):
    """Rows that were kept out and may be repaired: whoever repairs their source may have them filled in again."""

    incident: str
    since: str  # RFC 3339, UTC
    until: str
    rows: int = 0  # that the newest backfill has brought
    left_out: int = 0  # and that it has not
    missing: tuple[str, ...] = ()  # prediction ids of the first of these


class Drilled(Record):
    """A drill, also after its end."""

    begun: e.DrillBegun
    at: str  # RFC 3339, UTC
    withdrawn_at: str = ""  # since when its fault is made no more; empty: it is made


class HealingState(Record):
    tried: dict[str, Tried] = {}  # by remedy id, oldest first: of the last day, and those that still stand
    exercised: dict[str, Exercised] = {}  # by link
    kept_out: dict[str, KeptOut] = {}  # by incident
    unrepaired: dict[str, Unrepaired] = {}  # by incident, the newest
    drill: e.DrillBegun | None = None  # the drill that runs
    offered: e.DrillCandidate | None = None  # its candidate, which no rollout has taken up yet
    drilled: dict[str, Drilled] = {}  # by id, the newest: those whose traces may be seen

    def of_cause(self, cause: str) -> tuple[Tried, ...]:
        return tuple(each for each in self.tried.values() if each.begun.cause == cause)

    def tried_for(self, drill: str, *, at: str = "") -> tuple[Tried, ...]:
        """Those that count where a drill made the cause, or none did (empty): what is tried for a drill uses up nothing
        of what a real cause may ask for. Args: at: only those of the day before it."""
        first = timestamp(moment(at) - DAY) if at else ""
        tried = (each for each in self.tried.values() if each.at >= first)
        return tuple(each for each in tried if (each.begun.drill or "") in ("", drill))

    @property
    def under_way(self) -> tuple[Tried, ...]:
        """Begun, and nobody knows yet whether it helps."""
        return tuple(each for each in self.tried.values() if each.verified is None)

    @property
    def in_flight(self) -> Tried | None:
        """The one remedy at once that is under way."""
        return next((each for each in self.under_way if each.begun.kind not in SLOW), None)

    @property
    def standing(self) -> tuple[Tried, ...]:
        """Reliefs that nobody has taken away yet."""
        return tuple(each for each in self.tried.values() if each.stands)

    @property
    def acted_at(self) -> str:
        """When a remedy, or its end, last changed how the service answers; empty: none did. What was measured before
        says nothing about the present."""
        acts = [one for one in self.tried.values() if one.begun.kind not in (*SLOW, "freeze")]
        return max((at for one in acts for at in (one.at, one.ended_at)), default="")


def folded(state: HealingState, fact: e.AnyFact, at: str, *, quality: e.IncidentOpened | None = None) -> HealingState:
    """One fact further; one that is of no remedy changes nothing. Args: quality: the open incident of the data."""
    state = _taken(state, fact)
    match fact:
        case e.RemedyBegun(remedy=name):
            since = timestamp(moment(at) - DAY)
            kept = {each: one for each, one in state.tried.items() if one.at >= since or _holds(one)}
            state = replace(state, tried=kept | {name: Tried(begun=fact, at=at)})
            of_drill = state.drill is not None if fact.drill is None else bool(fact.drill)
            span = KeptOut(first=fact.row, drill=of_drill)
            return _kept_out(state, fact.target, span) if fact.kind == "quarantine" else state
        case e.RemedyVerified(remedy=name) if name in state.tried:
            return _changed(state, name, verified=fact, verified_at=at)
        case e.RemedyEnded(remedy=name) if name in state.tried:
            return _ended(state, fact, at)
        case e.BackfillDone() if fact.rows or fact.left_out:  # labels alone repair no row
            return replace(state, unrepaired=_paid(state.unrepaired, fact))
        case e.IncidentClosed(incident=name, how=how, row=row) if name in state.kept_out:
            if how == "person":  # the rows are good as they are
                return replace(state, kept_out=_without(state.kept_out, name))
            until = fact.over or at if how == "recovered" else ""
            known = bool(row or fact.over)
            return _kept_out(state, name, replace(state.kept_out[name], last=row - 1, until=until)) if known else state
        case e.IncidentClosed(incident=name, how="recovered", row=row) if quality and quality.incident == name:
            return _kept_out(state, name, KeptOut(first=quality.row, last=row - 1, until=fact.over))
        case e.CommandGivenUp(kind="recycle", key=key, error=error):
            name = key.rsplit("/", 1)[-1]
            return _changed(state, name, failed=error) if name in state.tried else state
        case e.FallbackExercised(link=link):
            return replace(state, exercised=state.exercised | {link: Exercised(fact=fact, at=at)})
        case e.DrillBegun():
            return replace(state, drill=fact, offered=None, drilled=_drilled(state, fact, at))
        case e.DrillCandidate(drill=name) if state.drill is not None and state.drill.drill == name:
            return replace(state, offered=fact)
        case e.RolloutOpened(drill=name) if name:
            return replace(state, offered=None)
        case e.DrillWithdrawn(drill=name):
            return replace(state, drilled=_withdrawn(state, name, at))
        case e.DrillEnded(drill=name) if state.drill is not None and state.drill.drill == name:
            return replace(state, drill=None, offered=None, drilled=_withdrawn(state, name, at))
        case _:
            return state


def _drilled(state: HealingState, begun: e.DrillBegun, at: str) -> dict[str, Drilled]:
    return dict([*state.drilled.items(), (begun.drill, Drilled(begun=begun, at=at))][-REMEMBERED:])


def _withdrawn(state: HealingState, drill: str, at: str) -> dict[str, Drilled]:
    """Its driver says so; where it was killed its fault goes on until its end at most."""
    one = state.drilled.get(drill)
    if one is None or one.withdrawn_at:
        return state.drilled
    return state.drilled | {drill: replace(one, withdrawn_at=at)}


def _kept_out(state: HealingState, incident: str | None, span: KeptOut) -> HealingState:
    return replace(state, kept_out=state.kept_out | {incident: span}) if incident is not None else state


def _ended(state: HealingState, fact: e.RemedyEnded, at: str) -> HealingState:
    one, target = state.tried[fact.remedy], state.tried[fact.remedy].begun.target
    state, span = _changed(state, fact.remedy, ended=True, ended_at=at), state.kept_out.get(target or "")
    if span is None or target is None:
        return state
    if span.last is not None and (not span.until or span.last < span.first):
        return state  # the incident became the new normal, which needs no repair; or is repaired
    if not span.drill:
        since = one.begun.since or one.at
        wanted = Unrepaired(incident=target, since=since, until=span.until if span.until > since else at)
        state = replace(state, unrepaired=_newest(state.unrepaired | {target: wanted}))
    if span.last is not None:
        return state
    return _kept_out(state, target, replace(span, last=max(fact.row, span.first)))  # no row was sealed: it ends too


def _paid(unrepaired: dict[str, Unrepaired], fact: e.BackfillDone) -> dict[str, Unrepaired]:
    """Without those that are repaired. What a table did not bring of one is owed until another one does."""
    if fact.rest_is_lost or not fact.left_out:
        return {name: one for name, one in unrepaired.items() if not _by(fact, one)}
    found = {"rows": fact.rows, "left_out": fact.left_out, "missing": fact.missing}
    return {name: replace(one, **found) if _by(fact, one) else one for name, one in unrepaired.items()}


def _by(fact: e.BackfillDone, one: Unrepaired) -> bool:
    """Whether it repairs these rows: all of them, whatever incident it names."""
    return fact.since <= one.since and one.until <= fact.until


def _without(kept_out: dict[str, KeptOut], incident: str) -> dict[str, KeptOut]:
    return {each: one for each, one in kept_out.items() if each != incident}


def _newest(unrepaired: dict[str, Unrepaired]) -> dict[str, Unrepaired]:
    return dict(list(unrepaired.items())[-REMEMBERED:])


def _taken(state: HealingState, fact: e.AnyFact) -> HealingState:
    """Pages without a verdict are in the hands of the first person who did anything."""
    waiting = [one for one in state.tried.values() if one.begun.kind == "page" and not (one.verified or one.taken_by)]
    if not waiting or not (person := taken_by(fact)):
        return state
    found = {one.begun.remedy: replace(one, taken_by=person) for one in waiting}
    return replace(state, tried=state.tried | found)


def _holds(one: Tried) -> bool:
    return one.stands or one.verified is None


def _changed(state: HealingState, name: str, **changes: object) -> HealingState:
    return replace(state, tried=state.tried | {name: replace(state.tried[name], **changes)})
