"""What stands against a drill, and its end at its `until`: the fact that says so, where its driver was killed. Pure.

What was injected stops by itself, each part by its own clock; this closes the book, so that nothing is judged for ever
as if a drill ran, and the next drill may begin.
"""

from collections.abc import Iterator

from flyball.control.decision import Decision, Situation
from flyball.control.state.healing_state import SLOW
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.ids import ServiceName


def plan_drill_over(situation: Situation) -> Decision | None:
    """None: none runs, or its driver still has time to end it."""
    drill = situation.state.healing.drill
    if drill is None or moment(situation.now) < moment(drill.until):
        return None
    why = f"it was to be over by {drill.until}, and its driver has not said so"
    ended = e.DrillEnded(
        service=ServiceName(situation.state.service),
        drill=drill.drill,
        fault=drill.fault,
        outcome="aborted",
        why=why,
    )
    return Decision(action="drill", what=f"end {drill.drill}", why=why, facts=(ended,))


def unwell(state: ServiceState) -> Iterator[str]:
    """Why a service is not drilled now, in words. A drill shows whether a sound one heals; it harms one that is ill."""
    for name, incident in state.incidents.open.items():
        if incident.opened.kind != "drill":
            yield f"the incident {name} is open: {incident.opened.reason}"
    for one in state.healing.tried.values():
        what = f"{one.begun.remedy} ({one.begun.kind}) against {one.begun.cause}"
        if one.stands and one.verified is not None and one.begun.kind not in SLOW:
            yield f"the relief {what} still stands"
        elif one.verified is None and one.begun.kind != "page" and not one.ended:
            yield f"the remedy {what} is under way"


def spent(state: ServiceState) -> Iterator[str]:
    """A drill is paid from the error budget, as its rows count like any others."""
    for name in state.health.spent:
        yield f"the error budget of {name} is spent"
