"""Confidence-based performance estimation: what a metric will be, from scores that mean what they say, without labels.

A calibrated score is the chance that the row is of the class. So the cells of the confusion matrix that the labels will
fill are expected now: a row predicted 1 with p = 0.8 is 0.8 of a true positive and 0.2 of a false one. Every metric of
`metrics.METRICS` follows from these cells or from the probabilities taken as soft labels. It holds while
P(label | score) is what it was when the scores were calibrated: inputs may move, the concept may not.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.metrics import METRICS
from flyball.stats.scoring.ranking import rank
from flyball.stats.scoring.sample import Confusion, Floats

_LEAST_P = 1e-15  # as in the realised log loss


def probabilities(score: npt.ArrayLike) -> Floats:
    """P(class) of each row, shape [n, k], from P(positive), shape [n], or P(class), shape [n, k].

    Raises: NotEnoughData: no rows. ValueError: not finite, outside 0..1, or misshapen.

    >>> probabilities([0.25]).tolist()
    [[0.75, 0.25]]
    """
    given = np.asarray(score, dtype=np.float64)
    if given.ndim not in (1, 2) or (given.ndim == 2 and given.shape[1] < 2):
        raise ValueError(f"expected scores of shape [n] or [n, classes], found {given.shape}")
    if given.shape[0] == 0:
        raise NotEnoughData("no rows: there is nothing to estimate from")
    if bad := int((~np.isfinite(given)).sum()):
        raise ValueError(f"expected finite scores, found {bad} that are not")
    if bad := int(((given < 0) | (given > 1)).sum()):
        raise ValueError(f"expected probabilities in 0..1, found {bad} outside")
    if given.ndim == 1:
        return np.column_stack([1 - given, given])
    total = given.sum(axis=1, keepdims=True)
    if not bool((total > 0).all()):
        raise ValueError("expected a class with some probability in each row, found a row of zeros")
    return np.asarray(given / total)


def expected_cells(probability: Floats, prediction: npt.ArrayLike) -> Confusion:
    """Rows expected with truth i and prediction j, shape [k, k].

    Args: probability: calibrated P(class), shape [n, k]. prediction: class numbers, shape [n].
    Raises: ValueError: a prediction is no class number.
    Source: Bialek et al. 2024 (arXiv:2401.08348), section 3.

    >>> p = probabilities([0.9, 0.8, 0.7, 0.4, 0.3, 0.1])
    >>> expected_cells(p, [1, 1, 1, 0, 0, 0]).round(6).tolist()
    [[2.2, 0.6], [0.8, 2.4]]
    """
    k = probability.shape[1]
    said = np.asarray(prediction, dtype=np.float64)
    if said.shape != probability.shape[:1] or not bool(np.isin(said, np.arange(k)).all()):
        raise ValueError(f"expected one class number of 0..{k - 1} for each of {probability.shape[0]} rows")
    return np.asarray(probability.T @ np.eye(k)[said.astype(np.int64)])


def expected(
    metric: str, probability: Floats, prediction: npt.ArrayLike | None = None, score: npt.ArrayLike | None = None
) -> float:
    """The metric as the labels are expected to show it, in its unit.

    Args:
        metric: a key of ESTIMATED.
        probability: calibrated P(class), shape [n, k], see `probabilities`.
        prediction: class numbers, shape [n]; needed by what is computed from predictions.
        score: as the model gave it, shape [n] or [n, k]: what is ranked or charged; None: the probability itself.

    Raises: NotEnoughData: no row is expected where the metric needs some. ValueError: faulty columns.
    KeyError: it cannot be estimated without labels.

    >>> p = probabilities([0.9, 0.8, 0.7, 0.4, 0.3, 0.1])
    >>> said = [1, 1, 1, 0, 0, 0]
    >>> [round(expected(name, p, said), 6) for name in ("accuracy", "precision", "recall", "f1", "roc_auc")]
    [0.766667, 0.8, 0.75, 0.774194, 0.823661]
    """
    if metric not in ESTIMATED:
        raise KeyError(f"{metric!r} cannot be estimated without labels: expected one of {', '.join(ESTIMATED)}")
    if metric in _OF_SCORES:
        given = probability if score is None else probabilities(score)
        return _OF_SCORES[metric](probability, given)
    if prediction is None:
        raise ValueError(f"{metric} is computed from the predictions, found none")
    cells = expected_cells(probability, prediction)
    found = _of_cells(metric, cells)
    if math.isnan(found):
        raise NotEnoughData(f"{metric}: none of the {cells.sum():g} rows is expected where it needs some")
    return found


def spread(metric: str, probability: Floats, prediction: npt.ArrayLike | None, score: npt.ArrayLike | None) -> float:
    """Standard deviation that one of these rows brings to the realised metric: its standard error times sqrt(n).

    The rows' own, because a shift of the inputs changes it too: fewer of a class, or bolder scores. Losses: the
    variance of the label given the score. Metrics of cells: delta method on the expected cells. ROC areas: Hanley and
    McNeil, of many classes the least certain. PR areas: 0, nothing is known.

    Args: as in `expected`.
    Source: Hanley and McNeil 1982, eq. 2, with expected counts of the classes.

    >>> p = probabilities([0.9, 0.8, 0.7, 0.4, 0.3, 0.1])
    >>> round(spread("accuracy", p, [1, 1, 1, 0, 0, 0], None), 4)  # sqrt(a (1 - a))
    0.423
    """
    given = probability if score is None else probabilities(score)
    if metric in ("brier", "log_loss"):
        cost = _by_label(metric, given)
        mean = (probability * cost).sum(axis=1, keepdims=True)
        return math.sqrt(float((probability * (cost - mean) ** 2).sum(axis=1).mean()))
    if metric == "roc_auc":
        return max(_area_spread(p, s) for p, s in _one_against_rest(probability, given))
    if prediction is None or metric not in _OF_CELLS:
        return 0.0
    cells = expected_cells(probability, prediction)
    share, step = cells / cells.sum(), 1e-6
    slope = np.zeros_like(share)
    for at in np.ndindex(*share.shape):
        moved = np.zeros_like(share)
        moved[at] = step
        slope[at] = (_of_cells(metric, share + moved) - _of_cells(metric, share)) / step
    if not bool(np.isfinite(slope).all()):
        return 0.0
    return math.sqrt(max(0.0, float((share * slope**2).sum() - (share * slope).sum() ** 2)))


def _by_label(metric: str, score: Floats) -> Floats:
    """Loss of a row for each label that it may have, shape [n, k]."""
    if metric == "log_loss":
        return np.asarray(-np.log(np.clip(score, _LEAST_P, 1.0)))
    if score.shape[1] == 2:
        return np.column_stack([score[:, 1] ** 2, (1 - score[:, 1]) ** 2])
    return np.asarray((score**2).sum(axis=1, keepdims=True) - 2 * score + 1)


def _area_spread(p: Floats, score: Floats) -> float:
    area = rank(p, score).auc()
    yes, no = float(p.sum()), float((1 - p).sum())
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (yes - 1) * (first - area**2) + (no - 1) * (second - area**2)
    return math.sqrt(max(0.0, variance) / (yes * no) * p.size)


def _of_cells(metric: str, cells: Confusion) -> float:
    if metric == "accuracy":
        return float(np.trace(cells) / cells.sum())
    if metric == "specificity":
        return _specificity(cells)
    by_cells = METRICS[metric].by_cells
    assert by_cells is not None
    return float(by_cells(cells))


def _specificity(cells: Confusion) -> float:
    """Share of the negatives that were predicted so; of many classes the mean, one against the rest."""
    negatives = cells.sum() - cells.sum(axis=1)
    wrongly = cells.sum(axis=0) - np.diagonal(cells)
    if bool((negatives <= 0).any()):
        return math.nan
    each = 1 - wrongly / negatives
    return float(each[1] if each.size == 2 else each.mean())


def _one_against_rest(probability: Floats, score: Floats) -> list[tuple[Floats, Floats]]:
    """(soft label, score) of the positive class of two, or of each class."""
    chosen = [1] if probability.shape[1] == 2 else range(probability.shape[1])
    return [(probability[:, at], score[:, at]) for at in chosen]


def _roc_auc(probability: Floats, score: Floats) -> float:
    return float(np.mean([rank(p, s).auc() for p, s in _one_against_rest(probability, score)]))


def _pr_auc(probability: Floats, score: Floats) -> float:
    return float(np.mean([rank(p, s).average_precision() for p, s in _one_against_rest(probability, score)]))


def _brier(probability: Floats, score: Floats) -> float:
    """E sum (score - label)^2 = sum (score - p)^2 + p (1 - p); of two classes the positive one alone counts."""
    each = (score - probability) ** 2 + probability * (1 - probability)
    return float(each[:, 1].mean() if each.shape[1] == 2 else each.sum(axis=1).mean())


def _log_loss(probability: Floats, score: Floats) -> float:
    return float(-(probability * np.log(np.clip(score, _LEAST_P, 1.0))).sum(axis=1).mean())


_OF_SCORES: dict[str, Callable[[Floats, Floats], float]] = {
    "brier": _brier,
    "log_loss": _log_loss,
    "pr_auc": _pr_auc,
    "roc_auc": _roc_auc,
}
_OF_CELLS = ("accuracy", "balanced_accuracy", "f1", "precision", "recall", "specificity")
ESTIMATED = tuple(sorted((*_OF_CELLS, *_OF_SCORES)))
