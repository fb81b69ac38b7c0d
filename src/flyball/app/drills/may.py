"""May a drill begin now? Pure: from where the service stands and the word of a drill that was begun before."""

from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment


def obstacles(state: ServiceState, now: float, *, strikes: bool = True) -> tuple[str, ...]:
    """What stands against it, in words; empty where nothing does.

    A drill shows whether a sound service heals; on one that is ill it would only do harm. It is paid from the error
    budget, as its rows count like any others: where that is spent, none is made that strikes answers.

    Args: now: seconds since the epoch. strikes: whether requests are sent to the service; a disaster sends it none.
    """
    found = []
    if state.champion is None:
        found.append(f"{state.service} has no champion yet")
    for name, one in state.incidents.open.items():
        if one.opened.kind != "drill":
            found.append(f"the incident {name} is open: {one.opened.reason}")
    found += [f"the error budget of {name} is spent" for name in state.health.spent if strikes]
    found += [
        f"the remedy {tried.begun.remedy} ({tried.begun.kind}) against {tried.begun.cause} is under way"
        for tried in state.healing.under_way
        if tried.begun.kind != "page" and not tried.ended
    ]
    if state.rollout is not None:
        found.append(f"the rollout {state.rollout.rollout} runs")
    if state.ab is not None:
        found.append(f"the A/B test {state.ab.started.test} runs")
    drill = state.healing.drill
    if drill is not None and now < moment(drill.until).timestamp():
        found.append(f"drill {drill.drill} ({drill.fault}) runs until {drill.until}")
    return tuple(found)
