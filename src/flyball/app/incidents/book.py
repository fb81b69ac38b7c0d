"""The incidents of a ledger, newest first, and a person's word that one is over."""

from collections.abc import Iterable

from flyball.app.people import Person, Word, may, say, states_of
from flyball.control.incidents.closing import closed_by_hand
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import NotFound
from flyball.core.ledger import Entry, Ledger
from flyball.core.record import Record
from flyball.core.service import Metadata


class KnownIncident(Record):
    incident: str
    service: str
    kind: str
    cause: str
    reason: str
    opened_at: str  # RFC 3339, UTC
    closed_at: str | None  # None: it is open
    how: str | None
    detected_s: float | None
    recovered_s: float | None
    forensics: bool  # whether what was there has been kept


def known_incidents(entries: Iterable[Entry]) -> tuple[KnownIncident, ...]:
    """Newest first."""
    opened: dict[str, tuple[e.IncidentOpened, str]] = {}
    closed: dict[str, tuple[e.IncidentClosed, str]] = {}
    kept: set[str] = set()
    for one in entries:
        match one.fact:
            case e.IncidentOpened(incident=name):
                opened[name] = one.fact, one.at
            case e.IncidentClosed(incident=name):
                closed[name] = one.fact, one.at
            case e.ForensicsKept(incident=name):
                kept.add(name)
            case _:
                pass
    found = []
    for name, (fact, at) in reversed(opened.items()):
        end, end_at = closed.get(name, (None, None))
        found.append(
            KnownIncident(
                incident=name,
                service=str(fact.service),
                kind=fact.kind,
                cause=fact.cause or fact.kind,
                reason=fact.reason,
                opened_at=at,
                closed_at=end_at,
                how=end.how if end else None,
                detected_s=end.detected_s if end else None,
                recovered_s=end.recovered_s if end else None,
                forensics=name in kept,
            )
        )
    return tuple(found)


def close(ledger: Ledger, incident: str, person: Person, why: str) -> tuple[Entry, ...]:
    """A person says that it is over, or known. Of data quality: the data are accepted as they are.

    Raises: NotFound: none of this name is open. Refused: the person may not.
    """
    service = next((name for name, state in states_of(ledger).items() if incident in state.incidents.open), None)
    if service is None:
        raise NotFound(f"no incident {incident!r} is open", hint="flyball incident list --open names them")

    def word(state: ServiceState, metadata: Metadata) -> Word:
        one = state.incidents.open.get(incident)
        if one is None:
            raise NotFound(f"the incident {incident} is no longer open", hint=f"flyball incident show {incident}")
        may(metadata, person, ("operator", "approver"))
        return Word(about=(incident,), facts=(closed_by_hand(one, f"{person.name}: {why}"),))

    return say(ledger, service, word)
