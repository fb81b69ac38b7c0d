"""Fairness between the groups of declared attributes: demographic parity and equalised odds, through fairlearn.

A difference is the largest between two groups, without a sign: a group that is worse off by 0.3 is no better than one
that is better off by 0.3. Groups below `min_support` are left out, named, and never pass; fewer than two judged groups
are missing evidence. Of many classes each is judged against the rest.

fairlearn gives the values. A bound is Newcombe's for two independent shares; every comparison (class, rate, pair of
groups) gets confidence 1 - 0.05/m, so that all m hold together with 95 % (Bonferroni): the largest lower bound is a
difference that surely exists somewhere, and no true difference is beyond the largest upper one. The comparison with the
largest *value* is not asked alone: a rare class with a wide interval would hide a common one that surely differs.
"""

from itertools import combinations

import numpy as np
import numpy.typing as npt

from flyball.core.model import Label
from flyball.core.release import Estimate
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.suites.found import Found, Verdict, merged, named, result
from flyball.pipeline.suites.subject import Subject, groups
from flyball.stats.scoring.intervals import wilson

Floats = npt.NDArray[np.float64]
CONFIDENCE = 0.95  # of all comparisons together
KINDS = ("demographic_parity", "equalised_odds")


def fairness(subject: Subject) -> Found:
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
        return merged(_of(subject, name, declared.max_difference) for name in declared.attributes)
    except ImportError as error:
        why = f"{error}: install the extra `fairness` where trainings run"
        return Found(tests=(result("model", "fairness", "fairness", "FAIL", f"missing evidence: {why}"),))


def _of(subject: Subject, attribute: str, limit: float) -> Found:
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
        value = _largest(kind, subject.scored, subject.classes, kept, group)
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
) -> Estimate | None:
    """The largest value of any class, the largest bounds of any comparison."""
    judged = classes[1:] if len(classes) == 2 else classes
    values, bounds = [], []
    for label in judged:
        truth, answer = scored.truth[kept] == label, scored.predictions[kept] == label
        cells = _cells(truth, answer, group)
        if kind == "equalised_odds" and bool((cells.sum(axis=-1) == 0).any()):
            return None
        values.append(_through_fairlearn(kind, truth, answer, group))
        bounds.append(_bounds(kind, cells, classes=len(judged)))
    low, high, value = max(low for low, _ in bounds), max(high for _, high in bounds), max(values)
    return Estimate(value=value, low=min(value, low), high=max(value, high), n=int(kept.sum()))


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


def _bounds(kind: str, cells: npt.NDArray[np.int64], *, classes: int) -> tuple[float, float]:
    """(largest lower, largest upper) bound of the difference of two groups, over all pairs and rates of this class.

    Args: cells: as `_cells` gives them. classes: how many are judged, for the confidence of each comparison.
    Source: Newcombe 1998, method 10.
    """
    if kind == "demographic_parity":
        hits, rows = cells[:, :, 1].sum(axis=1)[:, None], cells.sum(axis=(1, 2))[:, None]
    else:
        hits, rows = cells[..., 1], cells.sum(axis=-1)
    pairs = list(combinations(range(len(cells)), 2))
    confidence = 1 - (1 - CONFIDENCE) / (classes * len(pairs) * hits.shape[1])
    lows, highs = [], []
    for rate in range(hits.shape[1]):
        ends = [
            wilson(int(h), int(n), confidence=confidence) for h, n in zip(hits[:, rate], rows[:, rate], strict=True)
        ]
        share = hits[:, rate] / rows[:, rate]
        for pair in pairs:
            one, other = sorted(pair, key=lambda at: -share[at])
            gap = float(share[one] - share[other])
            lows.append(gap - float(np.hypot(share[one] - ends[one][0], ends[other][1] - share[other])))
            highs.append(gap + float(np.hypot(ends[one][1] - share[one], share[other] - ends[other][0])))
    return max(0.0, *lows), max(highs)


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
