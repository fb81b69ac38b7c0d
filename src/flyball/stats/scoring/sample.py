"""The checked form of (truth, prediction, score) that every metric reads.

Labels become class numbers once, here, so that metrics are arithmetic. A row that lacks what the metric needs is a
fault to be reported, never dropped in silence.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Confusion = npt.NDArray[np.float64]  # rows with truth i and prediction j, shape [..., k, k]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows ready for arithmetic."""

    n: int  # rows
    classes: tuple[object, ...]  # of labels, in order; empty for regression
    truth: Floats  # class number or target, shape [n]
    prediction: Floats | None  # class number or target, shape [n]
    score: Floats | None  # P(positive), shape [n], or P(class), shape [n, k]

    def one_against_rest(self) -> Iterator[tuple[npt.NDArray[np.bool_], Floats]]:
        """(is of the class, its score) for the positive class, or for each class that has rows on both sides."""
        assert self.score is not None
        if self.score.ndim == 1:
            yield self.truth == 1, self.score
            return
        found = 0
        for number in range(len(self.classes)):
            positive = self.truth == number
            if 0 < np.count_nonzero(positive) < self.n:
                found += 1
                yield positive, self.score[:, number]
        if not found:
            raise NotEnoughData("a score metric needs rows of at least two classes, found one class only")


def sample(
    needs: str,
    tasks: Sequence[str],
    truth: npt.ArrayLike,
    prediction: npt.ArrayLike | None,
    score: npt.ArrayLike | None,
    *,
    classes: Sequence[object] | None = None,
) -> Sample:
    """Check and encode; arguments as in `metrics.score`, `needs` and `tasks` as in `metrics.Metric`.

    Raises: NotEnoughData: no rows. ValueError: a column is missing, misshapen or not finite, or a label is unknown.

    >>> sample("prediction", ["binary"], ["no", "yes"], ["yes", "yes"], None).truth.tolist()
    [0.0, 1.0]
    """
    wanted = prediction if needs == "prediction" else score
    if wanted is None:
        raise ValueError(f"this metric is computed from the {needs}s, found none")
    labels, given = np.asarray(truth), np.asarray(wanted)
    if labels.ndim != 1 or given.shape[:1] != labels.shape or given.ndim > (2 if needs == "score" else 1):
        raise ValueError(f"expected one {needs} a row, found shapes {given.shape} for truth {labels.shape}")
    if labels.size == 0:
        raise NotEnoughData("no rows to score")
    if "regression" in tasks:
        return Sample(
            n=labels.size, classes=(), truth=_finite("truth", labels), prediction=_finite(needs, given), score=None
        )
    if needs == "prediction":
        order = _classes(classes, labels, given)
        return Sample(
            n=labels.size, classes=order, truth=_codes(order, labels), prediction=_codes(order, given), score=None
        )
    order = _classes(classes, labels)
    columns = _finite("score", given)
    if columns.ndim == 2:
        if columns.shape[1] != len(order):
            raise ValueError(f"expected one score column for each of the classes {order}, found {columns.shape[1]}")
        columns = columns[:, 1] if len(order) == 2 else columns
    elif len(order) != 2:
        raise ValueError(f"one score a row is P(positive) and needs two classes, found {order}; name them in `classes`")
    return Sample(n=labels.size, classes=order, truth=_codes(order, labels), prediction=None, score=columns)


def confusion(rows: Sample) -> Confusion:
    """Rows with truth i and prediction j, shape [k, k]."""
    assert rows.prediction is not None
    k = len(rows.classes)
    cells = np.bincount((rows.truth * k + rows.prediction).astype(np.int64), minlength=k * k)
    return cells.reshape(k, k).astype(np.float64)


def _classes(given: Sequence[object] | None, *columns: npt.NDArray[np.generic]) -> tuple[object, ...]:
    if given is not None:
        return tuple(given)
    found = sorted({value for column in columns for value in np.unique(column).tolist()})
    # a sample of 0/1 labels that happens to hold one of them only is still binary, and 1 is still positive
    return (0, 1) if set(found) <= {0, 1} else tuple(found)


def _codes(classes: tuple[object, ...], column: npt.NDArray[np.generic]) -> Floats:
    places = {value: number for number, value in enumerate(classes)}
    values, inverse = np.unique(column, return_inverse=True)
    unknown = [value for value in values.tolist() if value not in places]
    if unknown:
        raise ValueError(f"expected labels among {classes}, found {unknown[:5]}")
    numbers = np.array([places[value] for value in values.tolist()], dtype=np.float64)
    return np.asarray(numbers[inverse.ravel()])


def _finite(name: str, column: npt.NDArray[np.generic]) -> Floats:
    numbers = column.astype(np.float64)
    if not bool(np.isfinite(numbers).all()):
        raise ValueError(f"{name}: expected finite numbers, found {int((~np.isfinite(numbers)).sum())} that are not")
    return numbers
