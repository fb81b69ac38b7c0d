"""What people say to alerts: I have it, be quiet about that for a while, and here is a test. Each is one fact.

None of it changes what is done to the service: who has an alert stops its way up, and a silence holds what would be
told until its end, which it always has.
"""

from datetime import datetime, timedelta

from flyball.app.people import Person, Word, may, say
from flyball.app.subjects import Reading
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.codec import digest
from flyball.core.errors import NotFound, Refused
from flyball.core.ids import ServiceName, short
from flyball.core.ledger import Entry, Ledger
from flyball.core.service import Alerts, Metadata

ROLES = ("operator", "approver")
LONGEST_S = 30 * 86_400.0  # of a silence: what nobody wants to hear for longer belongs into the declaration


def ack(ledger: Ledger, alert: str, person: Person, why: str = "", *, service: str = "") -> tuple[Entry, ...]:
    """Take an alert: it goes no level up. Service: whose it has to be; empty: of any.

    Raises: NotFound: no alert of this name is open. Refused: the person may not.
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        one = state.alerts.named(alert)
        if one is None or service not in ("", state.service):
            known = ", ".join(each.raised.alert for each in state.alerts.open.values()) or "none"
            raise NotFound(f"no alert {alert!r} is open", hint=f"open alerts of {state.service}: {known}")
        may(metadata, person, ROLES)
        if one.acked is not None and one.acked.by == person.name:
            return Word(about=(alert,))
        fact = e.AlertAcked(
            service=ServiceName(state.service), alert=alert, by=person.name, proof=person.proof, why=why
        )
        return Word(about=(alert,), facts=(fact,))

    return say(ledger, _service_of(ledger, alert), word)


def silence(
    ledger: Ledger, service: str, match: str, person: Person, why: str, *, lasts_s: float, now: datetime
) -> tuple[Entry, ...]:
    """Nobody is told of alerts whose name or cause matches (`*` for anything), until then.

    Raises: NotFound: no such service. Refused: the person may not, or it would last too long.
    """
    if not 0 < lasts_s <= LONGEST_S:
        raise Refused(f"a silence of {lasts_s:g} s: expected more than 0 s and at most {LONGEST_S:g} s (30 days)")

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ROLES)
        fact = e.AlertsSilenced(
            service=ServiceName(state.service),
            silence="si-" + short(digest("flyball/silence-name/v1", [state.service, state.version, match])),
            match=match,
            until=timestamp(now + timedelta(seconds=lasts_s)),
            by=person.name,
            proof=person.proof,
            why=why,
        )
        return Word(about=(match,), facts=(fact,))

    return say(ledger, service, word)


def unsilence(ledger: Ledger, service: str, name: str, person: Person, why: str = "") -> tuple[Entry, ...]:
    """End a silence before its time. Raises: NotFound: none of this name is in force. Refused: the person may not."""

    def word(state: ServiceState, metadata: Metadata) -> Word:
        if name not in state.alerts.silences:
            known = ", ".join(state.alerts.silences) or "none"
            raise NotFound(f"no silence {name!r} is in force", hint=f"silences of {state.service}: {known}")
        may(metadata, person, ROLES)
        fact = e.SilenceEnded(service=ServiceName(state.service), silence=name, by=person.name, why=why or "enough")
        return Word(about=(name,), facts=(fact,))

    return say(ledger, service, word)


def begin_test(
    ledger: Ledger, service: str, person: Person, *, only: str | None, now: datetime
) -> tuple[str, tuple[str, ...], tuple[Entry, ...]]:
    """Raise a test alert and end it at once: both go to every destination, or to one. Returns its id, to whom it goes,
    and what was written.

    Raises: NotFound: no such service or destination. Refused: there is nobody to tell, or the person may not.
    """
    name, names = "", tuple[str, ...]()

    def word(state: ServiceState, metadata: Metadata) -> Word:
        nonlocal name, names
        may(metadata, person, ROLES)
        alerts = _declared(ledger, state.service)
        name = "al-" + short(digest("flyball/alert-name/v1", [state.service, state.version, "test"]))
        owner = alerts.owner or metadata.owner
        known = [each.called for each in alerts.to]
        names = tuple(each for each in known if only in (None, each))
        if not names:
            raise NotFound(f"{service} has no destination {only!r}", hint=f"destinations: {', '.join(known)}")
        raised = e.AlertRaised(
            service=ServiceName(state.service),
            alert=name,
            cause="test",
            name="TestAlert",
            urgency="page",
            summary=f"{person.name} looks whether alerts arrive; nothing is wrong",
            detail="Nothing has to be done.",
            runbook="noisy-alerts",
            owner=owner,
            to=alerts.levels_at(timestamp(now))[0] if alerts.levels else (owner,),
            labels={"only": only} if only is not None else {},
            test=True,
        )
        over = e.AlertResolved(service=ServiceName(state.service), alert=name, why="it was a test")
        return Word(about=(service,), facts=(raised, over))

    entries = say(ledger, service, word)
    return name, names, entries


def end_test(
    ledger: Ledger, service: str, alert: str, person: Person, *, arrived: tuple[str, ...], missed: dict[str, str]
) -> tuple[Entry, ...]:
    """What destinations said."""

    def word(state: ServiceState, _: Metadata) -> Word:
        fact = e.AlertsTested(
            service=ServiceName(state.service),
            alert=alert,
            by=person.name,
            proof=person.proof,
            arrived=arrived,
            missed=missed,
        )
        return Word(about=(alert,), facts=(fact,))

    return say(ledger, service, word)


def _service_of(ledger: Ledger, alert: str) -> str:
    """Raises: NotFound: no service has an open alert of this name."""
    states = Reading(ledger).states()
    found = next((name for name, state in states.items() if state.alerts.named(alert) is not None), None)
    if found is None:
        known = [each.raised.alert for state in states.values() for each in state.alerts.open.values()]
        raise NotFound(f"no alert {alert!r} is open", hint=f"open alerts: {', '.join(known) or 'none'}")
    return found


def _declared(ledger: Ledger, service: str) -> Alerts:
    """Raises: Refused: the newest declaration on the ledger tells nobody."""
    reading = Reading(ledger)
    reading.states()
    alerts = reading.alerts(service)
    if alerts is None or not alerts.to:
        hint = "declare alerts.to in service.yaml, and start flyball up (or train) with it"
        raise Refused(f"{service} declares nobody to tell of alerts", hint=hint)
    return alerts
