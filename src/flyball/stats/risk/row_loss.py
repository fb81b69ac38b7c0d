"""The loss of one row: known once its label has come, expected before.

A risk is a mean over rows, so that labelled and unlabelled ones can be added up. Metrics that are no such mean (areas,
F1, precision) are watched by the loss that stands nearest: the Brier loss where there are scores, else the error.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from flyball.core.release import LossTable
from flyball.stats.risk.direct_loss import LOSSES, row_losses
from flyball.stats.scoring.sample import Floats

_OF_CLASSES = {"accuracy": "error", "brier": "brier", "log_loss": "log"}
_LEAST_P = 1e-15


def loss_of(metric: str, task: str, *, scores: bool) -> str:
    """The row loss by which a metric is watched.

    >>> loss_of("accuracy", "binary", scores=True), loss_of("roc_auc", "binary", scores=True)
    ('error', 'brier')
    """
    if task == "regression":
        return LOSSES.get(metric, "absolute")
    return _OF_CLASSES.get(metric, "brier") if scores else "error"


def realised(kind: str, truth: npt.ArrayLike, prediction: npt.ArrayLike, score: Floats | None) -> Floats:
    """Loss of rows with labels, shape [n].

    Args: truth, prediction: class numbers, or numbers of a regression, shape [n]. score: P(class), shape [n, k].
    Raises: ValueError: faulty columns. KeyError: no such loss.

    >>> realised("error", [0, 1], [0, 0], None).tolist()
    [0.0, 1.0]
    >>> realised("brier", [1], [1], np.array([[0.2, 0.8]])).round(2).tolist()
    [0.04]
    """
    if kind not in ("error", "brier", "log"):
        return row_losses(kind, truth, prediction)
    label = np.asarray(truth, dtype=np.float64)
    if kind == "error":
        return np.asarray(label != np.asarray(prediction, dtype=np.float64), dtype=np.float64)
    return _charged(kind, np.eye(_scores(kind, score).shape[1])[label.astype(np.int64)], _scores(kind, score))


def expected(
    kind: str,
    prediction: npt.ArrayLike,
    score: Floats | None,
    probability: Floats | None,
    table: LossTable | None = None,
) -> Floats:
    """Loss to expect of rows without labels, shape [n].

    Args: score: as the model gave it, P(class), shape [n, k]. probability: calibrated, shape [n, k]. table: of a
        regression.
    Raises: ValueError: what the loss is expected from is not there.

    >>> expected("error", [1], None, np.array([[0.3, 0.7]])).round(2).tolist()
    [0.3]
    """
    said = np.asarray(prediction, dtype=np.float64)
    if kind not in ("error", "brier", "log"):
        if table is None:
            raise ValueError(f"a {kind} loss is expected from a loss table, found none")
        return np.asarray(table.mean, dtype=np.float64)[np.searchsorted(np.asarray(table.edges), said, side="right")]
    if probability is None:
        raise ValueError(f"the {kind} loss is expected from probabilities, found none")
    if kind == "error":
        code = said.astype(np.int64)
        known = (code >= 0) & (code < probability.shape[1])
        return np.where(known, 1 - probability[np.arange(said.size), np.where(known, code, 0)], 1.0)
    return _charged(kind, probability, _scores(kind, score))


def _charged(kind: str, label: Floats, score: Floats) -> Floats:
    """Expected loss of a forecast when the label has this law; a certain law is a label."""
    if kind == "log":
        return np.asarray(-(label * np.log(np.clip(score, _LEAST_P, 1.0))).sum(axis=1))
    each = (score - label) ** 2 + label * (1 - label)
    return np.asarray(each[:, 1] if each.shape[1] == 2 else each.sum(axis=1))


def _scores(kind: str, score: Floats | None) -> Floats:
    if score is None:
        raise ValueError(f"the {kind} loss is computed from scores, found none")
    return score


def kinds(task: str, *, scores: bool) -> Sequence[str]:
    """The losses that a release of this task is kept with."""
    if task == "regression":
        return tuple(LOSSES.values())
    return ("error", "brier", "log") if scores else ("error",)
