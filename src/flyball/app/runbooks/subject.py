"""What a run of a runbook is about, from the ledger: the service, its incident, and the span that it covers."""

from datetime import UTC, datetime, timedelta

from flyball.app.runbooks.running import Subject
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.errors import NotFound
from flyball.core.ledger import Ledger

BEFORE = timedelta(hours=1)  # without an incident: the last hour


def subject_of(ledger: Ledger, service: str, incident: str | None) -> tuple[Subject, dict[str, str]]:
    """And the values of the placeholders. Raises: NotFound: no such service, or incident of it."""
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
    about = incident or next(reversed(state.incidents.open), None)
    now = datetime.now(UTC)
    values = {"service": service, "since": timestamp(now - BEFORE), "until": timestamp(now)}
    if about is None:
        return Subject(service=service), values
    fact, at = opened[about]
    since = min(moment(fact.began or at), moment(at))
    values |= {"incident": about, "since": timestamp(since), "until": closed.get(about, timestamp(now))}
    alert = state.alerts.open.get(fact.cause or fact.kind)
    return Subject(service=service, incident=about, alert=alert.raised.alert if alert else None), values
