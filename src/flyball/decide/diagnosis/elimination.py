"""Which kind of change is it? Asked before any remedy, because each kind needs another one.

Order, and why: a broken supply looks like every other kind, so data quality comes first, and beside what has moved the
volume: who still asks when most have stopped is no sample. Then who moved: the shares of the classes (label shift), the
inputs beyond that (covariate shift), or nobody. Then the labels: is the model worse, and worse than rows of this kind
let expect (concept drift)? The last two may be true at once, and then both are said. Inputs that moved while the labels
show no loss are harmless: drift opens the question, risk moves the actuators. Where the labels of the moved rows have
not come yet, the effect is estimated and the kind is unknown, because no estimate without labels sees the concept.
Where no live metric is watched none will come: the shift is named, without a remedy.
Each question is kept with its number, its limit and its answer.
"""

from collections.abc import Collection, Sequence
from math import sqrt

from msgspec.structs import replace

from flyball.core.causes import Asked, Expected, Segment
from flyball.core.service import Psi, Quality
from flyball.core.watching import Diagnosis, DiagnosisKind, QualityFinding, WindowReport
from flyball.decide.diagnosis.classes import label_shift
from flyball.decide.diagnosis.effects import Z90, estimated_effects, told_effects
from flyball.decide.diagnosis.loss import Gap, Loss, concept_gap, judged, loss_of, since_change, whole_gap
from flyball.decide.diagnosis.questions import beyond_asked, moved_asked, worse_asked
from flyball.decide.diagnosis.standing import standing_shifts, within_limit
from flyball.decide.diagnosis.volume import volume_asked

ANSWERS = ("prediction", "score", "top_score")
UNWATCHED = "no live metric is watched, so nobody sees whether the model is worse, or whether a training helps"


def diagnose(
    reports: Sequence[WindowReport],
    limits: Psi,
    *,
    settled: Collection[str] = (),
    labels_expected: bool = True,
    volume_factor: float = Quality().max_volume_factor,
) -> Diagnosis:
    """The newest window in the light of those before it.

    Args:
        reports: of the present champion, in order.
        settled: features whose quality findings were accepted as the new normal.
        labels_expected: False where the service watches no live metric, so that waiting for labels is no answer.
        volume_factor: fewer rows than the usual ones over it make drift suspect.
    """
    if not reports:
        return Diagnosis(kind="unknown", reason="no window is complete yet", kinds=("unknown",))
    now = reports[-1]
    broken = [finding for finding in now.quality if finding.feature is None or finding.feature not in settled]
    supply = Asked(
        question="is the supply broken?",
        answer="yes" if broken else "no",
        number=float(len(broken)),
        limit=0.0,
        detail="; ".join(finding.detail for finding in broken) or "no finding of quality",
    )
    if broken:
        return _repair(broken, supply, now)
    moved = [signal for signal in now.signals if signal.signal == "psi"]
    found = since_change(reports, moved, limits.consecutive)
    risky = any(signal.signal == "risk" and signal.level == "act" for signal in now.signals)
    loss = judged(loss_of(found), whole_gap(found, limits.consecutive), risky=risky)
    inputs = {signal.feature: signal.value for signal in moved if signal.feature not in ANSWERS and signal.feature}
    answers = {
        signal.feature: signal.value
        for signal in moved
        if signal.feature in ANSWERS and signal.level == "act" and signal.feature
    }
    classes = label_shift(now.classes, (*inputs, *answers), limits.warn) if moved else None
    by_class = classes is not None and classes.answer == "yes"
    gap = concept_gap(reports, limits.consecutive, by_class=by_class)
    shifts = standing_shifts(now, inputs | answers)
    small = [within_limit(now, shifts, limits.warn)] if shifts else []
    few = [told] if (told := volume_asked(now, volume_factor)) else []
    asked = [*few, moved_asked(now, inputs | answers, limits), *small, *([classes] if classes else [])]
    steps = [supply, *asked, worse_asked(loss), beyond_asked(gap)]
    numbers = _numbers(inputs | answers, loss, gap)
    if not inputs and not answers:
        made = _without_drift(loss, gap, numbers)
    else:
        made = _with_drift(inputs, answers, classes, limits, loss, gap, numbers, labels_expected, found)
    unseen = made.kind == "unknown" or (loss is None and bool(inputs or answers))
    effects = estimated_effects(now) if unseen else told_effects(found, label_shift="label_shift" in made.kinds)
    notes = [f"; within the limit: {each.detail}" for each in small]
    notes += [f"; part of the supply may be gone: {each.detail}" for each in few]
    return replace(
        made,
        features=_ranked(now, made.features),
        steps=tuple(steps),
        changes=now.changes,
        effects=effects,
        segments=_segments(made, found, now),
        reason=made.reason + _rosy(made, found, now) + "".join(notes),
    )


def _segments(made: Diagnosis, found: Sequence[WindowReport], now: WindowReport) -> tuple[Segment, ...]:
    """Of the newest window with labels, where a concept has changed."""
    if "concept_drift" not in made.kinds:
        return ()
    return now.segments or next((report.segments for report in found if report.segments), ())


def _repair(broken: Sequence[QualityFinding], supply: Asked, now: WindowReport) -> Diagnosis:
    features = tuple(dict.fromkeys(finding.feature for finding in broken if finding.feature is not None))
    return Diagnosis(
        kind="data_quality",
        kinds=("data_quality",),
        reason=f"the supply is broken: {supply.detail}",
        features=features,
        numbers={f"{finding.kind}/{finding.feature or 'rows'}": finding.value for finding in broken},
        remedy="repair",
        steps=(supply,),
        changes=now.changes,
    )


def _numbers(moved: dict[str, float], loss: Loss | None, gap: Gap | None) -> dict[str, float]:
    numbers = {f"psi/{name}": value for name, value in moved.items()}
    if loss is not None:
        numbers |= {"loss": loss.value, "loss_low": loss.low, "loss_rows": float(loss.n)}
    if gap is not None:
        numbers |= {"gap": gap.value, "gap_low": gap.low, "gap_limit": gap.limit}
    return numbers


def _without_drift(loss: Loss | None, gap: Gap | None, numbers: dict[str, float]) -> Diagnosis:
    """Inputs and answers stayed: only the labels can tell of a change."""
    if loss is not None and loss.harmful and gap is None:
        reason = f"inputs and answers stayed, yet over {loss.n} labels the model is worse by {loss.value:.4g}"
        return _is(("concept_drift",), reason, (), numbers)
    if gap is not None and gap.sure:
        reason = f"inputs and answers stayed, yet over {gap.n} labels a row loses {gap.value:.4g} more than before"
        return _is(("concept_drift",), reason, (), numbers)
    if loss is not None and loss.risky and not loss.harmful:
        return _not_sure("inputs and answers stayed", loss, (), numbers)
    unseen = "" if loss or gap else "; there are no labels of these rows, so no change of the concept would show"
    reason = f"nothing is beyond its limit{unseen}"
    return Diagnosis(kind="harmless", kinds=("harmless",), reason=reason, numbers=numbers, remedy="none")


def _with_drift(
    inputs: dict[str, float],
    answers: dict[str, float],
    classes: Asked | None,
    limits: Psi,
    loss: Loss | None,
    gap: Gap | None,
    numbers: dict[str, float],
    labels_expected: bool,
    found: Sequence[WindowReport],
) -> Diagnosis:
    """Inputs or answers have moved: what do the labels say of it?"""
    moved = inputs or answers
    ranked = sorted(moved, key=lambda name: -moved[name])
    total = sum(moved.values())
    told = ", ".join(f"{name} {moved[name]:.2f} ({moved[name] / total:.0%})" for name in ranked[:5])
    what = f"PSI above {limits.warn:g} in {told}"
    numbers = numbers | {f"share/{name}": moved[name] / total for name in ranked}
    if loss is None and labels_expected:
        reason = f"{what}; the labels of these rows have not come yet"
        return Diagnosis(
            kind="unknown",
            kinds=("unknown",),
            reason=reason,
            features=tuple(ranked),
            numbers=numbers,
            remedy="wait_for_labels",
        )
    if loss is not None and loss.risky and not loss.harmful:
        return _not_sure(what, loss, ranked, numbers)
    if loss is not None and not loss.harmful:
        reason = f"{what}, but {_not_worse(loss)}"
        return Diagnosis(
            kind="harmless",
            kinds=("harmless",),
            reason=reason,
            features=tuple(ranked),
            numbers=numbers,
            remedy="none",
        )
    shifted: DiagnosisKind = "covariate_shift"
    where = ""
    if classes is not None and classes.answer == "yes":
        shifted, where = "label_shift", f"the classes have other shares ({classes.detail}): "
    elif not inputs and (classes is None or classes.answer == "unknown"):
        shifted, where = "label_shift", "inputs stayed, the answers moved: "
    elif not inputs:
        where = "each input by itself stayed, the answers moved: "
    if loss is None:  # nor will there be one, so drift opens the question and nobody answers it
        reason = f"{where}{what}; {UNWATCHED}"
        made = _is((shifted,), reason, ranked, numbers)
        return replace(made, remedy="none")
    seen = f"over {loss.n} labels worse by {loss.value:.4g}"
    if gap is None or not gap.sure:
        return _is((shifted,), f"{where}{what}; {seen}", ranked, numbers)
    both: tuple[DiagnosisKind, ...] = (shifted, "concept_drift")
    reason = f"{where}{what}; {seen}, {gap.value:.4g} of it beyond what such rows let expect"
    weightier = _covariate_part(found) > gap.value
    return _is(both, reason, ranked, numbers, kind=shifted if weightier else "concept_drift")


def _not_worse(loss: Loss) -> str:
    return f"over {loss.n} labels the model is not surely worse ({loss.value:+.4g}, at least {loss.low:+.4g})"


def _not_sure(what: str, loss: Loss, features: Sequence[str], numbers: dict[str, float]) -> Diagnosis:
    """The risk signal is open, and a quiet window is that bad more often than one in a thousand times."""
    reason = f"{what}; over {loss.n} labels worse by {loss.value:.4g}, which chance may still explain"
    return Diagnosis(
        kind="unknown",
        kinds=("unknown",),
        reason=reason,
        features=tuple(features),
        numbers=numbers,
        remedy="wait_for_labels",
    )


def _covariate_part(found: Sequence[WindowReport]) -> float:
    parts = [report.split[0] for report in found if report.split]
    n = sum(one.n for one in parts)
    return sum((one.expected - one.before) * one.n for one in parts) / n if n else 0.0


def _is(
    kinds: tuple[DiagnosisKind, ...],
    reason: str,
    features: Sequence[str],
    numbers: dict[str, float],
    *,
    kind: DiagnosisKind | None = None,
) -> Diagnosis:
    return Diagnosis(
        kind=kind or kinds[0],
        kinds=kinds,
        reason=reason,
        features=tuple(features),
        numbers=numbers,
        remedy="retrain",
    )


def _ranked(now: WindowReport, features: Sequence[str]) -> tuple[str, ...]:
    """Features in the order in which they matter: by PSI, weighted with the model's sensitivity where it is known."""
    weight = {change.feature: change.weighted for change in now.changes if change.weighted is not None}
    return tuple(sorted(features, key=lambda name: -weight.get(name, 0.0))) if weight else tuple(features)


def _rosy(made: Diagnosis, found: Sequence[WindowReport], now: WindowReport) -> str:
    """Where the labels contradict the estimate without them, that is said."""
    if "concept_drift" not in made.kinds or len(made.kinds) < 2 or not found or not found[0].split:
        return ""
    told: Expected = found[0].split[0]
    without = next((one for one in now.expected if one.loss == told.loss), None)
    if without is None or told.now is None:
        return ""
    half = Z90 * sqrt(without.covariate_variance)
    if told.now <= without.expected + half:
        return ""
    return f"; an estimate without labels is too rosy ({told.loss} {without.expected:.3g}, by labels {told.now:.3g})"
