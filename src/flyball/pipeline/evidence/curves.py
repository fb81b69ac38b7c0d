"""Points of the curves that a release's plots are drawn from: few enough to draw, exact where they stand."""

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
POINTS = 200  # of a curve; the eye sees no more


def roc(positive: npt.NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """False positive rate and true positive rate at falling thresholds, shapes [k], from (0, 0) to (1, 1).

    Rows with equal scores are passed together.

    Raises: NotEnoughData: one class only.

    >>> x, y = roc(np.array([True, False, True]), np.array([0.9, 0.5, 0.4]))
    >>> x.tolist(), y.tolist()
    ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    caught, false = _passed(positive, score)
    return _thin(np.r_[0.0, false / false[-1]], np.r_[0.0, caught / caught[-1]])


def precision_recall(positive: npt.NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Recall and precision at falling thresholds, shapes [k].

    Raises: NotEnoughData: one class only.

    >>> x, y = precision_recall(np.array([True, False]), np.array([0.9, 0.5]))
    >>> x.tolist(), y.tolist()
    ([1.0, 1.0], [1.0, 0.5])
    """
    caught, false = _passed(positive, score)
    return _thin(caught / caught[-1], caught / (caught + false))


def reliability(positive: npt.NDArray[np.bool_], score: Floats, *, bins: int = 10) -> tuple[Floats, Floats, Floats]:
    """Mean score, share of positives and rows, in bins of equal mass, shapes [k <= bins].

    Raises: NotEnoughData: no row.

    >>> said, seen, rows = reliability(np.array([False, True]), np.array([0.2, 0.8]), bins=2)
    >>> said.tolist(), seen.tolist(), rows.tolist()
    ([0.2, 0.8], [0.0, 1.0], [1.0, 1.0])
    """
    if score.size == 0:
        raise NotEnoughData("n=0: there is no row to draw")
    parts = [part for part in np.array_split(np.argsort(score, kind="stable"), bins) if part.size]
    said = np.array([score[part].mean() for part in parts])
    seen = np.array([positive[part].mean() for part in parts])
    return said, seen, np.array([part.size for part in parts], dtype=np.float64)


def histogram(values: Floats, *, bins: int = 30) -> tuple[Floats, Floats, Floats]:
    """Left edges, right edges and counts, shapes [bins].

    Raises: NotEnoughData: no finite value.

    >>> histogram(np.array([0.0, 1.0]), bins=2)[2].tolist()
    [1.0, 1.0]
    """
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise NotEnoughData("n=0: there is no value to draw")
    counts, edges = np.histogram(finite, bins=bins)
    return edges[:-1], edges[1:], counts.astype(np.float64)


def _passed(positive: npt.NDArray[np.bool_], score: Floats) -> tuple[Floats, Floats]:
    """Positives and negatives above each distinct score, highest score first."""
    if positive.all() or not positive.any():
        raise NotEnoughData("a curve needs both classes among the rows")
    order = np.argsort(-score, kind="stable")
    last = np.r_[np.flatnonzero(np.diff(score[order])), score.size - 1]
    caught = np.cumsum(positive[order])[last].astype(np.float64)
    return caught, last + 1.0 - caught


def _thin(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """At most POINTS of the points, both ends among them."""
    at = np.unique(np.linspace(0, x.size - 1, min(POINTS, x.size)).round().astype(np.int64))
    return x[at], y[at]
