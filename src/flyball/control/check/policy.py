"""Does a rule of the policy forbid this, and did everybody say yes whom the rules ask? Asked by the check of plans.

It shares no function with the planner: the facts are gathered here once more, and each rule is asked here once more.
Common to both is the language of the conditions, and the names in it (`core.policy_facts`).
"""

from datetime import datetime, timedelta
from typing import Any

from flyball.control.check.shares import lowers
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.policy_facts import asked
from flyball.core.routing import WHOLE
from flyball.core.service import Approval, Rule, Service

ACTIONS = {"canary": "canary", "soak": "promote", "promote": "promote"}  # kind of a step -> what rules call it


def against_the_rules(fact: e.AnyFact, state: ServiceState, service: Service, now: str) -> list[str]:
    """Every rule that the fact would break. Now: where nobody says, a rule about the time cannot be asked: it binds."""
    match fact:
        case e.RolloutOpened(release=root):
            return _never("rollout", [root], state, service, now)
        case e.StepStarted(kind=kind, routing=routing) if kind in ACTIONS:
            if lowers(fact, state):
                return []  # no rule forbids to be careful
            tried = state.rollout.release if state.rollout is not None else None
            roots = {routing.candidate or routing.champion, tried} - {None}
            return _never(ACTIONS[kind], sorted(map(str, roots)), state, service, now)
        case e.RetrainOrdered(proof="policy", reason=reason):
            return _never("retrain", [state.champion or ""], state, service, now, trigger=reason)
        case e.ApprovalRequested():
            least = people_needed(fact.model, state, service, now)
            few = [f"{fact.quorum} people are asked, where {least} are needed"] if fact.quorum < least else []
            return few + (_no_rule_for(fact.model, state, service, now) if fact.alone else [])
        case e.ApprovalGiven(proof="policy", model=root):
            return _no_rule_for(root, state, service, now)
        case e.ApprovalGiven():
            return ["a plan holds an approval, which only a person gives"]
        case _:
            return []


def _no_rule_for(root: str, state: ServiceState, service: Service, now: str) -> list[str]:
    """What speaks against promoting this release without a person."""
    told = _facts(root, state, service, now)
    mine = [rule for rule in service.policy.rules if rule.action == "promote"]
    found = _no_release_for(root, state)
    if not any(rule.effect == "alone" and asked(rule.when, rule.action, told).passed for rule in mine):
        found.append("no rule of the policy lets it be promoted without a person")
    strict = [rule.reason for rule in mine if rule.effect != "alone" and _binds(rule, told)]
    return found + [f"it asks nobody, and a rule binds: {reason}" for reason in strict]


def _no_release_for(root: str, state: ServiceState) -> list[str]:
    """Releases that a person looks at, whatever a rule says."""
    found = _failed_gate(root, state)
    if state.proposed.get(root):
        found.append(f"{state.proposed[root]} had {root} trained: the policy does not approve it")
    if state.recent.failed.get(root, 0) > 0:
        found.append(f"a rollout of {root} ended without a promotion: the policy does not approve it")
    if state.rollout is not None and state.rollout.skipped:
        found.append(f"{state.rollout.skipped[0].by} ended a step of {root}: the policy does not approve it")
    if state.rollout is not None and state.rollout.weak:
        found.append(f"step {state.rollout.weak[0]} of its rollout cannot answer: the policy does not approve {root}")
    return found


def _failed_gate(root: str, state: ServiceState) -> list[str]:
    release, rollout = state.releases.get(root), state.rollout
    passed = release is not None and release.passed and not (rollout is not None and rollout.exceptions)
    return [] if passed else [f"{root} failed a gate: the policy does not approve it"]


def alone_wrongly(state: ServiceState, service: Service, now: str) -> list[str]:
    """What has to hold when live traffic is given by the policy's own word: its rule, for as long as nothing is live;
    what comes after can only stop the rollout."""
    rollout = state.rollout
    if rollout is None or rollout.asked is None or not rollout.asked.alone:
        return ["the policy approved what people were asked for"]
    if rollout.step is None or rollout.step.kind == "approval":
        return _no_rule_for(rollout.release, state, service, now)
    return _failed_gate(rollout.release, state)


def agreed_to(trigger: str, state: ServiceState, service: Service, now: str) -> bool:
    """Whether no rule needs an approver for a training that this asks for."""
    told = _facts(state.champion or "", state, service, now) | {"trigger": trigger}
    rules = [rule for rule in service.policy.rules if (rule.action, rule.effect) == ("retrain", "needs")]
    return not any(_binds(rule, told) for rule in rules)


def people_needed(root: str, state: ServiceState, service: Service, now: str) -> int:
    """How many different people have to say yes to this release: by the steps, and by each rule that binds."""
    steps = [step.approval or Approval() for step in service.rollout.steps if step.kind == "approval"]
    told = _facts(root, state, service, now)
    rules = [rule for rule in service.policy.rules if (rule.action, rule.effect) == ("promote", "needs")]
    return max([1, *(step.quorum for step in steps), *(rule.quorum or 1 for rule in rules if _binds(rule, told))])


def trainer_alone(state: ServiceState, service: Service) -> list[str]:
    """Four eyes: who had a release trained is not the only one who approved it, where somebody else could have."""
    rollout = state.rollout
    trainer = state.proposed.get(rollout.release) if rollout is not None else None
    if rollout is None or trainer is None or not rollout.approvals or rollout.asked is None:
        return []
    if any(one.by != trainer or one.alone or one.proof == "simulated" for one in rollout.approvals):
        return []
    others = [name for name, roles in service.metadata.people.items() if rollout.asked.role in roles]
    able = sorted(set(others) - {trainer})
    return [f"{trainer} had it trained and approved it alone, where {', '.join(able)} could"] if able else []


def _never(action: str, roots: list[str], state: ServiceState, service: Service, now: str, **more: str) -> list[str]:
    found = []
    for root in roots:
        told = _facts(root, state, service, now) | more
        found += [
            f"{action}: policy.rules[{index}] forbids it: {rule.reason} ({rule.when})"
            for index, rule in enumerate(service.policy.rules)
            if (rule.action, rule.effect) == (action, "never") and _binds(rule, told)
        ]
    return found


def _binds(rule: Rule, told: dict[str, Any]) -> bool:
    """Anything but a plain no."""
    return asked(rule.when, rule.action, told).reason != "it is false"


def _facts(root: str, state: ServiceState, service: Service, now: str) -> dict[str, Any]:
    """What is known at this moment; what is not, is not in it."""
    told: dict[str, Any] = {"incident": bool(state.incident), "weight": 0.0, "drift": False, "risk": False}
    for raised in state.signals.values():
        told["risk"] |= (raised.signal.signal, raised.signal.level) == ("risk", "act")
        told["drift"] |= (raised.signal.signal, raised.signal.level) in (("psi", "act"), ("shift", "act"))
    if state.routing:
        told["weight"] = state.routing.weight / WHOLE
    if now:
        told |= {"hour": moment(now).hour, "weekday": moment(now).weekday() + 1}
        told |= _of_the_week(state, moment(now) - timedelta(days=7))
    if now and state.appointed_at:
        seconds = (moment(now) - moment(state.appointed_at)).total_seconds()
        told["champion_age_h"] = max(seconds, 0.0) / 3600
    foretold = state.rollout.power if state.rollout and state.rollout.release == root else None
    if state.rollout and foretold in ("POWERED", "UNDERPOWERED"):  # else nobody can tell
        told["underpowered"] = len(state.rollout.weak) > 0
    if root in state.releases:
        told |= _of_release(root, state, service)
    return told


def _of_the_week(state: ServiceState, first: datetime) -> dict[str, int]:
    recent = state.recent
    counted = {"rollouts": recent.rollouts, "rolled_back": recent.rollbacks, "retrains": recent.trainings}
    return {f"{name}_this_week": sum(moment(one) > first for one in moments) for name, moments in counted.items()}


def _of_release(root: str, state: ServiceState, service: Service) -> dict[str, Any]:
    release = state.releases[root]
    gates = {gate.name: gate.verdict for gate in release.gates}
    names = [gate.name for gate in service.gates if gate.name]
    gates |= {name: gate.verdict for name in names for gate in release.gates if gate.name.startswith(name + ": ")}
    figures = ("value", "low", "high", "n")
    return {
        "by_exception": not release.passed,
        "by_person": bool(state.proposed.get(root)),
        "failed_rollouts": state.recent.failed.get(root, 0),
        "reason": release.reason,
        "trained_rows": release.trained_rows,
        "holdout_rows": release.holdout_rows,
        "metrics": {key: {one: getattr(each, one) for one in figures} for key, each in release.metrics.items()},
        "gates": {name: str(verdict) for name, verdict in gates.items()},
    }
