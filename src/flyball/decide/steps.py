"""What a running step asks before it may be left: a canary its guardrails, a shadow its pairs.

Answers PROMOTE, or HOLD with what is missing; the shadow's own comparisons may also answer ROLL_BACK. Whether the
counts may be believed, and the guardrails of the whole rollout, were asked before (`decide.rollout`).
"""

from flyball.core.routing import ArmCounts, PairEvidence, StepCounts, Verdict
from flyball.core.service import Canary, Guardrail, Guardrails, Shadow
from flyball.stats.confidence_sequences.sequences import bernoulli_upper
from flyball.stats.sequential_tests.paired import PairedTest
from flyball.stats.sequential_tests.sequential import accept_bound
from flyball.stats.sequential_tests.sprt import Finding

BURNING = 10.0  # both arms at this many times a ceiling: an incident of the whole service, no time to advance


def after_canary(
    step: Canary,
    rails: Guardrails,
    counts: StepCounts,
    numbers: dict[str, float],
    elapsed_s: float,
    uncounted: frozenset[str] = frozenset(),
) -> Verdict:
    """Enough requests and time, and each guardrail passed: by its ceiling, or by the test of this step.

    One whose events nobody counted has not passed: it is left out, and the reason says so.
    """
    asked = max(1, step.min_requests)  # no traffic at all is never enough
    waiting = _waiting(("requests of the candidate", counts.candidate.requests, asked), elapsed_s, step.min_s)
    numbers = dict(numbers)
    passed: list[str] = []
    for name, rail, own, log_e in (
        ("errors", rails.errors, counts.candidate.errors, counts.step_tests.errors),
        ("slow", rails.slow, counts.candidate.slow, counts.step_tests.slow),
    ):
        if name in uncounted:
            passed.append(f"{name} not judged: nobody counted them")
            continue
        upper = bernoulli_upper(_exposures(counts.candidate, own), own, alpha=rails.beta)
        numbers |= {f"step_log_e_{name}": log_e, f"upper_{name}": upper}
        if _burning(name, rail, counts):
            waiting.append(f"fewer {name} in both arms: this is no time to advance, whoever causes it")
        elif upper < rail.ceiling:
            passed.append(f"{name} at most {upper:.4g} (ceiling {rail.ceiling:g})")
        elif log_e <= accept_bound(rails.beta):
            passed.append(f"{name} not {rail.ratio:g} times the champion's (log e {log_e:.2f})")
        else:
            waiting.append(f"evidence on {name}: upper bound {upper:.4g} of {rail.ceiling:g}, log e {log_e:.2f}")
    return _answer(waiting, "; ".join(passed), numbers)


def after_shadow(
    step: Shadow,
    rails: Guardrails,
    counts: StepCounts,
    numbers: dict[str, float],
    elapsed_s: float,
    labels: PairEvidence | None,
    *,
    labels_decide: bool = False,
) -> Verdict:
    """Enough pairs and time; labelled pairs and a declared limit on disagreement may stop the candidate.

    Labelled pairs that leave the question open at `min_pairs` do not hold it up: their interval is in the evidence.
    Unless a gate was inconclusive and left the answer to them (`labels_decide`): then only "not worse" goes on.
    """
    pairs, differing = counts.pairs, counts.disagreements
    waiting = _waiting(("pairs", pairs, max(1, step.min_pairs)), elapsed_s, step.min_s)
    numbers = numbers | {"pairs": float(pairs), "disagreements": float(differing)}
    passed = f"{pairs} pairs, {differing} disagreements"
    if step.max_disagreement is not None and pairs:
        # the lower bound of a rate is one minus the upper bound of its complement
        lower = 1 - bernoulli_upper(pairs, pairs - differing, alpha=rails.alpha)
        numbers["disagreement_lower"] = lower
        if lower > step.max_disagreement:
            reason = f"at least {lower:.4g} of the rows are answered otherwise, allowed is {step.max_disagreement:g}"
            return Verdict(kind="ROLL_BACK", reason=reason, cause="disagreement", numbers=numbers)
        if differing > step.max_disagreement * pairs:
            waiting.append(f"disagreement at or below {step.max_disagreement:g}, now {differing / pairs:.4g}")
    finding = Finding.UNDECIDED
    if labels is not None and labels.pairs:
        test = PairedTest(pairs=labels.pairs, candidate_only=labels.candidate_only, champion_only=labels.champion_only)
        interval = test.difference()
        numbers |= {
            "labelled_pairs": float(labels.pairs),
            "log_e_labels": test.log_e,
            "difference": interval.value,
            "difference_low": interval.low,
            "difference_high": interval.high,
        }
        finding = test.verdict(alpha=rails.alpha, beta=rails.beta)
        if finding is Finding.WORSE:
            reason = (
                f"of {labels.pairs} labelled pairs the champion alone was right {labels.champion_only} times, "
                f"the candidate alone {labels.candidate_only} times (log e {test.log_e:.2f})"
            )
            return Verdict(kind="ROLL_BACK", reason=reason, cause="labels", numbers=numbers)
        passed += f", {labels.pairs} with labels: share right {interval.low:+.3f} to {interval.high:+.3f}"
    if labels_decide and finding is not Finding.NOT_WORSE:
        waiting.append("labelled pairs that show it is not worse: a gate was inconclusive and left it to them")
    if step.labels == "required":
        known = labels.pairs if labels else 0
        waiting += _waiting(("labelled pairs", known, max(step.min_pairs, 1)), 0.0, 0.0)
    return _answer(waiting, passed, numbers)


def _waiting(count: tuple[str, int, int], elapsed_s: float, min_s: float) -> list[str]:
    what, have, need = count
    waiting = [f"{what}: {have} of {need}"] if have < need else []
    if elapsed_s < min_s:
        waiting.append(f"time: {elapsed_s:g} of {min_s:g} s")
    return waiting


def _answer(waiting: list[str], passed: str, numbers: dict[str, float]) -> Verdict:
    if waiting:
        return Verdict(kind="HOLD", reason="not enough yet", numbers=numbers, waiting_for=tuple(waiting))
    return Verdict(kind="PROMOTE", reason=passed, numbers=numbers)


def _burning(name: str, rail: Guardrail, counts: StepCounts) -> bool:
    """Both arms far above the ceiling: the two-arm test says "not worse", and the service is on fire all the same."""
    limit = min(0.5, BURNING * rail.ceiling)
    return all(
        _events(name, arm) > limit * max(1, arm.units or arm.requests) for arm in (counts.champion, counts.candidate)
    )


def _exposures(arm: ArmCounts, events: int) -> int:
    """How often an event could have happened. Events are counted once a unit, because those of one unit hang together.

    Without any event no request had one either, so each request is a trial; else each unit is.
    """
    return arm.requests if not events else max(arm.units or arm.requests, events)


def _events(name: str, arm: ArmCounts) -> int:
    return arm.errors if name == "errors" else arm.slow
