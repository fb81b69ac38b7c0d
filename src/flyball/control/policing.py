"""What a rule of the policy is told about a release at this moment, and what it stops. Pure."""

from collections.abc import Sequence
from typing import Any

from flyball.control.decision import Decision, Situation, elapsed_s
from flyball.control.state.recent_state import WEEK_S, within
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core.clock import moment
from flyball.core.release import GateResult
from flyball.core.routing import WHOLE
from flyball.core.service import Approval, Gate, Remedy, Service
from flyball.decide.ladder import lower, rung
from flyball.decide.policy import Needed, agreement, alone, forbidden, needed

RULED = {"canary": "canary", "soak": "promote", "promote": "promote"}  # kind of a step -> what rules call it
DOES = {"rollout": "open a rollout", "canary": "give live traffic to a candidate", "promote": "promote"}


def facts_of(situation: Situation, root: str, **more: Any) -> dict[str, Any]:
    """The facts of `core.policy_facts`; one that is not known is not there. More: what only this action is told."""
    return told_of(situation.state, situation.service, root, situation.now) | more


def told_of(state: ServiceState, service: Service, root: str, at: str) -> dict[str, Any]:
    """The same for whoever has no situation: a person's word is about the facts of its moment."""
    now, recent = moment(at), state.recent
    found: dict[str, Any] = {
        "hour": now.hour,
        "weekday": now.isoweekday(),
        "incident": state.incident is not None,
        "drift": _acts(state, "psi", "shift"),
        "risk": _acts(state, "risk"),
        "weight": state.routing.weight / WHOLE if state.routing is not None else 0.0,
        "rollouts_this_week": len(within(recent.rollouts, at, WEEK_S)),
        "rolled_back_this_week": len(within(recent.rollbacks, at, WEEK_S)),
        "retrains_this_week": len(within(recent.trainings, at, WEEK_S)),
    }
    if state.appointed_at:
        found["champion_age_h"] = elapsed_s(state.appointed_at, at) / 3600
    return found | _of_rollout(state.rollout, root) | _of_release(state, service, root)


def _of_rollout(rollout: RolloutState | None, root: str) -> dict[str, Any]:
    """Where nobody looked, or nobody could tell, "not underpowered" would be a guess."""
    if rollout is None or rollout.release != root or rollout.power in (None, "UNKNOWN"):
        return {}
    return {"underpowered": bool(rollout.weak)}


def _acts(state: ServiceState, *kinds: str) -> bool:
    return any(raised.signal.signal in kinds and raised.signal.level == "act" for raised in state.signals.values())


def _of_release(state: ServiceState, service: Service, root: str) -> dict[str, Any]:
    release = state.releases.get(root)
    if release is None:
        return {}
    return {
        "by_exception": not release.passed,
        "by_person": root in state.proposed,
        "failed_rollouts": state.recent.failed.get(root, 0),
        "reason": release.reason,
        "trained_rows": release.trained_rows,
        "holdout_rows": release.holdout_rows,
        "metrics": {
            name: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
            for name, each in release.metrics.items()
        },
        "gates": _verdicts(service.gates, release.gates),
    }


def _verdicts(declared: Sequence[Gate], results: Sequence[GateResult]) -> dict[str, str]:
    """Of each gate by the name that its owner gave it, and by the whole condition, which begins with that name."""
    found = {result.name: str(result.verdict) for result in results}
    for gate in declared:
        for result in results:
            if gate.name is not None and result.name.startswith(f"{gate.name}: "):
                found[gate.name] = str(result.verdict)
    return found


def asked_of(situation: Situation, root: str, approval: Approval) -> Needed:
    """Whose word this release needs now, by its approval step and the rules."""
    policy = situation.service.policy
    if not policy.rules:
        return Needed(quorum=approval.quorum)
    return needed(policy, facts_of(situation, root), quorum=approval.quorum)


def goes_alone(situation: Situation, root: str) -> str | None:
    """The rule by which nobody is asked about this release; None: people are.

    Never for a release that failed a gate, that a person had trained (four eyes), that a rollout of its own spoke
    against, or whose rollout sees less than it should: a person ended a step, or a step cannot answer in its time.
    """
    state, policy, power = situation.state, situation.service.policy, situation.outlook.power
    release, rollout = state.releases.get(root), state.rollout
    if release is None or not release.passed or root in state.proposed or state.recent.failed.get(root):
        return None
    if rollout is not None and (rollout.exceptions or rollout.skipped or rollout.weak):
        return None
    if rollout is None and power is not None and power.steps:
        return None
    if not policy.rules:
        return None
    # of a rollout that would open nothing is on the ledger yet
    foretold = {"underpowered": False} if rollout is None and power is not None and power.verdict == "POWERED" else {}
    return alone(policy, facts_of(situation, root, **foretold))


def training_barred(situation: Situation, trigger: str) -> tuple[str, ...]:
    """The wait for a rule about retraining; empty where none binds. What it is told of a release is the champion's."""
    policy = situation.service.policy
    if not policy.rules:
        return ()
    why = forbidden(policy, "retrain", facts_of(situation, situation.state.champion or "", trigger=trigger))
    return () if why is None else (f"the policy to forbid a training no longer: {why}",)


def training_rung(situation: Situation, trigger: str) -> Remedy:
    """Where retraining stands for what asks now: on its ladder, and not above `approval` where a rule needs people."""
    state, service = situation.state, situation.service
    stands = rung(service.autonomy, state.ladder("retrain"))
    if not service.policy.rules:
        return stands
    told = facts_of(situation, state.champion or "", trigger=trigger)
    return stands if agreement(service.policy, told) is None else lower(stands, "approval")


def barred(situation: Situation, action: str, root: str) -> Decision | None:
    """The wait for a rule of the policy; None where none forbids the action."""
    policy = situation.service.policy
    why = forbidden(policy, action, facts_of(situation, root)) if policy.rules else None
    if why is None:
        return None
    return Decision(
        action="rollout",
        what="wait",
        why=f"the policy forbids to {DOES[action]}: {why}",
        waiting_for=("the rule to forbid it no longer",),
    )
