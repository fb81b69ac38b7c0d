"""What a rule of the policy is told about a release at this moment, and what it stops. Pure."""

from typing import Any

from flyball.control.decision import Decision, Situation, elapsed_s
from flyball.core.clock import moment
from flyball.core.routing import WHOLE
from flyball.decide.policy import forbidden


def facts_of(situation: Situation, root: str) -> dict[str, Any]:
    """The facts of `core.policy_facts`; one that is not known is not there, and then the rule forbids."""
    state, now, release = situation.state, moment(situation.now), situation.state.releases[root]
    found: dict[str, Any] = {
        "hour": now.hour,
        "weekday": now.isoweekday(),
        "incident": state.incident is not None,
        "by_exception": not release.passed,
        "reason": release.reason,
        "trained_rows": release.trained_rows,
        "holdout_rows": release.holdout_rows,
        "weight": state.routing.weight / WHOLE if state.routing is not None else 0.0,
        "metrics": {
            name: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
            for name, each in release.metrics.items()
        },
        "gates": {gate.name: gate.verdict for gate in release.gates},
    }
    if state.appointed_at:
        found["champion_age_h"] = elapsed_s(state.appointed_at, situation.now) / 3600
    return found


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
