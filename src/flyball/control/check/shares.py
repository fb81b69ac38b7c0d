"""A step that is started again goes on with other shares: with fewer at any time, with more only where nothing speaks
against it, and never with more than it began with. Asked by the check of plans, shares no function with the planner.
"""

from msgspec.structs import replace

from flyball.control.state.rollout_state import StepState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.routing import WHOLE, Verdict
from flyball.core.service import Service


def lowers(fact: e.StepStarted, state: ServiceState) -> bool:
    """Whether it is the running step with fewer units of the candidate, and else as it was: no rule forbids that."""
    running = _again(fact, state)
    if running is None:
        return False
    same = replace(fact.routing, epoch=running.routing.epoch, weight=running.routing.weight) == running.routing
    return same and fact.routing.weight < running.routing.weight


def of_shares(fact: e.StepStarted, state: ServiceState, service: Service, verdict: Verdict | None) -> list[str]:
    """Verdict: what the running step's evidence says; None: nothing is known, so nothing is raised."""
    if fact.kind not in ("canary", "soak"):
        return []
    weight, running = fact.routing.weight, _again(fact, state)
    most = max((step.live.weight for step in service.rollout.steps if step.kind == fact.kind and step.live), default=0)
    if running is None or state.rollout is None:
        before = state.rollout.step.kind if state.rollout is not None and state.rollout.step is not None else ""
        found = ["a soak after a soak"] if fact.kind == before == "soak" else []
        return found + ([_undeclared(fact)] if weight > round(most * WHOLE) else [])
    began = dict(state.rollout.weights).get(running.first_epoch, 0)
    if weight > min(began, round(most * WHOLE)):
        return [_undeclared(fact)]
    if weight > running.routing.weight and (verdict is None or verdict.kind != "HOLD"):
        said = "nobody says what its evidence is" if verdict is None else f"{verdict.kind}: {verdict.reason}"
        return [f"a {fact.kind} goes on with more weight against its evidence: {said}"]
    return []


def _again(fact: e.StepStarted, state: ServiceState) -> StepState | None:
    """The running step, if the fact starts the same one; None: it starts another."""
    running = state.rollout.step if state.rollout is not None else None
    return running if running is not None and (fact.step, fact.kind) == (running.index, running.kind) else None


def _undeclared(fact: e.StepStarted) -> str:
    return f"a {fact.kind} with weight {fact.routing.weight}, which nobody declared"
