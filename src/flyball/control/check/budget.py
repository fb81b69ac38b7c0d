"""Nothing gets more traffic while the error budget of an objective is spent that freezes promotions.

Asked by the check of plans, shares no function with the planner.
"""

from flyball.control.check.shares import lowers
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.service import Service

OF_THE_CONTRACT = ("availability", "latency")  # objectives that need not stand in the section


def over_budget(fact: e.AnyFact, state: ServiceState, service: Service) -> list[str]:
    """What the fact would break, in words."""
    if not state.health.spent:
        return []
    spent = sorted(filter(lambda name: _binds(name, service), state.health.spent))
    if not spent:
        return []
    found = f"while the error budget of {', '.join(spent)} is spent"
    before = state.routing
    match fact:
        case e.RolloutOpened():
            return [f"a rollout opens {found}"]
        case e.StepStarted(kind="promote"):
            return [f"a promotion {found}"]
        case e.StepStarted(routing=routing) if not lowers(fact, state):
            had = before.weight if before is not None else 0
            return [f"a candidate gets more traffic {found}"] if routing.weight > had else []
        case e.RoutingOrdered(routing=routing):
            weights = {arm.name: arm.weight for arm in before.arms} if before is not None else {}
            grown = [arm.name for arm in routing.arms if arm.weight > weights.get(arm.name, 0)]
            return [f"arm {', '.join(grown)} gets more traffic {found}"] if grown else []
        case _:
            return []


def _binds(name: str, service: Service) -> bool:
    """Whether the policy of this service freezes promotions for that objective."""
    slo = service.slo
    if slo is None:
        return False
    said = [each for each in slo.objectives if each.name == name]
    if not said:
        replaced = any(each.sli == name for each in slo.objectives)  # the contract's own is no objective any more
        return slo.freeze and name in OF_THE_CONTRACT and not replaced
    own = said[0].freeze
    return own if own is not None else slo.freeze and said[0].sli != "quality"
