"""A diagnosis in words: the kinds, why, what was asked, what it costs, where it sits."""

from flyball.core.causes import Asked, Effect, FeatureChange, Segment
from flyball.core.watching import Diagnosis

TOLD_FEATURES, TOLD_SEGMENTS = 3, 3


def told_diagnosis(made: Diagnosis) -> str:
    """One paragraph; a diagnosis of an old ledger has its kind and reason only.

    >>> told_diagnosis(Diagnosis(kind="harmless", reason="nothing is beyond its limit"))
    'diagnosis: harmless: nothing is beyond its limit'
    """
    kinds = " and ".join(kind.replace("_", " ") for kind in made.kinds or (made.kind,))
    parts = [f"diagnosis: {kinds}: {made.reason}"]
    if made.steps:
        parts.append("asked: " + "; ".join(_asked(step) for step in made.steps))
    if costs := [_cost(effect) for effect in made.effects if effect.metric == made.effects[0].metric]:
        parts.append(f"effect on {made.effects[0].metric}, worse by: " + "; ".join(costs))
    if made.changes:
        parts.append("sits in: " + "; ".join(_change(change) for change in made.changes[:TOLD_FEATURES]))
    if made.segments:
        parts.append("fare worse than the rest: " + "; ".join(_segment(one) for one in made.segments[:TOLD_SEGMENTS]))
    return ". ".join(parts)


def _asked(step: Asked) -> str:
    number = "" if step.number is None else f" ({step.number:.3g}"
    limit = "" if step.limit is None or not number else f", limit {step.limit:.3g}"
    return f"{step.question} {step.answer}{number}{limit}{')' if number else ''}"


def _cost(effect: Effect) -> str:
    if effect.value is None or effect.low is None or effect.high is None:
        return f"{effect.cause} {effect.reason}"
    by = "" if effect.basis == "labels" else ", estimated"
    return f"{effect.cause} {effect.value:+.3g} ({effect.low:+.3g} to {effect.high:+.3g}{by})"


def _change(change: FeatureChange) -> str:
    share = change.share if change.weighted is None else change.weighted
    bins = ", ".join(f"{one.bin} {one.before:.0%} to {one.now:.0%}" for one in change.bins[:2])
    return f"{change.feature} {share:.0%}{f' ({bins})' if bins else ''}"


def _segment(one: Segment) -> str:
    return f"{' and '.join(one.where)} ({one.rows} rows, {one.loss:+.3g} a row, {one.share:.0%} of the loss)"
