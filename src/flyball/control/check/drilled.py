"""What a plan may do with the candidate of a drill: one canary on the drill's share, and back. Asked of code that did
not write the plan, with which it shares no function.

Gates, approvals, rules, budgets and forecasts are about releases, and this is none. In their place: it has to be what
the running drill has offered, be known nowhere else, have guardrails, and never be more than a candidate.
"""

from flyball.control.state.healing_state import SLOW
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.declared.drills import CANDIDATE
from flyball.core.routing import WHOLE


def of_drilled(fact: e.AnyFact, state: ServiceState) -> bool:
    """Whether it tries, or moves, the candidate of a drill."""
    match fact:
        case e.RolloutOpened(drill=drill):
            return bool(drill)
        case e.StepStarted():
            return state.rollout is not None and bool(state.rollout.drill)
        case _:
            return False


def drilled_wrongly(fact: e.AnyFact, state: ServiceState, now: str) -> list[str]:
    """Every rule that it would break, in words. Of facts that are `of_drilled`. `now`: empty: no drill runs."""
    match fact:
        case e.RolloutOpened():
            return _opened_wrongly(fact, state) + _not_running(fact.drill, state, now)
        case e.StepStarted() if state.rollout is not None:
            return _started_wrongly(fact, state) + _not_running(state.rollout.drill, state, now)
        case _:
            return []


def _not_running(drill: str, state: ServiceState, now: str) -> list[str]:
    runs = state.healing.drill
    if runs is None or runs.drill != drill or not now or moment(now) >= moment(runs.until):
        return [f"the candidate of drill {drill} is tried, which does not run"]
    return [] if runs.fault == CANDIDATE else [f"drill {drill} ({runs.fault}) has no candidate"]


def _opened_wrongly(fact: e.RolloutOpened, state: ServiceState) -> list[str]:
    offered, found = state.healing.offered, []
    if offered is None or (offered.drill, offered.release) != (fact.drill, fact.release):
        found.append(f"{fact.release} is not what drill {fact.drill} has offered")
    if state.champion != fact.champion or (offered is not None and offered.copy_of != state.champion):
        found.append(f"{fact.release} is no copy of the champion {state.champion}")
    if fact.release in state.releases or fact.release in (state.champion, state.previous):
        found.append(f"{fact.release} is a release, and no drill's to strike")
    if state.rollout is not None or state.ab is not None:
        found.append("a drill's candidate beside a rollout or an A/B test")
    if state.frozen is not None:
        found.append("a drill's candidate while the service is frozen")
    return found


def _started_wrongly(fact: e.StepStarted, state: ServiceState) -> list[str]:
    rollout, runs, routing, found = state.rollout, state.healing.drill, fact.routing, []
    assert rollout is not None
    if fact.kind != "canary" or fact.step != 0 or rollout.step is not None:
        found.append(f"step {fact.step} ({fact.kind}) of a drill's candidate, which has one canary")
    if routing.champion != state.champion or rollout.champion != state.champion:
        found.append(f"a drill's candidate that is no copy of the champion {state.champion}")
    if routing.candidate != rollout.release:
        found.append("a drill's candidate that is more than a candidate")
    if routing.epoch <= state.epoch:
        found.append(f"epoch {routing.epoch} is not above {state.epoch}")
    if runs is not None and not 0 < routing.weight <= round(runs.share * WHOLE):
        found.append(f"weight {routing.weight} of {WHOLE}, where drill {runs.drill} may touch {runs.share:g}")
    if routing.guardrails is None or routing.rollout != rollout.rollout:
        found.append("a drill's candidate that the gateway could not stop")
    if state.frozen is not None or rollout.paused is not None:
        found.append("a drill's candidate gets traffic while the service is frozen, or it is paused")
    if any(one.acts and one.begun.kind not in SLOW for one in state.healing.tried.values()):
        found.append("a drill's candidate gets traffic beside a remedy")
    if state.health.spent:
        found.append(f"a drill's candidate gets traffic, and the budget of {', '.join(state.health.spent)} is spent")
    if routing.arms or routing.shadow:
        found.append("a drill's candidate with arms or a shadow")
    return found
