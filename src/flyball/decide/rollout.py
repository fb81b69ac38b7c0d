"""May a rollout go on, go further, or must it go back?

`judge` is the `Judge` port: the gateway asks it ten times a second, so it reads sums and returns at once; it can stop a
candidate and never promotes one. `advance` is what the controller asks at the end of a step.

Order of the questions, and why. ROLL_BACK comes first: it needs no more than the candidate's weight, and the arm that
loses its records is often the sick one, so doubts about the bookkeeping must not shelter it. Then whether the evidence
may be believed at all (INVALID, INCONCLUSIVE). Only then whether it is enough. Whatever is missing is waited for.

Error rates. Rolling back: one e-process a guardrail for the whole rollout, bound ln(G/alpha), so the chance that an
equal candidate is ever stopped by them is at most alpha (Ville, union over G). Advancing: every guardrail must accept
at its own beta (intersection-union: no correction). The test of labelled shadow pairs has an alpha of its own.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from flyball.core.metric_evidence import MetricEvidence
from flyball.core.routing import WHOLE, PairEvidence, Routing, StepCounts, Verdict
from flyball.core.service import Guardrails, Pause, Step
from flyball.decide.even_shares import in_doubt
from flyball.decide.metric_rails import harmed, with_metrics
from flyball.decide.steps import after_canary, after_shadow
from flyball.stats.experiment.ratio_mismatch import ratio_log_e
from flyball.stats.sequential_tests.sequential import rollback_bound

GUARDRAILS = ("errors", "slow")
RATIO_MISMATCH_ALPHA = 0.001  # a broken split is a fault of ours and rare: only overwhelming evidence counts
RATIO_LOG_E = "log_e_ratio_mismatch"  # among a verdict's numbers: of its own step
MAX_DROPPED = 0.01  # share of the received rows that may lack a record before the counts stop being evidence


def judge(routing: Routing, counts: StepCounts, *, ratio_log_e_before: float = 0.0) -> Verdict:
    """The `Judge` port: may the running step go on? ROLL_BACK, INVALID, INCONCLUSIVE or HOLD; never PROMOTE.

    Args: ratio_log_e_before: evidence of the earlier steps that units do not get the promised share, nats. The gateway
        knows its own step; who has the others adds them, for e-values of stretches of units multiply.

    >>> from flyball.core.ids import ReleaseRoot, ServiceName
    >>> from flyball.core.routing import TestSums
    >>> routing = Routing(service=ServiceName("s"), epoch=2, champion=ReleaseRoot("a"), candidate=ReleaseRoot("b"),
    ...                   weight=1000, guardrails=Guardrails())
    >>> seen = StepCounts(service=ServiceName("s"), epoch=2, rollout=None, step=None, rollout_tests=TestSums(slow=3.7))
    >>> judge(routing, seen).kind, judge(routing, seen).cause
    ('ROLL_BACK', 'slow')
    """
    rails = routing.guardrails
    if routing.candidate is None or rails is None:
        return Verdict(kind="HOLD", reason="no candidate with guardrails takes part in the traffic")
    if (counts.rollout, counts.step) != (routing.rollout, routing.step):
        return Verdict(kind="HOLD", reason="the counts belong to another step", waiting_for=("counts of this step",))
    numbers = _numbers(rails, counts)
    bound = rollback_bound(rails.alpha, rails.count)
    for cause in GUARDRAILS:
        if numbers[f"log_e_{cause}"] >= bound:
            return _worse(cause, rails, numbers)
    if numbers["own_errors"] >= rails.max_errors:
        return _too_many(rails, numbers)
    return _unbelievable(routing, counts, numbers, ratio_log_e_before) or Verdict(
        kind="HOLD", reason="nothing speaks against the candidate so far", numbers=numbers
    )


def advance(
    step: Step,
    routing: Routing,
    counts: StepCounts,
    *,
    elapsed_s: float,
    labels: PairEvidence | None = None,
    labels_decide: bool = False,
    metrics: Sequence[MetricEvidence] = (),
    ratio_log_e_before: float = 0.0,
    uncounted: frozenset[str] = frozenset(),
    lowered: int = 0,
) -> Verdict:
    """May the rollout leave this step? PROMOTE says yes.

    At the step's timeout whatever is not decided carries the cause `timeout`, and the step's `on_timeout` applies.

    Args:
        step: as declared. routing, counts: of this step.
        elapsed_s: since the step began, by the clock of its world.
        labels: shadow pairs with matured labels; None: there are none.
        labels_decide: a gate was inconclusive and said `inconclusive: shadow`.
        metrics: what matured labels say of the two arms, for `guardrails.metrics`.
        ratio_log_e_before: as for `judge`.
        uncounted: guardrails whose events nobody counted: a canary is not judged by them, and the reason says so.
        lowered: how often a suspicion has lowered the weight in this rollout (`even_shares.lowerings`).
    """
    if step.promote is not None:
        return Verdict(kind="PROMOTE", reason="the last step asks nothing more")
    if step.approval is not None:
        role = step.approval.role
        if (running := _judged(routing, counts, 0.0, metrics)).kind == "ROLL_BACK":
            return running  # whoever decides, the shadow that goes on meanwhile can only stop the rollout
        return Verdict(kind="HOLD", reason="a person decides this step", waiting_for=(f"approval by role {role}",))
    if step.pause is not None:
        return _after_pause(step.pause, _judged(routing, counts, ratio_log_e_before, metrics), elapsed_s)
    declared = step.shadow or step.live
    assert declared is not None
    found, rails = _judged(routing, counts, ratio_log_e_before, metrics), routing.guardrails
    if found.kind == "HOLD" and not found.waiting_for and rails is not None:
        if step.shadow is not None:
            found = after_shadow(
                step.shadow, rails, counts, found.numbers, elapsed_s, labels, labels_decide=labels_decide
            )
        else:
            assert step.live is not None
            found = after_canary(step.live, rails, counts, found.numbers, elapsed_s, uncounted)
            found = with_metrics(found, rails, metrics, needed=step.soak is not None)
            if found.kind == "PROMOTE" and (doubts := in_doubt(step, routing, counts, lowered=lowered)):
                found = replace(found, kind="HOLD", reason="not enough yet", waiting_for=doubts)
    if found.kind in ("PROMOTE", "ROLL_BACK") or elapsed_s < step.ends_s:
        return found
    reason = f"undecided after {elapsed_s:g} s of at most {step.ends_s:g} s: {found.reason}"
    kind: Literal["INVALID", "INCONCLUSIVE"] = "INVALID" if found.kind == "INVALID" else "INCONCLUSIVE"
    return replace(found, kind=kind, reason=reason, cause="timeout")


def _judged(
    routing: Routing, counts: StepCounts, ratio_log_e_before: float, metrics: Sequence[MetricEvidence]
) -> Verdict:
    """As the gateway judges, and by the metrics, which the gateway does not know."""
    found = judge(routing, counts, ratio_log_e_before=ratio_log_e_before)
    if found.kind == "ROLL_BACK" or routing.guardrails is None:
        return found
    return harmed(routing.guardrails, metrics, found.numbers) or found


def _after_pause(pause: Pause, found: Verdict, elapsed_s: float) -> Verdict:
    """The guardrails go on; else the time alone decides, or a person."""
    if found.kind in ("ROLL_BACK", "INVALID"):
        return found
    if pause.duration_s is None:
        return replace(found, kind="HOLD", reason="the rollout pauses", waiting_for=("a person: resume",))
    left = pause.duration_s - elapsed_s
    if left > 0:
        return replace(found, kind="HOLD", reason="the rollout pauses", waiting_for=(f"{left:g} s more",))
    return replace(found, kind="PROMOTE", reason=f"the pause of {pause.duration_s:g} s is over", waiting_for=())


def _numbers(rails: Guardrails, counts: StepCounts) -> dict[str, float]:
    own = max(counts.rollout_candidate.errors, counts.candidate.errors, counts.shadow.errors)
    return {
        "log_e_errors": counts.rollout_tests.errors,
        "log_e_slow": counts.rollout_tests.slow,
        "bound": rollback_bound(rails.alpha, rails.count),
        "own_errors": float(own),
        "own_slow": float(max(counts.rollout_candidate.slow, counts.candidate.slow, counts.shadow.slow)),
        "own_requests": float(
            max(counts.rollout_candidate.requests, counts.candidate.requests, counts.shadow.requests)
        ),
        "champion_requests": float(counts.champion.requests),
        "champion_errors": float(counts.champion.errors),
        "champion_slow": float(counts.champion.slow),
    }


def _worse(cause: str, rails: Guardrails, numbers: dict[str, float]) -> Verdict:
    what, ratio = ("errors", rails.errors.ratio) if cause == "errors" else ("slow answers", rails.slow.ratio)
    reason = (
        f"the candidate's {what} are more than the champion's: log e {numbers[f'log_e_{cause}']:.2f} for "
        f"{ratio:g} times as many reached {numbers['bound']:.2f} = ln({rails.count}/{rails.alpha:g}), "
        f"with {numbers[f'own_{cause}']:.0f} {what} in {numbers['own_requests']:.0f} answers of its own"
    )
    return Verdict(kind="ROLL_BACK", reason=reason, cause="errors" if cause == "errors" else "slow", numbers=numbers)


def _too_many(rails: Guardrails, numbers: dict[str, float]) -> Verdict:
    shared = numbers["log_e_errors"] <= 0 and numbers["champion_errors"] > 0
    blame = (
        "the champion errs as well, so this is a precaution, not a finding against it"
        if shared
        else "no statistics asked"
    )
    reason = f"{numbers['own_errors']:.0f} error events of the candidate reached max_errors {rails.max_errors}: {blame}"
    cause: Literal["common_cause", "max_errors"] = "common_cause" if shared else "max_errors"
    return Verdict(kind="ROLL_BACK", reason=reason, cause=cause, numbers=numbers)


def _unbelievable(
    routing: Routing, counts: StepCounts, numbers: dict[str, float], ratio_before: float
) -> Verdict | None:
    """What keeps the counts from being evidence, or None."""
    units = (counts.champion.units, counts.candidate.units)
    if 0 < routing.weight < WHOLE and sum(units) > 0:
        share = routing.weight / WHOLE
        log_e = ratio_log_e(units, (1 - share, share))
        numbers[RATIO_LOG_E] = log_e
        if ratio_before + log_e >= rollback_bound(RATIO_MISMATCH_ALPHA, 1):
            reason = (
                f"{units[1]} of {sum(units)} units reached the candidate where {share:.2%} were promised: "
                + ("" if not ratio_before else f"with the steps before, log e {ratio_before + log_e:.1f}: ")
                + "the comparison is broken, whatever the counts say"
            )
            return Verdict(kind="INVALID", reason=reason, cause="ratio_mismatch", numbers=numbers)
    if counts.dropped > MAX_DROPPED * counts.received:
        reason = f"{counts.dropped} of {counts.received} rows lack a record (at most {MAX_DROPPED:.0%} may)"
        return Verdict(kind="INCONCLUSIVE", reason=reason, numbers=numbers, waiting_for=("complete records",))
    return None
