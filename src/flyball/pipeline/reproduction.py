"""Whether what came out again is what came out before: bytes, then answers on the frozen probe rows, then metrics.

Where nothing stands against it (same environment, processor only, deterministic settings, no tolerance declared) only
equal bytes count: there the same inputs give the same bits, and anything else is a finding. In another environment, or
within a tolerance that somebody declared, equal answers and metrics are EQUIVALENT.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from flyball.core.record import Record
from flyball.core.release import Estimate
from flyball.pipeline.manifest import Manifest
from flyball.pipeline.manifest import differences as file_changes

Verdict = Literal["IDENTICAL", "EQUIVALENT", "DIVERGED", "BLOCKED"]
TOLERANCE = 1e-9  # of scores and metrics, absolute and relative, where nobody declares another

# what came earlier in a training is named first: a model that differs is why metrics do, not the other way round
_ORDER = ("code/", "contract.yaml", "model", "release.json", "probe.parquet", "probe_predictions.json", "metrics.json")


class Artefacts(Record):
    """What a training left, as far as it is compared."""

    manifest: Manifest
    answers: dict[str, Any]  # `probe_predictions.json`
    metrics: dict[str, Estimate]


class Answers(Record):
    """How the two models answer the same frozen rows."""

    rows: int
    max_abs_diff: float | None  # of scores, or of the predictions of a regression; None: not comparable
    disagreement: float  # share of rows with another prediction, 0..1
    rank_correlation: float | None  # Spearman; None where one of the two does not vary
    within: bool


class Metric(Record):
    name: str
    before: float | None
    after: float | None
    within: bool


class Judgement(Record):
    verdict: Verdict
    first_difference: str | None
    reason: str
    files: tuple[str, ...] = ()  # all that differ, first causes first
    answers: Answers | None = None
    metrics: tuple[Metric, ...] = ()


def blocked(missing: Sequence[str]) -> Judgement:
    """It could not be tried.

    >>> blocked(["snapshot 1234: data.parquet is missing"]).verdict
    'BLOCKED'
    """
    more = f", and {len(missing) - 1} more" if len(missing) > 1 else ""
    return Judgement(verdict="BLOCKED", first_difference=missing[0], reason=f"{missing[0]}{more}")


def judge(
    before: Artefacts, after: Artefacts, *, drift: Sequence[str] = (), exact: bool = True, tolerance: float = TOLERANCE
) -> Judgement:
    """The verdict on a training that ran again.

    Args:
        drift: how the environment differs, allowed by somebody; the verdict is then at most EQUIVALENT.
        exact: whether only equal bytes will do.
        tolerance: largest difference of a score or a metric, absolute or relative, that does not count.
    """
    answers, metrics = compare_answers(before.answers, after.answers, tolerance), _metrics(before, after, tolerance)
    if before.manifest.root == after.manifest.root:
        if not drift:
            return Judgement(
                verdict="IDENTICAL",
                first_difference=None,
                reason="every byte is the same",
                answers=answers,
                metrics=metrics,
            )
        words = f"every byte is the same, in another environment: {drift[0]}"
        return Judgement(
            verdict="EQUIVALENT", first_difference=drift[0], reason=words, answers=answers, metrics=metrics
        )
    files = tuple(sorted(file_changes(before.manifest, after.manifest), key=_rank))
    outside = [f"{m.name} {m.before} -> {m.after}" for m in metrics if not m.within]
    if not answers.within:
        outside.insert(0, _told(answers))
    if exact or outside:
        reason = outside[0] if outside else f"{files[0]}, though the answers to the probe rows agree"
        verdict: Verdict = "DIVERGED"
    else:
        reason, verdict = f"{files[0]}; answers and metrics agree within {tolerance:g}", "EQUIVALENT"
    return Judgement(
        verdict=verdict, first_difference=files[0], reason=reason, files=files, answers=answers, metrics=metrics
    )


def compare_answers(before: dict[str, Any], after: dict[str, Any], tolerance: float) -> Answers:
    """Two sets of answers to the same rows.

    >>> one = {"predictions": [0, 1], "scores": [0.2, 0.8]}
    >>> compare_answers(one, {"predictions": [0, 1], "scores": [0.2, 0.7]}, 1e-9).max_abs_diff
    0.1
    """
    labels, others = before["predictions"], after["predictions"]
    if len(labels) != len(others):
        return Answers(rows=len(labels), max_abs_diff=None, disagreement=1.0, rank_correlation=None, within=False)
    is_regression = before["scores"] is None
    one, other = (
        np.asarray(each["predictions"] if is_regression else each["scores"], dtype=np.float64)
        for each in (before, after)
    )
    if one.shape != other.shape:
        return Answers(rows=len(labels), max_abs_diff=None, disagreement=1.0, rank_correlation=None, within=False)
    gaps = np.abs(one - other)
    close = bool(np.all(gaps <= tolerance * np.maximum(1.0, np.abs(one))))
    unlike = sum(a != b for a, b in zip(labels, others, strict=True)) / max(len(labels), 1)
    return Answers(
        rows=len(labels),
        max_abs_diff=round(float(gaps.max()), 12) if gaps.size else 0.0,
        disagreement=unlike,
        rank_correlation=_spearman(one.ravel(), other.ravel()),
        within=close and (is_regression or unlike == 0),
    )


def first_byte(before: bytes, after: bytes) -> int:
    """Offset of the first byte in which two files differ; the length of the shorter where one begins like the other.

    >>> first_byte(b"abc", b"abd"), first_byte(b"ab", b"abc")
    (2, 2)
    """
    size = min(len(before), len(after))
    unlike = np.frombuffer(before[:size], np.uint8) != np.frombuffer(after[:size], np.uint8)
    return int(unlike.argmax()) if unlike.any() else size


def _metrics(before: Artefacts, after: Artefacts, tolerance: float) -> tuple[Metric, ...]:
    found = []
    for name in sorted(before.metrics.keys() | after.metrics.keys()):
        one, other = (side.metrics.get(name) for side in (before, after))
        within = one is not None and other is not None and _close(one.value, other.value, tolerance)
        found.append(Metric(name=name, before=_value(one), after=_value(other), within=within))
    return tuple(found)


def _value(found: Estimate | None) -> float | None:
    return None if found is None else found.value


def _close(one: float, other: float, tolerance: float) -> bool:
    return abs(one - other) <= tolerance * max(1.0, abs(one))


def _told(answers: Answers) -> str:
    if answers.max_abs_diff is None:
        return "the answers to the probe rows have another shape"
    return (
        f"the answers to {answers.rows} probe rows differ by up to {answers.max_abs_diff:.3g}, "
        f"{answers.disagreement:.1%} of the predictions are others"
    )


def _rank(words: str) -> tuple[int, str]:
    at = next((index for index, start in enumerate(_ORDER) if words.startswith(start)), len(_ORDER))
    return at, words


def _spearman(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float | None:
    left, right = _midranks(one), _midranks(other)
    if one.size < 2 or np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    return round(float(np.corrcoef(left, right)[0, 1]), 12)


def _midranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Ranks from 1, equal values sharing their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    middles: npt.NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return middles[place]
