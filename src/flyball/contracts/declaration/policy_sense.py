"""Rules of the policy that make no sense: a condition over no fact, a word of nobody, a need that nobody asks."""

from collections.abc import Iterator, Sequence

from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.schema_faults import nearest
from flyball.contracts.yaml_text import Path
from flyball.core import expression, policy_facts
from flyball.core.measures import family
from flyball.core.service import Autonomy, Gate, Metadata, Policy, Rollout, Rule
from flyball.stats.scoring.metrics import METRICS


def of_names(policy: Policy, gates: Sequence[Gate]) -> Iterator[Finding]:
    """Gates and metrics that a rule names exist: one that nobody has would bind for ever."""
    named = sorted({gate.name for gate in gates if gate.name is not None})
    for index, rule in enumerate(policy.rules):
        at: Path = ("policy", "rules", index, "when")
        for name in sorted(policy_facts.gates_of(rule.when) - set(named)):
            if " " not in name:  # else it is the condition of a gate, word for word
                yield at, f"the name of a gate: {', '.join(named) or 'none has one'}", name, nearest(name, named)
        for name in sorted(expression.reads(rule.when)):
            if name not in METRICS and family(name) is None:
                yield at, "a metric or a measure", name, nearest(name, METRICS)


def of_policy(policy: Policy) -> Iterator[Finding]:
    """Each rule can be asked: its names are facts, and it says yes or no; and it says of whom."""
    for index, rule in enumerate(policy.rules):
        at: Path = ("policy", "rules", index)
        asks_once = rule.effect == "needs" and rule.action in ("promote", "retrain")
        wrong = policy_facts.fault(rule.when, action=rule.action, lasting=asks_once)
        if wrong is not None:
            yield (*at, "when"), "a CEL condition over the facts of the policy", wrong, ""
        yield from _effect(at, rule)


def _effect(at: Path, rule: Rule) -> Iterator[Finding]:
    match rule.effect, rule.action:
        case "needs", "promote":
            if rule.quorum is None:
                yield (*at, "quorum"), "how many people it needs", "none", ""
            return
        case "needs", "retrain":
            if rule.quorum is not None:
                yield (*at, "quorum"), "none, for retrain", str(rule.quorum), "one approver agrees to a training"
            return
        case "needs", action:
            yield (*at, "effect"), f"never, for {action}", "needs", "people are asked for a promotion, or a training"
        case "alone", action if action != "promote":
            fix = "how far a training goes alone says autonomy.retrain, and a rule may need an approver"
            expected, fix = ("never or needs", fix) if action == "retrain" else ("never", "")
            yield (*at, "effect"), f"{expected}, for {action}", "alone", fix
        case _:
            pass
    if rule.quorum is not None and rule.effect != "needs":
        yield (*at, "effect"), "needs, beside quorum", rule.effect, "a number of people is of a rule that needs them"


def of_needed(
    policy: Policy, rollout: Rollout, metadata: Metadata | None, autonomy: Autonomy | None
) -> Iterator[Finding]:
    """Whoever a rule asks for is asked somewhere, and is there."""
    asks = any(step.approval is not None for step in rollout.steps) or (
        autonomy is not None and autonomy.promote == "approval"
    )
    for index, rule in enumerate(policy.rules):
        at: Path = ("policy", "rules", index)
        if rule.action != "promote" or rule.effect == "never":
            continue
        if not asks:
            yield (*at, "effect"), "an approval step, which asks", "none", "add `- approval: {}` to rollout.steps"
        role = next((step.approval.role for step in rollout.steps if step.approval), "approver")
        people = metadata.people if metadata is not None else {}
        holders = sum(role in roles for roles in people.values())
        if rule.effect == "needs" and people and holders < (rule.quorum or 1):
            fix = "give more people the role, or the rollout waits for ever"
            yield at, f"at most the {holders} who hold the role {role}", str(rule.quorum or 1), fix
