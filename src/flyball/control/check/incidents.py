"""May this incident open, or close? Asked by the check of plans, from the facts alone."""

from flyball.control.state.service_state import ServiceState
from flyball.core import events as e


def of_incidents(fact: e.AnyFact, state: ServiceState) -> list[str]:
    """One open incident a cause; what closes is open; what recovered shows no sign any more, and could show one.
    Of the data's quality the incident itself is the sign: its windows have said that nothing is found."""
    match fact:
        case e.IncidentOpened(incident=name):
            cause = fact.cause or fact.kind
            same = [other for other, one in state.incidents.open.items() if one.cause == cause]
            return [f"incident {name} of {cause}, of which {', '.join(same)} is open"] if same else []
        case e.IncidentClosed(incident=name) if name not in state.incidents.open:
            return [f"incident {name} is closed, and is not open"]
        case e.IncidentClosed(incident=name, how="recovered") if not _of_quality(name, state):
            cause = state.incidents.open[name].cause
            shown = [
                f"incident {name} recovered, and {cause} is {sign.severity}"
                for sign in state.health.health.signs
                if sign.key == cause
            ]
            hidden = [
                f"incident {name} recovered, and nobody asks the champion while {remedy} ({tried.begun.kind}) stands"
                for remedy, tried in state.healing.tried.items()
                if tried.begun.cause == cause and tried.begun.kind in ("fall_back", "shed") and not tried.ended
            ]
            supplied = cause.partition("/")[0] in ("data_quality", "freshness", "upstream")
            return shown + ([] if supplied else hidden)
        case _:
            return []


def _of_quality(incident: str, state: ServiceState) -> bool:
    return state.incidents.open[incident].opened.kind == "data_quality"
