"""Labelled rows tabulated on the bins of a baseline: losses and classes, by answer and by feature.

The same function makes the table of the holdout, when a release is made, and that of rows whose labels came later; the
two differ by what has changed. Its size does not depend on the rows, and nothing in it is a row.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.release import Baseline, LossSums, Outcomes, View
from flyball.stats.binning.reference_bins import Places, bin_of
from flyball.stats.risk.expected_loss import BinLoss, bin_loss
from flyball.stats.scoring.row_losses import row_losses

Floats = npt.NDArray[np.float64]


def outcomes(
    features: Mapping[str, pl.Series],
    baseline: Baseline,
    *,
    task: str,
    truth: npt.ArrayLike,
    prediction: npt.ArrayLike,
    score: npt.ArrayLike | None = None,
) -> Outcomes:
    """Tabulate rows of one release.

    Args:
        features: columns of these rows, shape [n] each; those that the baseline does not know are left out.
        task: `binary`, `multiclass` or `regression`.
        truth: class numbers in the order of the baseline's predictions, or targets, shape [n].
        prediction: the same, shape [n].
        score: P(class 1) [n], or P(class) [n, k].

    >>> import polars as pl
    >>> from flyball.core.release import Reference
    >>> at = Reference(kind="numeric", edges=(0.5,), counts=(2, 2, 0))
    >>> normal = Baseline(rows=4, features={"x": at}, prediction={"prediction": at})
    >>> x = {"x": pl.Series([0.0, 1.0])}
    >>> found = outcomes(x, normal, task="regression", truth=[1.0, 1.0], prediction=[1.0, 3.0])
    >>> found.features["x"].losses["mae"].total
    (0.0, 2.0, 0.0)
    """
    y, answer = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    p = None if score is None else np.asarray(score, dtype=np.float64)
    losses = row_losses(task, y, answer, p)
    classes = () if task == "regression" else baseline.prediction["prediction"].values
    answers = {
        name: (at, len(reference.counts))
        for name, reference in baseline.prediction.items()
        if (at := answer_bins(name, baseline, task, answer, p)) is not None
    }
    inputs = {
        name: (bin_of(features[name], reference), len(reference.counts))
        for name, reference in baseline.features.items()
        if name in features
    }
    return Outcomes(
        rows=len(y),
        classes=classes,
        label=_view(y.astype(np.int64), len(classes), losses, y, 0) if classes else None,
        answers={name: _view(at, size, losses, y, len(classes)) for name, (at, size) in answers.items()},
        features={name: _view(at, size, losses, y, len(classes)) for name, (at, size) in inputs.items()},
    )


def sums(view: View, loss: str) -> BinLoss | None:
    """Losses of one kind as the mathematics wants them; None: there are none."""
    found = view.losses.get(loss)
    if found is None or not sum(found.rows):
        return None
    return BinLoss(
        rows=np.asarray(found.rows, dtype=np.float64),
        total=np.asarray(found.total, dtype=np.float64),
        squares=np.asarray(found.squares, dtype=np.float64),
    )


def answer_bins(name: str, baseline: Baseline, task: str, answer: Floats, score: Floats | None) -> Places | None:
    reference = baseline.prediction[name]
    if name == "prediction":
        return answer.astype(np.int64) if task != "regression" else bin_of(pl.Series(answer), reference)
    if score is None or (score.ndim == 1) != (name == "score"):
        return None
    return bin_of(pl.Series(score if score.ndim == 1 else score.max(axis=1)), reference)


def _view(at: Places, size: int, losses: Mapping[str, Floats], truth: Floats, classes: int) -> View:
    cells = np.bincount(
        at * max(classes, 1) + (truth.astype(np.int64) if classes else 0), minlength=size * max(classes, 1)
    )
    cells = cells.reshape(size, max(classes, 1))
    return View(
        rows=tuple(cells.sum(axis=1).tolist()),
        by_class=tuple(tuple(row) for row in cells.tolist()) if classes else (),
        losses={name: _sums(at, values, size) for name, values in losses.items()},
    )


def _sums(at: Places, values: Floats, size: int) -> LossSums:
    kept = np.isfinite(values)
    found = bin_loss(at[kept], values[kept], size)
    return LossSums(
        rows=tuple(found.rows.astype(np.int64).tolist()),
        total=tuple(found.total.tolist()),
        squares=tuple(found.squares.tolist()),
    )
