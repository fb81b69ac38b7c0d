"""A drill that nobody has ended is over at its `until`: the fact that says so, where its driver was killed. Pure.

What was injected stops by itself, each part by its own clock; this closes the book, so that nothing is judged for ever
as if a drill ran, and the next drill may begin.
"""

from flyball.control.decision import Decision, Situation
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
