"""May these incidents open, or close? Asked by the check of plans, from the facts alone."""

from collections.abc import Sequence

from flyball.control.state.incident_state import OpenIncident
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e


def of_incidents(facts: Sequence[e.AnyFact], state: ServiceState) -> list[str]:
    """One open incident a cause; what closes is open; what recovered shows no sign any more, and could show one. Of
    the data's quality the incident itself is the sign: its windows have said that nothing is found. The facts are taken
    in their order."""
    found: list[str] = []
    open_ = {name: one.cause for name, one in state.incidents.open.items()}
    for fact in facts:
        match fact:
            case e.IncidentOpened(incident=name):
                cause = fact.cause or fact.kind
                if same := [other for other, of in open_.items() if of == cause]:
                    found.append(f"incident {name} of {cause}, of which {', '.join(same)} is open")
                open_[name] = cause
            case e.IncidentClosed(incident=name) if name not in open_:
                found.append(f"incident {name} is closed, and is not open")
            case e.IncidentClosed(incident=name, how=how):
                if how == "recovered" and name in state.incidents.open:
                    found += _not_recovered(name, state.incidents.open[name], state)
                open_.pop(name)
            case _:
                pass
    return found


def _not_recovered(name: str, one: OpenIncident, state: ServiceState) -> list[str]:
    if one.opened.kind == "data_quality":
        return []
    cause, of_drill = one.cause, one.opened.kind == "drill"
    shown = [
        f"incident {name} recovered, and {cause} is {sign.severity}"
        for sign in state.health.health.signs
        if sign.key == cause and (sign.drill or not of_drill)  # a real sign is none of a drill's incident
    ]
    hidden = [
        f"incident {name} recovered, and nobody asks the champion while {remedy} ({tried.begun.kind}) stands"
        for remedy, tried in state.healing.tried.items()
        if tried.begun.cause == cause and tried.begun.kind in ("fall_back", "shed") and not tried.ended
    ]
    real = of_drill and any(sign.key == cause and not sign.drill for sign in state.health.health.signs)
    supplied = cause.partition("/")[0] in ("data_quality", "freshness", "upstream")
    return shown + ([] if supplied or real else hidden)
