"""Is the plan allowed? Asked of code that did not write it, before anything is done.

The planner decides what is useful; this file knows only what must never happen. It shares no function with the planner.
"""

from flyball.control.check.alerts import of_alerts
from flyball.control.check.budget import over_budget
from flyball.control.check.drilled import drilled_wrongly, of_drilled
from flyball.control.check.drills import wrong_about_drills
from flyball.control.check.exceptions import failed_without_exception
from flyball.control.check.incidents import of_incidents
from flyball.control.check.phases import allowed, phase_of
from flyball.control.check.policy import against_the_rules, agreed_to, alone_wrongly, people_needed, trainer_alone
from flyball.control.check.power import underpowered
from flyball.control.check.remedies import against_healing
from flyball.control.check.shares import lowers, of_shares
from flyball.control.plan import Plan
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.rollout_power import RolloutPower
from flyball.core.routing import WHOLE, Routing, Verdict
from flyball.core.service import Service


def broken_rules(
    plan: Plan,
    state: ServiceState,
    service: Service,
    *,
    now: str = "",
    power: RolloutPower | None = None,
    verdict: Verdict | None = None,
) -> tuple[str, ...]:
    """Every rule that the plan would break, in words; empty where it may be carried out.

    Now: the moment that the plan is of, by which an exception is over and a rule is asked; where nobody says, every
    exception is over, and a rule about the time binds. Power: what was foretold of the rollout that would open.
    Verdict: what the evidence of the running step says; without it the step is given no more weight.
    """
    found: list[str] = []
    facts = [fact for decision in plan.decisions for fact in decision.facts]
    routings = sum(isinstance(fact, e.StepStarted | e.RoutingOrdered) for fact in facts)
    if routings > 1:
        found.append(f"{routings} routings in one plan: only one can be in force")
    if plan.parent != state.version:
        found.append(f"the plan was made from version {plan.parent}, the facts are at {state.version}")
    found += of_alerts(facts, state, now) + of_incidents(facts, state)
    for decision in plan.decisions:
        for fact in decision.facts:
            if fact.service != state.service:
                found.append(f"a fact of {fact.service} in a plan for {state.service}")
            found += wrong_about_drills(fact, state, now)
            found += against_healing(fact, decision.facts, state, service, now)
            if of_drilled(fact, state):  # no release is tried: rules of its own
                found += drilled_wrongly(fact, state, now)
                continue
            found += _of_fact(fact, decision.action, state, service, now) + _of_gates(fact, state, now)
            found += against_the_rules(fact, state, service, now)
            found += over_budget(fact, state, service)
            if isinstance(fact, e.StepStarted):
                found += of_shares(fact, state, service, verdict)
            if isinstance(fact, e.RolloutOpened):
                found += underpowered(fact, power, state, service)
        ordered = {fact.key for fact in decision.facts if isinstance(fact, e.RetrainOrdered)}
        trained = [command.key for command in decision.commands if command.kind == "train"]
        found += [f"{key} begins a training that no fact orders" for key in trained if key not in ordered]
    return tuple(found)


def _of_fact(fact: e.AnyFact, action: str, state: ServiceState, service: Service, now: str) -> list[str]:
    match fact:
        case e.StepStarted():
            found = _of_routing(fact.routing, state) + _frozen(action, state)
            if not allowed(phase_of(state.rollout), fact, fact.kind):
                found.append(f"a step {fact.kind} after {phase_of(state.rollout)}")
            if fact.kind == "promote" and fact.routing.previous != state.champion:
                found.append("a promotion that keeps no way back to the champion before it")
            if fact.kind == "promote" and state.rollout and fact.routing.champion != state.rollout.release:
                found.append(f"a promotion of {fact.routing.champion}, which this rollout did not try")
            if fact.kind in ("canary", "soak", "promote") and not lowers(fact, state):
                found += _may_raise(state, service, now)
            if fact.kind == "promote":
                found += _all_judged(fact, state)
            before = state.routing.weight if state.routing else 0
            if fact.kind in ("approval", "pause") and fact.routing.weight > before:
                found.append(f"a step that waits ({fact.kind}) raises the weight")
            if state.rollout is not None and state.rollout.paused is not None and not lowers(fact, state):
                found.append("a step starts while the rollout is paused")
            return found
        case e.RoutingOrdered():
            found = _of_routing(fact.routing, state)
            if fact.routing.candidate is not None or fact.routing.weight:
                found.append("only a step may give traffic to a candidate")
            found += _of_arms(fact.routing, state)
            if fact.routing.champion not in (state.champion, state.previous):
                found.append(f"{fact.routing.champion} neither serves nor served last")
            return found
        case e.ChampionAppointed():
            if state.rollout is not None and state.rollout.drill:
                return ["a champion is appointed while the candidate of a drill is tried"]
            if state.routing is None or state.routing.champion != fact.release:
                return ["a champion is appointed that the newest routing does not name"] if action != "rollback" else []
            return []
        case e.RetrainOrdered():
            busy = [
                ("a rollout runs", state.rollout),
                ("a quality incident is open", state.incident),
                ("a drill runs", state.healing.drill),
            ]
            found = [f"training while {what}" for what, there in busy if there is not None]
            if fact.proof == "policy" and not _alone(state, service, agreed_to(fact.reason, state, service, now)):
                found.append(f"a training without a person, where the policy says {service.autonomy.retrain}")
            return found + _frozen(action, state)
        case e.RolloutOpened():
            if fact.release in state.withdrawn:
                return [f"{fact.release} was taken back or turned down, and nobody wants it tried again"]
            return _frozen(action, state) + (["a rollout beside an A/B test"] if state.ab is not None else [])
        case e.TicketOpened():
            return _frozen(action, state)
        case _:
            return []


def _alone(state: ServiceState, service: Service, may: bool) -> bool:
    """Whether the loop may train without a person's order: it has not lost its rung, or an approver has agreed. May:
    no rule of the policy needs an approver."""
    heights = {"observe": 0, "suggest": 1, "approval": 2, "auto": 3}
    ceiling = heights[service.autonomy.retrain]
    begins = min(1, ceiling) if service.autonomy.earned else ceiling
    height = min(ceiling, begins + state.ladder("retrain").steps)
    agreed = state.ticket is not None and state.ticket.approved is not None
    if not may:
        height = min(height, heights["approval"])
    return height >= heights["auto"] or (height == heights["approval"] and agreed)


def _of_routing(routing: Routing, state: ServiceState) -> list[str]:
    found = []
    if routing.epoch <= state.epoch:
        found.append(f"epoch {routing.epoch} is not above {state.epoch}")
    if not 0 <= routing.weight <= WHOLE:
        found.append(f"weight {routing.weight} of {WHOLE}")
    if routing.candidate is not None:
        if routing.candidate in state.withdrawn:
            found.append(f"{routing.candidate} was rolled back or rejected")
        if routing.candidate == routing.champion:
            found.append("the candidate is the champion")
        if routing.guardrails is None:
            found.append("a candidate without guardrails: the gateway could not stop it")
    return found


def _of_gates(fact: e.AnyFact, state: ServiceState, now: str) -> list[str]:
    """Nothing that failed a gate is tried, but by exceptions that hold at this moment and that the rollout names."""
    match fact:
        case e.RolloutOpened():
            return failed_without_exception(fact.release, fact.exceptions, state, now)
        case e.StepStarted():
            named = state.rollout.exceptions if state.rollout is not None else ()
            roots = {fact.routing.candidate, state.rollout.release if state.rollout is not None else None} - {None}
            return [
                rule for root in sorted(map(str, roots)) for rule in failed_without_exception(root, named, state, now)
            ]
        case e.RoutingOrdered() if fact.routing.candidate is not None:
            return failed_without_exception(fact.routing.candidate, (), state, now)
        case _:
            return []


def _of_arms(routing: Routing, state: ServiceState) -> list[str]:
    """Arms are what a person said, or less of it; each release has passed, and none that was stopped comes back."""
    if not routing.arms:
        return []
    if state.ab is None:
        return ["arms of no A/B test"]
    found = []
    if state.rollout is not None:
        found.append("an A/B test beside a rollout")
    if routing.guardrails is None or routing.rollout != state.ab.started.test:
        found.append("arms without the authority that their test began with")
    said = {arm.name: arm for arm in state.ab.arms}
    had = {arm.name: arm.weight for arm in state.routing.arms} if state.routing is not None else {}
    for arm in routing.arms:
        if not arm.buckets:
            continue
        release = state.releases.get(arm.release)
        if said.get(arm.name) != arm:
            found.append(f"arm {arm.name} is another than the one that was ordered")
        if arm.name in state.ab.gone or arm.release in state.withdrawn:
            found.append(f"arm {arm.name} was stopped, or its release withdrawn")
        if arm.release != routing.champion and (release is None or not release.passed):
            found.append(f"{arm.release} has not passed its gates")
        if state.frozen is not None and arm.weight > had.get(arm.name, 0):
            found.append(f"arm {arm.name} grows while the service is frozen")
    return found


def _may_raise(state: ServiceState, service: Service, now: str) -> list[str]:
    """Live traffic needs an approval of exactly this model, evidence and policy, unless the policy says auto."""
    rollout = state.rollout
    if rollout is None:
        return ["a step of no rollout"]
    by_itself = service.autonomy.promote == "auto" and not any(step.approval for step in service.rollout.steps)
    if by_itself and not rollout.exceptions:
        return []
    asked, given = rollout.asked, rollout.approved
    if asked is None or given is None:
        return ["live traffic without an approval"]
    same = (given.model, given.evidence, given.policy) == (asked.model, asked.evidence, asked.policy)
    if not same or asked.model != rollout.release or asked.policy != state.policy:
        return ["the approval is of another model, evidence or policy"]
    if given.proof == "policy":
        return alone_wrongly(state, service, now)
    needed = max(asked.quorum, people_needed(rollout.release, state, service, now))
    people = {
        one.by
        for one in rollout.approvals
        if (one.model, one.evidence, one.policy) == (asked.model, asked.evidence, asked.policy)
    }
    return trainer_alone(state, service) if len(people) >= needed else [f"{len(people)} of {needed} approvals"]


def _all_judged(fact: e.StepStarted, state: ServiceState) -> list[str]:
    rollout = state.rollout
    judged = {index for index, verdict in rollout.verdicts if verdict.kind == "PROMOTE"} if rollout else set()
    judged |= {skip.step for skip in rollout.skipped} if rollout else set()  # a person answers for these
    running = rollout.step.index if rollout and rollout.step else None
    missing = [
        index
        for index in range(fact.step)
        if index not in judged and index != running and not _was_approval(index, state)
    ]
    return [f"step {index} was never judged" for index in missing]


def _was_approval(index: int, state: ServiceState) -> bool:
    asked = state.rollout.asked if state.rollout else None
    return asked is not None and asked.step == index


def _frozen(action: str, state: ServiceState) -> list[str]:
    if state.frozen is not None and action != "rollback":
        return [f"{action} while the service is frozen"]
    return []
