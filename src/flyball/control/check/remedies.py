"""What a remedy must never do. Asked by the check of plans; it shares no function with the planner.

A relief raises no weight and turns away no more than was declared; the way back goes to what served last; no remedy is
taken over its budget or beside another one, and under a person's freeze none but the way back.
"""

from datetime import timedelta

from msgspec import UNSET
from msgspec.structs import replace

from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.routing import Routing
from flyball.core.service import Service

QUICK = ("fall_back", "roll_back", "shed", "recycle_worker", "freeze")
FED = ("upstream", "data_quality", "freshness")


def against_healing(
    fact: e.AnyFact, facts: tuple[e.AnyFact, ...], state: ServiceState, service: Service, now: str
) -> list[str]:
    """Every rule of remedies that the fact would break. `facts`: all of its plan."""
    match fact:
        case e.RemedyBegun():
            return [*_begun(fact, state, service, now), *_beside(fact, facts, state)]
        case e.RemedyVerified(remedy=name) if name not in state.healing.tried:
            return [f"a verdict on the remedy {name}, which nobody began"]
        case e.RemedyVerified(remedy=name) if state.healing.tried[name].verified is not None:
            return [f"a second verdict on the remedy {name}"]
        case e.RoutingOrdered() | e.StepStarted():
            return _relief(fact.routing, facts, state, service)
        case e.Frozen():
            return [] if _has(facts, "freeze") else ["a freeze that neither a person nor a remedy orders"]
        case e.Thawed():
            mine = state.frozen is not None and state.frozen.by == "policy"
            return [] if mine else ["the freeze of a person is not thawed by the loop"]
        case e.RollbackOrdered():
            return [] if _has(facts, "roll_back") else ["a way back that neither a person nor a remedy orders"]
        case e.RetrainOrdered(proof="policy") | e.TicketOpened():
            return [f"a training while what the service is fed is broken ({key})" for key in _fed(state)]
        case _:
            return []


def _has(facts: tuple[e.AnyFact, ...], kind: str) -> bool:
    return any(isinstance(one, e.RemedyBegun) and one.kind == kind for one in facts)


def _begun(fact: e.RemedyBegun, state: ServiceState, service: Service, now: str) -> list[str]:
    found = []
    incident = state.incidents.open.get(fact.incident or "")
    upstream = ("upstream",) if incident is not None and incident.opened.kind in ("upstream", "drill") else ()
    declared = [
        one
        for policy in service.healing.policies
        for one in policy.remedies
        if one.kind == fact.kind and policy.cause in (fact.cause, fact.cause.split("/")[0], "failed", *upstream)
    ]
    if not declared and fact.kind not in ("page", "roll_back"):
        found.append(f"no policy names {fact.kind} against {fact.cause}")
    flying = [name for name, one in state.healing.tried.items() if one.verified is None and one.begun.kind in QUICK]
    if flying and fact.kind in QUICK:
        found.append(f"{fact.kind} while the remedy {flying[0]} is under way")
    if fact.remedy in state.healing.tried:
        found.append(f"the remedy {fact.remedy} is begun twice")
    if now and fact.kind not in ("page", "retrain"):
        first = timestamp(moment(now) - timedelta(days=1))
        counted = [one for one in state.healing.tried.values() if not one.begun.drill or one.begun.drill == fact.drill]
        used = sum(one.at >= first and one.begun.kind == fact.kind for one in counted)
        allowed = max((one.per_day for one in declared), default=3)
        if used >= allowed:
            found.append(f"{fact.kind} for the {used + 1}. time in 24 hours, {allowed} are allowed")
    if (
        fact.drill
        and not any(sign.drill == fact.drill for sign in state.health.health.signs)
        and not (incident is not None and incident.drill)
    ):
        found.append(f"{fact.kind} in the name of drill {fact.drill}, which made nothing of it")
    by_person = state.frozen is not None and state.frozen.by != "policy"
    if by_person and fact.kind not in ("roll_back", "page"):
        found.append(f"{fact.kind} while a person has frozen the service")
    if fact.kind == "retrain":
        found += [f"a training against {fact.cause} while {key} stands: the data are at fault" for key in _fed(state)]
    return found


def _fed(state: ServiceState) -> list[str]:
    signs = [sign.key for sign in state.health.health.signs if sign.kind in FED and sign.severity != "warning"]
    opened = state.incidents.open.values()
    of_them = [one.cause for one in opened if one.opened.kind in FED or one.cause.split("/")[0] in FED]
    return [key for key in signs + of_them if key != "freshness"]  # without a column: nobody asks, nothing is broken


def _beside(fact: e.RemedyBegun, facts: tuple[e.AnyFact, ...], state: ServiceState) -> list[str]:
    """The act is in the transaction of its intent."""
    if sum(isinstance(one, e.RemedyBegun) for one in facts) > 1:
        return ["two remedies in one plan"]
    match fact.kind:
        case "fall_back" | "shed" if not any(isinstance(one, e.RoutingOrdered) for one in facts):
            return [f"{fact.kind} without the order that carries it out"]
        case "roll_back" if not any(isinstance(one, e.RollbackOrdered) for one in facts):
            return ["a way back without the order that carries it out"]
        case "roll_back" if state.rollout is None and state.previous is None:
            return ["a way back, and no release served before this one"]
        case _:
            return []


def _relief(routing: Routing, facts: tuple[e.AnyFact, ...], state: ServiceState, service: Service) -> list[str]:
    held = state.routing.relief if state.routing is not None else None
    wanted = routing.relief
    if wanted == held:
        return []
    by_person = state.frozen is not None and state.frozen.by != "policy"
    as_it_was = held is not None and wanted is not None and replace(held, until="") == replace(wanted, until="")
    who_is_asked = replace(routing, epoch=state.routing.epoch, relief_=UNSET) if state.routing is not None else routing
    same = state.routing is not None and who_is_asked == replace(state.routing, relief_=UNSET)
    if by_person and same and not as_it_was:
        return ["a relief that begins or ends while a person has frozen the service"]
    if wanted is None:
        return []
    found = []
    shed = wanted.shed - (held.shed if held is not None else 0.0)
    grown = shed > 0 or (wanted.fall_back and not (held is not None and held.fall_back))
    if grown and not any(isinstance(one, e.RemedyBegun) and one.kind in ("fall_back", "shed") for one in facts):
        found.append("a relief that no remedy orders")
    most = max(
        (one.share for policy in service.healing.policies for one in policy.remedies if one.kind == "shed"), default=0.0
    )
    if shed > 0 and wanted.shed > most:
        found.append(f"{wanted.shed:.0%} of the requests of low priority are turned away, {most:.0%} are declared")
    if grown and state.routing is not None and not same:
        found.append("a relief that changes who is asked, or with which weight")
    if grown and not wanted.until:
        found.append("a relief without an end")
    return found
