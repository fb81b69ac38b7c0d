"""Fairness between the groups of declared attributes: demographic parity and equalised odds, through fairlearn.

A difference is the largest between two groups, without a sign: a group that is worse off by 0.3 is no better than one
that is better off by 0.3. Groups below `min_support` are left out, named, and never pass; fewer than two judged groups
are missing evidence. fairlearn gives the values; their bootstrap is over the counts of each group, by the same formula
(`tests/pipeline/suites/test_fairness.py` holds the two together). Of many classes each is judged against the rest.
"""

import numpy as np
import numpy.typing as npt

from flyball.core.model import Label
from flyball.core.release import Estimate
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.found import Found, Verdict, merged, named, result
from flyball.pipeline.suites.subject import Subject, groups

Floats = npt.NDArray[np.float64]
RESAMPLES = 1000
KINDS = ("demographic_parity", "equalised_odds")


def fairness(subject: Subject, rng: np.random.Generator) -> Found:
    """Both differences for each declared attribute, against `max_difference`.

    PASS where the upper bound is within the limit, FAIL where the lower bound is beyond, else INCONCLUSIVE.
    """
    declared = subject.tests.fairness
    if declared is None:
        return Found()
    if subject.task == "regression":
        why = "demographic parity and equalised odds are for classes"
        told = result("model", "fairness", "fairness", "FAIL", f"missing evidence: {why}")
        return Found(tests=(told,))
    try:
        return merged(_of(subject, name, declared.max_difference, rng) for name in declared.attributes)
    except ImportError as error:
        why = f"{error}: install the extra `fairness` where trainings run"
        return Found(tests=(result("model", "fairness", "fairness", "FAIL", f"missing evidence: {why}"),))


def _of(subject: Subject, attribute: str, limit: float, rng: np.random.Generator) -> Found:
    measures = [f"fairness.{kind}_difference.{attribute}" for kind in KINDS]
    names, at = groups(subject.holdout[attribute])
    counts = np.bincount(at, minlength=len(names))
    judged = [number for number, rows in enumerate(counts) if rows >= subject.tests.min_support]
    small = [f"{names[i]} ({rows} rows)" for i, rows in enumerate(counts) if 0 < rows < subject.tests.min_support]
    tests = []
    if small:
        reason = f"not judged: {named(small)}; min_support is {subject.tests.min_support}"
        tests.append(result("model", f"groups of {attribute} without support", "fairness", "INCONCLUSIVE", reason))
    if len(judged) < 2:
        why = f"groups of {attribute!r} with enough rows: {len(judged)}, and a difference needs two"
        tests.append(
            result("model", f"fairness {attribute}", "fairness", "FAIL", f"missing evidence: {why}", limit=limit)
        )
        return Found(tests=tuple(tests), missing=dict.fromkeys(measures, why))
    kept = np.isin(at, judged)
    group = np.searchsorted(judged, at[kept])
    found: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for kind, measure in zip(KINDS, measures, strict=True):
        value = _largest(kind, subject.scored, subject.classes, kept, group, rng)
        if value is None:
            missing[measure] = why = "a group has no row of a class: its rates do not exist"
            tests.append(result("model", measure, "fairness", "FAIL", f"missing evidence: {why}", limit=limit))
            continue
        found[measure] = value
        verdict: Verdict = "PASS" if value.high <= limit else "FAIL" if value.low > limit else "INCONCLUSIVE"
        reason = f"groups of {attribute!r} differ by {value.value:.4f} ({value.low:.4f} to {value.high:.4f})"
        tests.append(
            result(
                "model", f"{kind.replace('_', ' ')} {attribute}", "fairness", verdict, reason, found=value, limit=limit
            )
        )
    return Found(tests=tuple(tests), metrics=found, missing=missing)


def _largest(
    kind: str,
    scored: Scored,
    classes: tuple[Label, ...],
    kept: npt.NDArray[np.bool_],
    group: npt.NDArray[np.int64],
    rng: np.random.Generator,
) -> Estimate | None:
    """The worst class's difference with its interval."""
    worst: Estimate | None = None
    for label in classes[1:] if len(classes) == 2 else classes:
        truth, answer = scored.truth[kept] == label, scored.predictions[kept] == label
        cells = _cells(truth, answer, group)
        if kind == "equalised_odds" and bool((cells.sum(axis=-1) == 0).any()):
            return None
        value = _through_fairlearn(kind, truth, answer, group)
        low, high = _bounds(kind, cells, _resampled(cells, rng))
        found = Estimate(value=value, low=min(value, low), high=max(value, high), n=int(kept.sum()))
        if worst is None or found.value > worst.value:
            worst = found
    return worst


def _through_fairlearn(
    kind: str, truth: npt.NDArray[np.bool_], answer: npt.NDArray[np.bool_], group: npt.NDArray[np.int64]
) -> float:
    from fairlearn import metrics as fairlearn  # type: ignore[import-untyped]  # the extra `fairness`

    parity, odds = fairlearn.demographic_parity_difference, fairlearn.equalized_odds_difference
    measure = parity if kind == "demographic_parity" else odds
    return abs(float(measure(truth.astype(int), answer.astype(int), sensitive_features=group)))


def _cells(
    truth: npt.NDArray[np.bool_], answer: npt.NDArray[np.bool_], group: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Rows of group g with truth t and answer a, shape [g, 2, 2]."""
    size = int(group.max()) + 1
    return np.bincount(group * 4 + truth * 2 + answer, minlength=4 * size).reshape(size, 2, 2)


def _resampled(cells: npt.NDArray[np.int64], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Counts of RESAMPLES bootstrap samples within the groups, shape [b, g, 2, 2]."""
    drawn = [rng.multinomial(int(c.sum()), (c / c.sum()).ravel(), size=RESAMPLES) for c in cells]
    return np.stack(drawn, axis=1).reshape(RESAMPLES, len(cells), 2, 2)


def _bounds(kind: str, cells: npt.NDArray[np.int64], drawn: npt.NDArray[np.int64]) -> tuple[float, float]:
    """Upper: of the largest difference. Lower: of the two groups that differ most, with its sign, so that it can be 0.

    The largest difference of resamples is never negative: its own lower bound would refute equality of equal groups.
    """
    if kind == "demographic_parity":
        own, rates = _selected(cells)[:, None], _selected(drawn)[..., None]
        high = parity_difference(drawn)
    else:
        own, rates, high = _rates(cells), _rates(drawn), odds_difference(drawn)
    column = int(np.nanargmax(own.max(axis=0) - own.min(axis=0)))
    most, least = int(own[:, column].argmax()), int(own[:, column].argmin())
    signed = rates[:, most, column] - rates[:, least, column]
    low = float(np.nanquantile(signed, 0.025)) if np.isfinite(signed).any() else 0.0
    return max(0.0, low), float(np.nanquantile(high, 0.975)) if np.isfinite(high).any() else 1.0


def _selected(cells: npt.NDArray[np.int64]) -> Floats:
    """Share that is answered positive, shape [..., g]."""
    return np.asarray(cells[..., :, :, 1].sum(axis=-1) / cells.sum(axis=(-1, -2)))


def _rates(cells: npt.NDArray[np.int64]) -> Floats:
    """False and true positive rates, shape [..., g, 2]."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(cells[..., 1] / cells.sum(axis=-1))


def parity_difference(cells: npt.NDArray[np.int64]) -> Floats:
    """Largest difference of the selection rates, from counts of shape [..., g, 2, 2].

    >>> float(parity_difference(np.array([[[40, 10], [30, 20]], [[10, 40], [20, 30]]])).round(4))
    0.4
    """
    rates = _selected(cells)
    return np.asarray(rates.max(axis=-1) - rates.min(axis=-1))


def odds_difference(cells: npt.NDArray[np.int64]) -> Floats:
    """The larger of the differences of true and of false positive rates.

    >>> float(odds_difference(np.array([[[40, 10], [30, 20]], [[10, 40], [20, 30]]])).round(4))
    0.6
    """
    rates = _rates(cells)
    return np.asarray((rates.max(axis=-2) - rates.min(axis=-2)).max(axis=-1))
