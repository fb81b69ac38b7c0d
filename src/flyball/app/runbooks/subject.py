"""What a run of a runbook is about, from the ledger: the service, its incident, and the span that it covers."""

from datetime import UTC, datetime, timedelta

from flyball.app.runbooks.reading import Runbook
from flyball.app.runbooks.running import Subject
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.errors import NotFound
from flyball.core.ledger import Ledger

BEFORE = timedelta(hours=1)  # without an incident: the last hour


def subject_of(
    ledger: Ledger,
    service: str,
    incident: str | None,
    *,
    book: Runbook,
    alert: str | None = None,
    sealed_until: str | None = None,
) -> tuple[Subject, dict[str, str]]:
    """And the values of the placeholders. Where nothing is named: the newest open alert that links this runbook, else
    the newest open incident of a cause that it is for, else none.

    Args: sealed_until: the end of what the prediction log has sealed, which is as far as a span can be made again; of
        rows that are owed a repair it cuts nothing off: the backfill says what it waits for.

    Raises: NotFound: no such service; no such incident or open alert of it.
    """
    state, opened, closed = ServiceState(service=service), dict[str, tuple[e.IncidentOpened, str]](), dict[str, str]()
    for entry in ledger.read(subject=service):
        state = fold(state, entry)
        match entry.fact:
            case e.IncidentOpened(incident=name):
                opened[name] = entry.fact, entry.at
            case e.IncidentClosed(incident=name):
                closed[name] = entry.at
            case _:
                pass
    if state.version == 0:
        raise NotFound(f"no service is called {service!r}", hint="flyball status names them")
    if incident is not None and incident not in opened:
        raise NotFound(f"{service} has no incident {incident!r}", hint="incidents: " + (", ".join(opened) or "none"))
    told = _alert(state, alert, opened[incident][0] if incident is not None else None, book)
    about = incident or next((name for name in _of_alert(told) if name in opened), None)
    if about is None:
        wanted = [name for name, one in state.incidents.open.items() if _is_for(book, one.cause)]
        same = [name for name in wanted if told is None or state.incidents.open[name].cause == told.cause]
        about = next(reversed(same), None)
    now = datetime.now(UTC)
    values = {"service": service} | _span(timestamp(now - BEFORE), timestamp(now), sealed_until)
    values["about"] = about or (told.alert if told is not None else f"runbook {book.name}")
    subject = Subject(service=service, incident=about, alert=told.alert if told is not None else None)
    if about is None:
        return subject, values
    fact, at = opened[about]
    since, until = timestamp(min(moment(fact.began or at), moment(at))), closed.get(about, timestamp(now))
    owed = state.healing.unrepaired.get(about)
    if owed is not None:  # neither more nor less: the ticket asks for these rows
        return subject, values | {"incident": about, "since": owed.since, "until": owed.until}
    return subject, values | {"incident": about} | _span(since, until, sealed_until)


def _span(since: str, until: str, sealed_until: str | None) -> dict[str, str]:
    """What is sealed of it; all of it where none is yet: the verb that wants it sealed says so.

    >>> _span("2026-11-27T10:00:00Z", "2026-11-27T11:00:00Z", "2026-11-27T10:59:40Z")
    {'since': '2026-11-27T10:00:00Z', 'until': '2026-11-27T10:59:40Z'}
    """
    within = sealed_until is not None and since < sealed_until < until
    return {"since": since, "until": sealed_until if within and sealed_until else until}


def _alert(
    state: ServiceState, alert: str | None, incident: e.IncidentOpened | None, book: Runbook
) -> e.AlertRaised | None:
    """Raises: NotFound: the alert that is named is not open."""
    there = sorted(state.alerts.open.values(), key=lambda one: one.at)
    if alert is not None:
        found = next((one.raised for one in there if one.raised.alert == alert), None)
        if found is None:
            names = ", ".join(one.raised.alert for one in there) or "none"
            raise NotFound(f"{state.service} has no open alert {alert!r}", hint=f"open alerts: {names}")
        return found
    if incident is not None:
        of = state.alerts.open.get(incident.cause or incident.kind)
        return of.raised if of is not None else None
    return next((one.raised for one in reversed(there) if one.raised.runbook == book.name), None)


def _of_alert(told: e.AlertRaised | None) -> tuple[str, ...]:
    """The incident that it names: as its own, or by a cause such as `repair/in-errors-1`, which outlives it."""
    if told is None:
        return ()
    kind, _, of = told.cause.partition("/")
    return (*([told.incident] if told.incident else []), *([of] if kind == "repair" else []))


def _is_for(book: Runbook, cause: str) -> bool:
    return any(cause == each or cause.startswith(f"{each}/") for each in book.causes)
