"""Alerts of the services of a ledger, as a person reads them: what is open, what is held and why, what is silenced."""

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from flyball.control.state.alert_state import AlertBook
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.facts.alert import further
from flyball.core.ledger import Entry
from flyball.core.record import Record


class Listed(Record):
    """One alert, open or over."""

    service: str
    alert: str
    name: str
    cause: str
    urgency: str
    summary: str
    runbook: str
    to: tuple[str, ...]  # everybody who was told
    at: str  # raised
    incident: str | None = None
    acked_by: str | None = None
    level: int = 0  # of escalation
    over_at: str | None = None
    now: str | None = None  # how it stands at this moment; None: nobody says, or it is over
    test: bool = False
    drill: str = ""  # whose it is; empty: it is real


class HeldOne(Record):
    """A cause that is due, and nobody was told of."""

    service: str
    alert: str
    name: str
    cause: str
    by: str
    why: str
    incident: str | None = None  # of the cause that it is held behind, open at this moment


class SilenceOne(Record):
    service: str
    silence: str
    match: str
    until: str
    by: str
    why: str


Newest = Callable[[str], Mapping[str, str]]


class AlertList(Record):
    """What `flyball alerts list --json` prints."""

    alerts: tuple[Listed, ...]
    held: tuple[HeldOne, ...]
    silences: tuple[SilenceOne, ...]


def standing(states: Iterable[ServiceState], newest: Newest = lambda _: {}) -> AlertList:
    """What is open, held and silenced now; pages first, then the oldest. Newest: of a service, how it stands with its
    causes, by cause."""
    alerts, held, silences = [], [], []
    for state in states:
        book = state.alerts
        figures = newest(state.service) if book.open else {}
        for cause, one in book.open.items():
            by, now = one.acked.by if one.acked is not None else None, figures.get(cause) or _gone(cause, book)
            alerts.append(replace(_listed(one.raised, one.at), to=one.to, acked_by=by, level=one.level, now=now))
        held += [_held(each, state) for each in book.held.values()]
        silences += [_silence(each) for each in book.silences.values()]
    order = sorted(alerts, key=lambda one: (one.urgency != "page", one.at, one.alert))
    return AlertList(alerts=tuple(order), held=tuple(held), silences=tuple(silences))


def _gone(cause: str, book: AlertBook) -> str | None:
    gone = book.gone.get(cause)
    return None if gone is None or book.stands(cause) else f"no sign of it since {gone[:19]}Z"


def history(entries: Iterable[Entry], open_: Iterable[Listed] = ()) -> tuple[Listed, ...]:
    """Every alert that was ever raised, oldest first: who had it, how far up it went, when it was over. Open: those of
    them that say how they stand now."""
    found: dict[tuple[str, str], Listed] = {}
    for entry in entries:
        fact = entry.fact
        match fact:
            case e.AlertRaised():
                found[(entry.subject, fact.alert)] = _listed(fact, entry.at)
            case e.AlertAcked() | e.AlertEscalated() | e.AlertResolved():
                one = found.get((entry.subject, fact.alert))
                if one is not None:
                    found[(entry.subject, fact.alert)] = _further(one, fact, entry.at)
            case _:
                pass
    now = {(one.service, one.alert): one.now for one in open_}
    return tuple(replace(one, now=now.get(key)) for key, one in found.items())


def _further(one: Listed, fact: e.AlertAcked | e.AlertEscalated | e.AlertResolved, at: str) -> Listed:
    match fact:
        case e.AlertAcked(by=by):
            return replace(one, acked_by=by)
        case e.AlertEscalated(level=level, to=to):
            return replace(one, level=level, to=further(one.to, to))
        case e.AlertResolved():
            return replace(one, over_at=at)


def _listed(raised: e.AlertRaised, at: str) -> Listed:
    return Listed(
        service=raised.service,
        alert=raised.alert,
        name=raised.name,
        cause=raised.cause,
        urgency=raised.urgency,
        summary=raised.summary,
        runbook=raised.runbook,
        to=raised.to,
        at=at,
        incident=raised.incident,
        test=raised.test,
        drill=raised.labels.get("drill", ""),
    )


def _held(fact: e.AlertHeld, state: ServiceState) -> HeldOne:
    behind = state.incidents.of_cause(fact.behind) if fact.behind else None
    return HeldOne(
        service=fact.service,
        alert=fact.alert,
        name=fact.name,
        cause=fact.cause,
        by=fact.by,
        why=fact.why,
        incident=behind.opened.incident if behind is not None else None,
    )


def _silence(fact: e.AlertsSilenced) -> SilenceOne:
    return SilenceOne(
        service=fact.service, silence=fact.silence, match=fact.match, until=fact.until, by=fact.by, why=fact.why
    )


def in_words(found: AlertList) -> str:
    """Lines for a terminal."""
    lines = [_line(one) for one in found.alerts]
    lines += [_line_of_held(one) for one in found.held]
    lines += [
        f"silenced  {one.service}  {one.match} until {one.until[:19]}Z by {one.by} ({one.silence}): {one.why}"
        for one in found.silences
    ]
    return "\n".join(lines) or "nothing is open, held or silenced"


def _line_of_held(one: HeldOne) -> str:
    named = f"; incident {one.incident}" if one.incident and one.incident not in one.why else ""
    return f"held      {one.service}  {one.name} ({one.cause}), {one.by}: {one.why}{named}"


def _line(one: Listed) -> str:
    state = f"{one.acked_by} has it" if one.acked_by else "nobody has it"
    state = f"over {one.over_at[:19]}Z" if one.over_at else state
    known = not one.drill or one.summary.startswith(f"drill {one.drill}:")
    name = one.name if known else f"{one.name} of drill {one.drill}"
    what = f"{'test ' if one.test else ''}{one.alert} {name} since {one.at[:19]}Z: {one.summary}"
    incident = f", incident {one.incident}" if one.incident else ""
    who = f"to {', '.join(one.to) or 'nobody by name'}, {state}{incident}; runbook {one.runbook}"
    now = f"\n{'':10}now: {one.now}" if one.now not in (None, one.summary) else ""
    return f"{one.urgency:<8}  {one.service}  {what}{now}\n{'':10}{who}"
