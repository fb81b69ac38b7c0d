"""From a tally to figures: every metric of the task that the counts allow, each with its interval or its reason.

Labels of a class that the release does not know count as wrong answers in accuracy and precision, and are in no score
figure. Where they are many the labels are of another kind than the answers, and nothing is told but that.
"""

import math
from collections.abc import Iterator

import numpy as np

from flyball.core.errors import NotEnoughData
from flyball.core.realised import ClassFigures, Figure
from flyball.monitor.realised import telling
from flyball.monitor.realised.forms import TOP
from flyball.monitor.realised.telling import LEAST, LEAST_OF_A_CLASS
from flyball.monitor.realised.views import View
from flyball.stats.scoring.calibration_counts import LEAST_ROWS, ece_of_counts
from flyball.stats.scoring.score_counts import precision_area, roc_area

METRICS = {
    "binary": (
        *("accuracy", "balanced_accuracy", "precision", "recall", "f1", "specificity", "false_positive_rate"),
        *("roc_auc", "pr_auc", "log_loss", "brier", "calibration_error"),
    ),
    "multiclass": (
        *("accuracy", "balanced_accuracy", "precision", "recall", "f1"),
        *("roc_auc", "pr_auc", "log_loss", "brier", "calibration_error"),
    ),
    "regression": ("mae", "rmse", "mape"),
}


NO_CLASSES = (
    "expected the classes that the release predicts, found none in its baseline, so no label is right or wrong: "
    "train it again, or import it with rows of every class"
)


def figures(of: View, *, confidence: float = 0.95) -> tuple[Figure, ...]:
    """All figures of the task, in the order of METRICS, then `value` where one is declared."""
    names = (*METRICS[of.form.task], *(("value",) if "value" in of.sums else ()))
    wrong = invalid(of)
    if wrong:
        return tuple(Figure(metric=name, verdict="INVALID", n=of.labelled, reason=wrong) for name in names)
    match of.form.task:
        case "regression":
            told = _numbers(of, confidence)
        case "binary":
            told = [*_binary_cells(of, confidence), *_scores(of, confidence)]
        case "multiclass":
            told = [*_cells(of, confidence), *_scores(of, confidence)]
    if "value" in of.sums:
        value, squares, rows = of.sums["value"], of.sums["value2"], of.terms["value"]
        told = [*told, telling.mean("value", value, squares, rows, of, confidence=confidence)]
    found = {each.metric: each for each in told}
    return tuple(found[name] for name in names)


def invalid(of: View) -> str:
    """Why nothing can be told of these labels; empty: they are of the kind that was asked for."""
    if of.form.task != "regression" and not of.form.k:
        return NO_CLASSES
    if of.unusable > telling.MAX_UNUSABLE * of.labelled:
        return f"{of.unusable} of {of.labelled} labels are no numbers: expected at most {telling.MAX_UNUSABLE:.0%}"
    unknown = unknown_labels(of)
    if unknown > telling.MAX_UNKNOWN * of.labelled:
        classes = ", ".join(of.form.classes) or "none"
        return f"{unknown} of {of.labelled} labels are none of the classes that the release knows ({classes})"
    return ""


def unknown_labels(of: View) -> int:
    """Labels of classes that the release does not know, count."""
    return round(float(of.cells[-1].sum())) if of.form.k else 0


def per_class(of: View, *, confidence: float = 0.95) -> tuple[ClassFigures, ...]:
    """Each known class against the rest."""
    return tuple(_class(of, at, confidence, LEAST) for at in range(of.form.k))


def _class(of: View, at: int, confidence: float, least: int) -> ClassFigures:
    hits, real, said = float(of.cells[at, at]), float(of.cells[at].sum()), float(of.cells[:, at].sum())
    name = of.form.classes[at]
    what = f"answers {name}", f"labels {name}"
    return ClassFigures(
        label=name,
        support=round(real),
        predicted=round(said),
        precision=telling.share("precision", hits, said, of, what=what[0], confidence=confidence, least=least),
        recall=telling.share("recall", hits, real, of, what=what[1], confidence=confidence, least=least),
        f1=telling.f1("f1", hits, real + said - hits, of, confidence=confidence, least=least),
    )


def _accuracy(of: View, confidence: float) -> Figure:
    rows, right = float(of.cells.sum()), float(np.trace(of.cells[: of.form.k, : of.form.k]))
    return telling.share("accuracy", right, rows, of, what="labelled rows", confidence=confidence)


def _binary_cells(of: View, confidence: float) -> Iterator[Figure]:
    yield _accuracy(of, confidence)
    if of.form.k != 2:
        reason = f"the release knows {of.form.k} classes: expected two"
        for name in METRICS["binary"][1:7]:
            yield Figure(metric=name, verdict="INVALID", n=of.labelled, reason=reason)
        return
    one = _class(of, 1, confidence, LEAST)
    negatives, kept = float(of.cells[0].sum()), float(of.cells[0].sum() - of.cells[0, 1])
    what = f"labels {of.form.classes[0]}"
    specificity = telling.share("specificity", kept, negatives, of, what=what, confidence=confidence)
    both = (one.recall, specificity)
    yield next(
        (_named(each, "balanced_accuracy") for each in both if each.value is None),
        telling.over_classes("balanced_accuracy", list(both), negatives + one.support),
    )
    yield from (one.precision, one.recall, one.f1, specificity)
    yield telling.share("false_positive_rate", negatives - kept, negatives, of, what=what, confidence=confidence)


def _cells(of: View, confidence: float) -> Iterator[Figure]:
    accuracy = _accuracy(of, confidence)
    yield accuracy
    rows = float(of.cells.sum())
    every = [_class(of, at, confidence, 1) for at in range(of.form.k)]
    named = {
        "balanced_accuracy": [each.recall for each in every if each.support],
        "precision": [_precision(each) for each in every if each.support or each.predicted],
        "recall": [each.recall for each in every if each.support],
        "f1": [each.f1 for each in every if each.support or each.predicted],
    }
    for name, parts in named.items():
        if accuracy.value is None:
            yield _named(accuracy, name)
        elif name == "balanced_accuracy" and len(parts) < 2:
            yield Figure(metric=name, verdict="INSUFFICIENT", n=round(rows), reason="labels of one class only")
        else:
            yield telling.over_classes(name, parts, rows)


def _precision(of: ClassFigures) -> Figure:
    """A class that nobody was said to be of has precision 0, as in `stats.metrics`."""
    if of.predicted:
        return of.precision
    return Figure(metric="precision", verdict="OK", n=0, value=0.0, low=0.0, high=1.0)


def _scores(of: View, confidence: float) -> Iterator[Figure]:
    ranked = [at for at, label in enumerate(of.form.ranked) if label != TOP]
    for name, area, method in (("roc_auc", roc_area, "delong"), ("pr_auc", precision_area, "logit")):
        parts = []
        for at in ranked:
            no, yes = of.scores[at]
            if min(yes.sum(), no.sum()) < LEAST_OF_A_CLASS:
                fewest = min((float(yes.sum()), "with"), (float(no.sum()), "without"))
                what = f"scored rows {fewest[1]} label {of.form.classes[of.form.ranked[at]]}"
                parts.append(telling.too_few(name, fewest[0], of, what=what, least=LEAST_OF_A_CLASS))
                continue
            found = area(no, yes, confidence=confidence, dilution=of.dilution)
            parts.append(telling.area(name, found, float(yes.sum() + no.sum()), method=method))
        if not parts:
            reason = "no scores, or more classes than areas are told of"
            yield Figure(metric=name, verdict="INSUFFICIENT", n=0, reason=reason)
        elif of.form.task == "binary":
            yield parts[0]
        else:
            yield telling.over_classes(name, parts, float(of.scores[0].sum()))
    for name in ("log_loss", "brier"):
        rows = of.terms[name]
        yield telling.mean(name, of.sums[name], of.sums[f"{name}2"], rows, of, confidence=confidence)
    yield _calibration(of, confidence)


def _calibration(of: View, confidence: float) -> Figure:
    name = "calibration_error"
    if not of.form.ranked:
        return Figure(metric=name, verdict="INSUFFICIENT", n=0, reason="no scores")
    at = len(of.form.ranked) - 1  # the positive class, or the class that was answered
    no, yes = of.scores[at]
    try:
        found = ece_of_counts(no + yes, yes, of.said[at], confidence=confidence, dilution=of.dilution)
    except NotEnoughData:
        return telling.too_few(name, float((no + yes).sum()), of, what="scored rows", least=LEAST_ROWS)
    return Figure(
        metric=name, verdict="OK", n=found.n, value=found.value, low=found.low, high=found.high, method=found.method
    )


def _numbers(of: View, confidence: float) -> list[Figure]:
    rows = of.terms["absolute"]
    mae = telling.mean("mae", of.sums["absolute"], of.sums["square"], rows, of, confidence=confidence)
    square = telling.mean("rmse", of.sums["square"], of.sums["fourth"], rows, of, confidence=confidence)
    mape = telling.mean(
        "mape", of.sums["relative"], of.sums["relative2"], of.terms["relative"], of, confidence=confidence
    )
    return [mae, _root(square), mape]


def _root(square: Figure) -> Figure:
    if square.value is None or square.low is None or square.high is None:
        return square
    value, low, high = (math.sqrt(max(0.0, each)) for each in (square.value, square.low, square.high))
    return Figure(metric="rmse", verdict="OK", n=square.n, value=value, low=low, high=high, method=square.method)


def _named(figure: Figure, metric: str) -> Figure:
    return Figure(metric=metric, verdict=figure.verdict, n=figure.n, needed=figure.needed, reason=figure.reason)
