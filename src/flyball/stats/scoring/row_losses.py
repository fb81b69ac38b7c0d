"""Losses of single rows, lower is better: what a mean over rows, and so a weighted mean, can be made of."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_LEAST_P = 1e-15  # as in `metrics`
RELATIVE = "mape"
# metric -> the row loss that stands for it; those that are no mean over rows are stood for by the Brier score
STANDS_FOR = {
    "accuracy": "error",
    "balanced_accuracy": "error",
    "precision": "error",
    "recall": "error",
    "f1": "error",
    "brier": "brier",
    "log_loss": "log_loss",
    "roc_auc": "brier",
    "pr_auc": "brier",
    "mae": "mae",
    "mape": RELATIVE,
    "rmse": "squared_error",
}


def row_losses(
    task: str, truth: npt.ArrayLike, prediction: npt.ArrayLike, score: npt.ArrayLike | None = None
) -> dict[str, Floats]:
    """Each loss of each row, shape [n]; NaN where a row has none (a relative error of a label 0).

    Args:
        task: `binary`, `multiclass` or `regression`.
        truth: class numbers or targets, shape [n].
        prediction: the same, shape [n].
        score: P(class 1) [n], or P(class) [n, k]; None: no score, so no Brier score and no log loss.

    >>> {name: loss.tolist() for name, loss in row_losses("regression", [2.0], [3.0]).items()}
    {'mae': [1.0], 'mape': [0.5], 'squared_error': [1.0]}
    >>> sorted(row_losses("binary", [1, 0], [1, 1], [0.9, 0.6]))
    ['brier', 'error', 'log_loss']
    """
    y, answer = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if task == "regression":
        off = np.abs(y - answer)
        relative = np.divide(off, np.abs(y), out=np.full_like(off, np.nan), where=y != 0)
        return {"mae": off, RELATIVE: relative, "squared_error": off**2}
    found = {"error": (y != answer).astype(np.float64)}
    if score is None:
        return found
    p = np.asarray(score, dtype=np.float64)
    if p.ndim == 1:
        found["brier"] = (p - y) ** 2
        right = np.where(y == 1, p, 1 - p)
    else:
        hit = np.eye(p.shape[1])[y.astype(np.int64)]
        found["brier"] = np.asarray(((p - hit) ** 2).sum(axis=1))
        right = (p * hit).sum(axis=1) / p.sum(axis=1)
    found["log_loss"] = -np.log(np.clip(right, _LEAST_P, 1.0))
    return found
