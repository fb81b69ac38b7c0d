"""What a rule of the policy is told about a release at this moment, and what it stops. Pure."""

from collections.abc import Sequence
from typing import Any

from flyball.control.decision import Decision, Situation, elapsed_s
from flyball.core.clock import moment
from flyball.core.release import GateResult
from flyball.core.routing import WHOLE
from flyball.core.service import Approval, Gate
from flyball.decide.policy import Needed, forbidden, needed


def facts_of(situation: Situation, root: str) -> dict[str, Any]:
    """The facts of `core.policy_facts`; one that is not known is not there, and then the rule forbids."""
    state, now = situation.state, moment(situation.now)
    found: dict[str, Any] = {
        "hour": now.hour,
        "weekday": now.isoweekday(),
        "incident": state.incident is not None,
        "weight": state.routing.weight / WHOLE if state.routing is not None else 0.0,
    }
    if state.appointed_at:
        found["champion_age_h"] = elapsed_s(state.appointed_at, situation.now) / 3600
    return found | _of_release(situation, root)


def _of_release(situation: Situation, root: str) -> dict[str, Any]:
    release = situation.state.releases.get(root)
    if release is None:
        return {}
    return {
        "by_exception": not release.passed,
        "reason": release.reason,
        "trained_rows": release.trained_rows,
        "holdout_rows": release.holdout_rows,
        "metrics": {
            name: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
            for name, each in release.metrics.items()
        },
        "gates": _verdicts(situation.service.gates, release.gates),
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


def training_barred(situation: Situation) -> tuple[str, ...]:
    """The wait for a rule about retraining; empty where none binds. What it is told of a release is the champion's."""
    policy, champion = situation.service.policy, situation.state.champion
    if not policy.rules:
        return ()
    why = forbidden(policy, "retrain", facts_of(situation, champion or ""))
    return () if why is None else (f"the policy to forbid a training no longer: {why}",)


def barred(situation: Situation, action: str, root: str) -> Decision | None:
    """The wait for a rule of the policy; None where none forbids the action."""
    policy = situation.service.policy
    why = forbidden(policy, action, facts_of(situation, root)) if policy.rules else None
    if why is None:
        return None
    return Decision(
        action="rollout",
        what="wait",
        why=f"the policy forbids to {'open a rollout' if action == 'rollout' else 'promote'}: {why}",
        waiting_for=("the rule to forbid it no longer",),
    )
