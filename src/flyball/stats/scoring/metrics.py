"""Model metrics: what each one means, which way is better, and its value on a sample.

Binary: `score` is P(positive), shape [n]. Multiclass: `score` is P(class), shape [n, k], columns in the order of
`classes`; precision, recall and f1 are means over classes, roc_auc and pr_auc one class against the rest. Regression:
truth and prediction are numbers and there is no score.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.ranking import rank
from flyball.stats.scoring.sample import Confusion, Floats, Sample, confusion, sample

_LEAST_P = 1e-15  # a certain and wrong forecast costs 34.5 nats, not infinity: one row must not hide all others


@dataclass(frozen=True, kw_only=True)
class Metric:
    """What one number says about a model."""

    name: str
    direction: str  # "higher" or "lower" is better
    unit: str  # share (0..1), nats, target (the unit of the label)
    tasks: tuple[str, ...]  # of binary, multiclass, regression
    needs: str  # "prediction" or "score": the column it is computed from
    by_row: Callable[[Sample], Floats] | None = None  # its value is the mean of these, shape [n], if there are such
    by_cells: Callable[[Confusion], Floats] | None = None  # its value from confusion counts, shape [..., k, k] -> [...]
    whole: Callable[[Sample], float] | None = None  # its value, where neither of the two exists

    def better_by(self, reference: float, current: float) -> float:
        """How much better `current` is, in the metric's unit; negative = worse.

        >>> METRICS["mae"].better_by(2.0, 1.5), METRICS["accuracy"].better_by(0.9, 0.8) < 0
        (0.5, True)
        """
        return current - reference if self.direction == "higher" else reference - current


def score(
    name: str,
    truth: npt.ArrayLike,
    prediction: npt.ArrayLike | None = None,
    score: npt.ArrayLike | None = None,
    *,
    classes: Sequence[object] | None = None,
) -> float:
    """Value of the metric on a sample, in the metric's unit.

    Args:
        name: a key of METRICS.
        truth: labels or numbers, shape [n].
        prediction: same kind, shape [n]; None where the metric reads scores only.
        score: shape [n] or [n, k]; None where the metric reads predictions only.
        classes: all labels in column order; of two, the second is the positive one. None: sorted labels found.

    Raises: NotEnoughData: no rows, or a class that the metric needs is absent. ValueError: shapes or values are wrong.
    KeyError: unknown metric.

    >>> score("accuracy", ["a", "b", "b"], ["a", "b", "a"]).__round__(4)
    0.6667
    >>> score("roc_auc", [0, 1, 1, 0], None, [0.1, 0.9, 0.4, 0.4])
    0.875
    """
    metric = _metric(name)
    rows = sample(metric.needs, metric.tasks, truth, prediction, score, classes=classes)
    return value(metric, rows)


def value(metric: Metric, rows: Sample) -> float:
    """The metric on a sample that is already checked; see `score`."""
    if metric.by_row is not None:
        return float(np.mean(metric.by_row(rows)))
    if metric.by_cells is not None:
        found = float(metric.by_cells(confusion(rows)))
        if math.isnan(found):
            raise NotEnoughData(f"{metric.name} needs rows of the positive class, found none in {rows.n} rows")
        return found
    assert metric.whole is not None
    return metric.whole(rows)


def _metric(name: str) -> Metric:
    if name not in METRICS:
        raise KeyError(f"no metric {name!r}: expected one of {', '.join(sorted(METRICS))}")
    return METRICS[name]


def _hits(rows: Sample) -> Floats:
    return np.asarray(rows.truth == rows.prediction, dtype=np.float64)


def _brier(rows: Sample) -> Floats:
    assert rows.score is not None
    if rows.score.ndim == 1:
        return (rows.score - rows.truth) ** 2
    return np.asarray(np.sum((rows.score - np.eye(len(rows.classes))[rows.truth.astype(np.int64)]) ** 2, axis=1))


def _log_loss(rows: Sample) -> Floats:
    assert rows.score is not None
    if rows.score.ndim == 1:
        p = np.where(rows.truth == 1, rows.score, 1 - rows.score)
    else:
        p = rows.score[np.arange(rows.n), rows.truth.astype(np.int64)] / rows.score.sum(axis=1)
    return np.asarray(-np.log(np.clip(p, _LEAST_P, 1.0)))


def _absolute(rows: Sample) -> Floats:
    assert rows.prediction is not None
    return np.abs(rows.truth - rows.prediction)


def _relative(rows: Sample) -> Floats:
    # a label of 0 has no relative error: such rows are left out rather than divided by a made-up epsilon
    kept = rows.truth != 0
    if not kept.any():
        raise NotEnoughData("mape needs labels other than 0, found none")
    return np.asarray(_absolute(rows)[kept] / np.abs(rows.truth[kept]))


def _rmse(rows: Sample) -> float:
    return math.sqrt(float(np.mean(_absolute(rows) ** 2)))


def _over_classes(per_class: Floats) -> Floats:
    """The positive class of two; else the mean over the classes for which the ratio exists."""
    if per_class.shape[-1] == 2:
        return np.asarray(per_class[..., 1])
    known = ~np.isnan(per_class)
    total = np.where(known, per_class, 0.0).sum(axis=-1)
    return _ratio(total, known.sum(axis=-1).astype(np.float64))


def _precision(cells: Confusion) -> Floats:
    hits = np.diagonal(cells, axis1=-2, axis2=-1)
    # nobody was predicted positive: precision 0, so that "always no" cannot pass a floor; absent classes do not exist
    found = _ratio(hits, cells.sum(axis=-2), empty=0.0)
    return _over_classes(np.where(_absent(cells), np.nan, found))


def _recall(cells: Confusion) -> Floats:
    return _over_classes(_ratio(np.diagonal(cells, axis1=-2, axis2=-1), cells.sum(axis=-1)))


def _f1(cells: Confusion) -> Floats:
    hits = np.diagonal(cells, axis1=-2, axis2=-1)
    found = _ratio(2 * hits, cells.sum(axis=-1) + cells.sum(axis=-2), empty=0.0)
    return _over_classes(np.where(_absent(cells), np.nan, found))


def _balanced_accuracy(cells: Confusion) -> Floats:
    recalls = _ratio(np.diagonal(cells, axis1=-2, axis2=-1), cells.sum(axis=-1))
    known = ~np.isnan(recalls)
    found = _ratio(np.where(known, recalls, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))
    # one class alone is not balanced: that would be its recall under another name
    return np.asarray(np.where(known.sum(axis=-1) >= 2, found, np.nan))


def _absent(cells: Confusion) -> npt.NDArray[np.bool_]:
    """Classes without a labelled row; of two classes only the positive one is judged, so it alone can be absent."""
    nobody = cells.sum(axis=-1) == 0
    if cells.shape[-1] == 2:
        return np.asarray(nobody)
    return np.asarray(nobody & (cells.sum(axis=-2) == 0))


def _ratio(top: npt.NDArray[np.float64], bottom: npt.NDArray[np.float64], *, empty: float = math.nan) -> Floats:
    return np.asarray(np.divide(top, bottom, out=np.full(np.shape(bottom), empty), where=bottom > 0))


def _roc_auc(rows: Sample) -> float:
    return float(np.mean([rank(positive, column).auc() for positive, column in rows.one_against_rest()]))


def _pr_auc(rows: Sample) -> float:
    return float(np.mean([rank(positive, column).average_precision() for positive, column in rows.one_against_rest()]))


_LABELS = ("binary", "multiclass")

METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(name="accuracy", direction="higher", unit="share", tasks=_LABELS, needs="prediction", by_row=_hits),
        Metric(
            name="balanced_accuracy",
            direction="higher",
            unit="share",
            tasks=_LABELS,
            needs="prediction",
            by_cells=_balanced_accuracy,
        ),
        Metric(
            name="brier", direction="lower", unit="squared probability", tasks=_LABELS, needs="score", by_row=_brier
        ),
        Metric(name="f1", direction="higher", unit="share", tasks=_LABELS, needs="prediction", by_cells=_f1),
        Metric(name="log_loss", direction="lower", unit="nats", tasks=_LABELS, needs="score", by_row=_log_loss),
        Metric(
            name="mae", direction="lower", unit="target", tasks=("regression",), needs="prediction", by_row=_absolute
        ),
        Metric(
            name="mape", direction="lower", unit="share", tasks=("regression",), needs="prediction", by_row=_relative
        ),
        Metric(name="pr_auc", direction="higher", unit="share", tasks=_LABELS, needs="score", whole=_pr_auc),
        Metric(
            name="precision", direction="higher", unit="share", tasks=_LABELS, needs="prediction", by_cells=_precision
        ),
        Metric(name="recall", direction="higher", unit="share", tasks=_LABELS, needs="prediction", by_cells=_recall),
        Metric(name="rmse", direction="lower", unit="target", tasks=("regression",), needs="prediction", whole=_rmse),
        Metric(name="roc_auc", direction="higher", unit="share", tasks=_LABELS, needs="score", whole=_roc_auc),
    )
}
