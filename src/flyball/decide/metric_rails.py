"""Metrics of matured labels as guardrails: what sends a candidate back, and what a canary waits for.

Error rates. Sent back: each metric has its share of alpha with errors and slow answers, one process for the whole
rollout. Let on: a metric that is `required` accepts at beta in each step, as the other guardrails do. Groups of slices
only hold: those that e-BH names at alpha, whatever their dependence, want a person.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from flyball.core.declared.guardrails import Guardrails, MetricGuardrail
from flyball.core.metric_evidence import MetricEvidence
from flyball.core.routing import Verdict
from flyball.stats.change.edetector import e_bh
from flyball.stats.sequential_tests.sequential import accept_bound, rollback_bound

ARMS_ALPHA = 0.001  # as a broken split: a fault of ours and rare


def harmed(rails: Guardrails, evidence: Sequence[MetricEvidence], numbers: dict[str, float]) -> Verdict | None:
    """ROLL_BACK where a metric is worse by more than its margin; None: nothing says so.

    >>> seen = MetricEvidence(name="conversion", candidate=900, champion=9100, candidate_mean=0.03, champion_mean=0.05,
    ...     log_e_worse=5.1)
    >>> found = harmed(Guardrails(metrics=(MetricGuardrail(name="conversion"),)), [seen], {})
    >>> found.kind, found.cause, found.reason
    ('ROLL_BACK', 'metric', "conversion is worse by more than 5%: 0.03 in 900 units of the candidate, 0.05 in 9100 of \
the champion's, log e 5.10 reached 4.09 = ln(3/0.05)")
    """
    bound = rollback_bound(rails.alpha, rails.count)
    for rail, seen in _pairs(rails, evidence):
        if seen.log_e_worse >= bound and _believable(seen):
            reason = (
                f"{seen.name} is worse by more than {_tolerated(rail)}: {_means(seen)}, "
                f"log e {seen.log_e_worse:.2f} reached {bound:.2f} = ln({rails.count}/{rails.alpha:g})"
            )
            return Verdict(kind="ROLL_BACK", reason=reason, cause="metric", numbers=numbers | _numbers(seen))
    return None


def with_metrics(
    found: Verdict, rails: Guardrails, evidence: Sequence[MetricEvidence], *, needed: bool = False
) -> Verdict:
    """A canary's answer, with what the metrics add: figures, what they wait for, slices that are worse.

    Args: found: of the other guardrails, PROMOTE or HOLD. needed: every metric is waited for, as a soak does.
    """
    numbers, waiting, passed = dict(found.numbers), [], []
    for rail, seen in _pairs(rails, evidence):
        numbers |= _numbers(seen)
        if not _believable(seen):
            waiting.append(
                f"labels of both arms as they were assigned: of {seen.candidate + seen.champion} labelled units "
                f"{seen.candidate} are the candidate's (log e {seen.log_e_arms:.1f})"
            )
        elif seen.log_e_fine >= -accept_bound(rails.beta):
            passed.append(f"{seen.name} not worse by {_tolerated(rail)} ({_means(seen)})")
        elif needed or rail.labels == "required":
            waiting.append(
                f"labels that show {seen.name} not worse by {_tolerated(rail)}: {_means(seen)}, "
                f"log e {seen.log_e_fine:.2f} of {-accept_bound(rails.beta):.2f}"
                + (" (a person: so many units were told apart that no more are counted)" if seen.full else "")
            )
    waiting += [f"a person: {each}" for each in worse_groups(rails, evidence)]
    if waiting:
        reason = found.reason if found.kind == "HOLD" else "not enough yet"
        return replace(found, kind="HOLD", reason=reason, numbers=numbers, waiting_for=(*found.waiting_for, *waiting))
    return replace(found, reason="; ".join([found.reason, *passed]), numbers=numbers)


def worse_groups(rails: Guardrails, evidence: Sequence[MetricEvidence]) -> tuple[str, ...]:
    """Groups of slices in which a metric is worse by more than its margin, most evidence first; at most a share alpha
    of them wrongly so."""
    margins = {rail.name: _tolerated(rail) for rail in rails.metrics}
    groups = [seen for seen in evidence if seen.group and seen.name in margins]
    if not groups:
        return ()
    named = e_bh([seen.log_e_worse for seen in groups], alpha=rails.alpha)
    return tuple(
        f"{groups[at].name} is worse by more than {margins[groups[at].name]} where {groups[at].group}: "
        f"{_means(groups[at])}, log e {groups[at].log_e_worse:.2f}"
        for at in named.tolist()
    )


def _pairs(rails: Guardrails, evidence: Sequence[MetricEvidence]) -> list[tuple[MetricGuardrail, MetricEvidence]]:
    """Each declared metric with its evidence over all rows; without any yet, with none."""
    known = {seen.name: seen for seen in evidence if not seen.group}
    return [(rail, known.get(rail.name, MetricEvidence(name=rail.name))) for rail in rails.metrics]


def _believable(seen: MetricEvidence) -> bool:
    return seen.log_e_arms < rollback_bound(ARMS_ALPHA, 1)


def _numbers(seen: MetricEvidence) -> dict[str, float]:
    means = {"candidate": seen.candidate_mean, "champion": seen.champion_mean}
    return {
        f"{seen.name}_units_candidate": float(seen.candidate),
        f"{seen.name}_units_champion": float(seen.champion),
        f"log_e_{seen.name}": seen.log_e_worse,
        f"step_log_e_{seen.name}": seen.log_e_fine,
    } | {f"{seen.name}_{arm}": mean for arm, mean in means.items() if mean is not None}


def _tolerated(rail: MetricGuardrail) -> str:
    return rail.tolerated if isinstance(rail.tolerated, str) else f"{rail.tolerated:g}"


def _means(seen: MetricEvidence) -> str:
    if seen.candidate_mean is None or seen.champion_mean is None:
        return f"{seen.candidate} units of the candidate and {seen.champion} of the champion's have a matured label"
    return (
        f"{seen.candidate_mean:.4g} in {seen.candidate} units of the candidate, "
        f"{seen.champion_mean:.4g} in {seen.champion} of the champion's"
    )
