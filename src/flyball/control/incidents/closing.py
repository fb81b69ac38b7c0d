"""What an incident's end says of its times: how long it went unseen, and how long it took to be over."""

from msgspec.structs import replace

from flyball.control.decision import elapsed_s
from flyball.control.state.incident_state import OpenIncident
from flyball.core import events as e


def detected_s(one: OpenIncident) -> float | None:
    """From the beginning of what it is about to its opening, seconds; None: nothing shows when that began."""
    return elapsed_s(one.opened.began, one.at) if one.opened.began else None


def with_times(fact: e.IncidentClosed, one: OpenIncident) -> e.IncidentClosed:
    """An end that the windows show, with its times. What was good again before its opening took no time."""
    recovered_s = max(0.0, elapsed_s(one.at, fact.over)) if fact.over else None
    return replace(fact, detected_s=detected_s(one), recovered_s=recovered_s)


def closed_by_hand(one: OpenIncident, reason: str) -> e.IncidentClosed:
    """A person's word that it is over, or known. Of data quality: the data are accepted as they are."""
    return e.IncidentClosed(
        service=one.opened.service,
        incident=one.opened.incident,
        how="person",
        reason=reason,
        row=one.opened.row,
        detected_s=detected_s(one),
        recovered_s=elapsed_s(one.at, one.gone_at) if one.gone_at else None,
    )
