"""May a drill begin now? Pure: from where the service stands and the word of a drill that was begun before."""

from flyball.control.drilling import spent, unwell
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment


def obstacles(state: ServiceState, now: float, *, strikes: bool = True) -> tuple[str, ...]:
    """What stands against it, in words; empty where nothing does.

    Args: now: seconds since the epoch. strikes: whether requests are sent to the service; a disaster sends it none.
    """
    found = []
    if state.champion is None:
        found.append(f"{state.service} has no champion yet")
    found += [*unwell(state), *(spent(state) if strikes else ())]
    if state.rollout is not None:
        found.append(f"the rollout {state.rollout.rollout} runs")
    if state.ab is not None:
        found.append(f"the A/B test {state.ab.started.test} runs")
    drill = state.healing.drill
    if drill is not None and now < moment(drill.until).timestamp():
        found.append(f"drill {drill.drill} ({drill.fault}) runs until {drill.until}")
    return tuple(found)
