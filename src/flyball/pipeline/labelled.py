"""What the holdout's labels said about the answers, kept with the baseline for estimates without labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label, Predictions, Scores
from flyball.core.release import LabelledReference, LossTable, Reference, RowLoss
from flyball.core.service import Task
from flyball.stats.risk import row_loss
from flyball.stats.risk.cbpe import probabilities
from flyball.stats.risk.direct_loss import LOSSES, loss_table
from flyball.stats.risk.recalibration import Recalibration, recalibrate
from flyball.stats.scoring.sample import Floats

LEAST_RISK_ROWS = 30  # of the holdout: fewer give no baseline of a risk


def labelled(
    task: Task,
    classes: Sequence[Label],
    truth: npt.NDArray[Any],
    predictions: Predictions,
    scores: Scores,
    *,
    answers: dict[str, Reference],
    rng: np.random.Generator,
) -> LabelledReference:
    """Calibration maps, confusion and score-by-label counts of a classifier; loss tables of a regression.

    Args:
        classes: in the order of the scores.
        truth, predictions, scores: of the holdout, in order.
        answers: the baseline's references of prediction and score, whose bins are used again.
        rng: deals rows into folds.
    """
    if task == "regression":
        return _of_numbers(np.asarray(truth, dtype=np.float64), np.asarray(predictions, dtype=np.float64))
    place = {label: at for at, label in enumerate(classes)}
    label = _places(place, truth)
    said = _places(place, predictions)
    kept = (label >= 0) & (said >= 0)  # a class that the model does not know has no score
    label, said = label[kept], said[kept]
    k = len(classes)
    known: Floats | None = None if scores is None else np.asarray(scores, dtype=np.float64)[kept]
    try:
        if known is None:
            raise ValueError("the answers have no scores")
        found = recalibrate(known, label, rng=rng)
    except (NotEnoughData, ValueError) as error:
        known, found = None, Recalibration(maps=(), ece_raw=None, ece_mapped=None, reason=f"no map: {error}")
    return LabelledReference(
        rows=int(label.size),
        maps=found.maps,
        ece_raw=found.ece_raw,
        ece_mapped=found.ece_mapped,
        confusion=_table(label, said, k, k),
        score_labels=_by_score(known, label, answers, k) if known is not None else (),
        risk=_risks("classes", label.astype(np.float64), said.astype(np.float64), known),
        reason=found.reason,
    )


def _risks(task: str, truth: Floats, prediction: Floats, scores: Floats | None) -> dict[str, RowLoss]:
    """Mean and spread of each row loss; one that cannot be had on these rows is left out."""
    found = {}
    p = None if scores is None else probabilities(scores)
    for kind in row_loss.kinds(task, scores=p is not None):
        each = row_loss.realised(kind, truth, prediction, p)
        each = each[np.isfinite(each)]
        if each.size >= LEAST_RISK_ROWS:
            found[kind] = RowLoss(mean=float(each.mean()), sd=float(each.std(ddof=1)), rows=int(each.size))
    return found


def _of_numbers(truth: Floats, prediction: Floats) -> LabelledReference:
    kept = np.isfinite(truth) & np.isfinite(prediction)
    losses: dict[str, LossTable] = {}
    reasons: list[str] = []
    for kind in LOSSES.values():
        try:
            losses[kind] = loss_table(kind, truth[kept], prediction[kept])
        except NotEnoughData as error:
            reasons.append(str(error))
    risks = _risks("regression", truth[kept], prediction[kept], None)
    return LabelledReference(rows=int(kept.sum()), losses=losses, risk=risks, reason="; ".join(reasons))


def _places(place: dict[Label, int], labels: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.array([place.get(label, -1) for label in labels.tolist()], dtype=np.int64)


def _by_score(
    scores: Floats, label: npt.NDArray[np.int64], answers: dict[str, Reference], k: int
) -> tuple[tuple[int, ...], ...]:
    one = scores if scores.ndim == 1 else scores.max(axis=1)
    bins = answers.get("score" if scores.ndim == 1 else "top_score")
    if bins is None:
        return ()
    at = np.searchsorted(np.asarray(bins.edges), one, side="right")
    return _table(at, label, len(bins.edges) + 1, k)


def _table(
    row: npt.NDArray[np.int64], column: npt.NDArray[np.int64], rows: int, columns: int
) -> tuple[tuple[int, ...], ...]:
    cells = np.bincount(row * columns + column, minlength=rows * columns).reshape(rows, columns)
    return tuple(tuple(one) for one in cells.tolist())
