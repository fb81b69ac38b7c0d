"""Does a rollout open whose steps cannot answer, and that nobody accepts? Asked by the check of plans.

It shares no function with the planner.
"""

from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.rollout_power import RolloutPower
from flyball.core.service import Service


def underpowered(fact: e.RolloutOpened, made: RolloutPower | None, state: ServiceState, service: Service) -> list[str]:
    """What speaks against it. `made`: what was foretold a moment ago, by whoever did; None: nobody looked."""
    told = fact.power
    if told != made:
        return ["a rollout opens on another forecast than the one that was made"]
    if told is None:
        return []
    found = [
        f"a rollout opens whose step {weak.step} is underpowered, and nobody has waived it"
        for weak in told.steps
        if weak.step not in service.rollout.waive and not _said(weak.step, state)
    ]
    if told.verdict == "UNDERPOWERED" and not found:
        found = ["a rollout opens that was found underpowered"]
    return found


def _said(step: str, state: ServiceState) -> bool:
    word = state.waived.get(step)
    return word is not None and word.policy == state.policy
