"""Can the steps of the rollout that would open answer in their time? A rollout that cannot is not begun. Pure."""

from collections.abc import Callable

import numpy as np

from flyball.control.decision import Decision
from flyball.control.rollout.steps import effective_steps
from flyball.control.state.service_state import ServiceState
from flyball.core.ids import short
from flyball.core.rollout_power import RolloutPower
from flyball.core.service import Service
from flyball.decide.rollout_plan import RolloutPlan, plan
from flyball.decide.step_plan import Traffic


def foretold(service: Service, traffic: Traffic, dice: Callable[[], np.random.Generator]) -> RolloutPlan:
    """Whether each step can answer, and no more."""
    steps, rails = effective_steps(service), service.rollout.guardrails
    return plan(service.metadata.name, steps, rails, traffic, dice=dice, brief=True)


def waivers(service: Service, state: ServiceState | None) -> dict[str, str]:
    """Name of a step -> who accepts that it is underpowered, and why: the declaration, or a person, by policy."""
    declared = {step: f"service.yaml: {why}" for step, why in service.rollout.waive.items()}
    said = {} if state is None else {step: f"{fact.by}: {fact.why}" for step, fact in state.waived.items()}
    return declared | said


def too_weak(found: RolloutPower | None, service: str, release: str) -> Decision | None:
    """The wait for a rollout that can answer; None where it can, or nobody can tell."""
    if found is None or found.verdict != "UNDERPOWERED":
        return None
    weak = [each for each in found.steps if not each.waived]
    why = "; ".join(f"step {each.step} is underpowered: {', '.join(each.reasons)}" for each in weak)
    told = f"flyball rollout plan {service} says what would mend it"
    names = " ".join(each.step for each in weak)
    return Decision(
        action="rollout",
        what="wait",
        why=f"release {short(release)} is not tried at {found.traffic}: {why}",
        waiting_for=(
            f"other steps, or more traffic ({told}), or a word: flyball rollout waive {service} {names} --why",
        ),
    )
