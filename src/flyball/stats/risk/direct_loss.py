"""Direct loss estimation: what a prediction will cost, learned from what such predictions cost on the reference.

Of a regression no score says how sure it is. So the loss itself is predicted: g(x, prediction) is fitted to the loss on
reference rows, out of fold where its own error is told; the mean of g over a window is the loss to expect there. Root
mean squared error is the root *after* the mean. `LossTable` is the variant that adds up: mean loss by bin of the
prediction, constant in size, an estimate from counts alone. Both hold while the loss given the inputs stays what it
was; a table also takes what g would read from the inputs as unchanged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.core.release import LossTable
from flyball.stats.binning.bins import fit_numeric
from flyball.stats.scoring.sample import Floats

LOSSES = {"mae": "absolute", "rmse": "squared", "mape": "relative"}  # metric -> the loss whose mean it is
LEAST_ROWS = 100
FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A loss to expect, in the metric's unit."""

    value: float
    se: float  # standard error of a realised value about it: one window's noise and the reference's
    n: int  # rows of the window


def row_losses(kind: str, truth: npt.ArrayLike, prediction: npt.ArrayLike) -> Floats:
    """Loss of each row, shape [n]; `relative` is NaN where the truth is 0.

    Raises: ValueError: not finite, or shapes differ. KeyError: no such loss.

    >>> row_losses("squared", [1.0, 2.0], [1.0, 4.0]).tolist()
    [0.0, 4.0]
    """
    y, said = np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64)
    if y.shape != said.shape or y.ndim != 1:
        raise ValueError(f"expected one prediction for each truth, found shapes {said.shape} and {y.shape}")
    if bad := int((~np.isfinite(y) | ~np.isfinite(said)).sum()):
        raise ValueError(f"expected finite numbers, found {bad} rows that are not")
    error = np.abs(y - said)
    if kind == "absolute":
        return error
    if kind == "squared":
        return np.asarray(error**2)
    if kind == "relative":
        return np.divide(error, np.abs(y), out=np.full_like(error, np.nan), where=y != 0)
    raise KeyError(f"no loss {kind!r}: expected absolute, squared or relative")


def loss_table(kind: str, truth: npt.ArrayLike, prediction: npt.ArrayLike) -> LossTable:
    """Mean loss by bin of the prediction, on bins of equal mass.

    Raises: NotEnoughData: too few rows. ValueError: as `row_losses`.

    >>> table = loss_table("absolute", np.arange(200.0), np.arange(200.0) + 2)
    >>> set(table.mean), sum(table.rows)
    ({2.0}, 200)
    """
    loss = row_losses(kind, truth, prediction)
    kept = np.isfinite(loss)
    said = np.asarray(prediction, dtype=np.float64)[kept]
    loss = loss[kept]
    if loss.size < LEAST_ROWS:
        raise NotEnoughData(f"{loss.size} rows with a {kind} loss: a table needs at least {LEAST_ROWS}")
    edges = fit_numeric(said, parted=True).edges
    at = np.searchsorted(np.asarray(edges), said, side="right")
    size = len(edges) + 1
    rows = np.bincount(at, minlength=size)
    total, squares = np.bincount(at, loss, size), np.bincount(at, loss**2, size)
    mean = np.divide(total, rows, out=np.full(size, loss.mean()), where=rows > 0)
    spread = np.divide(squares, rows, out=np.full(size, float((loss**2).mean())), where=rows > 0) - mean**2
    return LossTable(
        edges=tuple(edges),
        rows=tuple(rows.tolist()),
        mean=tuple(mean.tolist()),
        sd=tuple(np.sqrt(np.maximum(spread, 0.0)).tolist()),
    )


def from_table(metric: str, table: LossTable, counts: Sequence[int]) -> Expected:
    """The metric to expect from how many predictions fell into each bin of the table.

    Raises: NotEnoughData: no rows. ValueError: another number of bins.

    >>> table = LossTable(edges=(0.0,), rows=(50, 50), mean=(1.0, 3.0), sd=(0.0, 0.0))
    >>> from_table("mae", table, [10, 30]).value, round(from_table("rmse", table, [10, 30]).value, 4)
    (2.5, 1.5811)
    """
    share = np.asarray(counts, dtype=np.float64)
    mean, sd, rows = (np.asarray(part, dtype=np.float64) for part in (table.mean, table.sd, table.rows))
    if share.shape != mean.shape:
        raise ValueError(f"expected counts of {mean.size} bins, found shape {share.shape}")
    n = float(share.sum())
    if n <= 0:
        raise NotEnoughData("no rows: there is nothing to estimate from")
    share = share / n
    value = float(share @ mean)
    within = float(share @ (sd**2))
    between = float(share @ (mean - value) ** 2)
    # what the window draws, and how sure each bin's mean is
    variance = (within + between) / n + float(np.sum(share**2 * sd**2 / np.maximum(rows, 1.0)))
    return _of_metric(metric, value, variance, int(n))


class DirectLoss:
    """g(x, prediction), fitted out of fold on a reference with labels."""

    def __init__(
        self,
        metric: str,
        x: npt.ArrayLike,
        prediction: npt.ArrayLike,
        truth: npt.ArrayLike,
        *,
        seed: int,
        model: Any = None,
    ) -> None:
        """Fit g; the mean of the out-of-fold residuals corrects it, and their spread by bins of g is its error.

        Args:
            metric: `mae`, `rmse` or `mape`.
            x: inputs as numbers, shape [n, features]; NaN is missing.
            prediction, truth: shape [n].
            seed: of the trees' own dice, for the same g from the same rows.
            model: a regressor of scikit-learn's kind; None: boosted trees.

        Raises: NotEnoughData: too few rows. ValueError, KeyError: as `row_losses`.
        Source: NannyML's direct loss estimation; boosted trees of scikit-learn.
        """
        from sklearn.ensemble import HistGradientBoostingRegressor
        from sklearn.model_selection import KFold, cross_val_predict

        loss = row_losses(LOSSES[metric], truth, prediction)
        design = _design(x, prediction)
        kept = np.isfinite(loss)
        loss, design = loss[kept], design[kept]
        if loss.size < LEAST_ROWS:
            raise NotEnoughData(f"{loss.size} rows with a loss: g needs at least {LEAST_ROWS}")
        g = HistGradientBoostingRegressor(random_state=seed) if model is None else model
        folds = KFold(FOLDS, shuffle=True, random_state=seed)
        told = np.asarray(cross_val_predict(g, design, loss, cv=folds), dtype=np.float64)
        residual = loss - told
        # rows that lose more also lose less evenly, so their spread is kept by bins of g. Their bias is not: where g is
        # low it is so by chance too, and after a shift toward such rows that would be taken off twice
        self._edges = np.asarray(fit_numeric(told, parted=True).edges)  # each fold has its own few; g says one between
        at = np.searchsorted(self._edges, told, side="right")
        size = self._edges.size + 1
        self.metric = metric
        rows = np.bincount(at, minlength=size)
        self.bias = float(residual.mean())  # in the loss's unit
        off = (residual - self.bias) ** 2
        # of one row about g, by bin; where the reference has none, as all of its rows are
        self.sd = np.sqrt(np.divide(np.bincount(at, off, size), rows, out=np.full(size, off.mean()), where=rows > 0))
        self.rows = np.where(rows > 0, rows, loss.size)  # that say so, by bin
        self._g = g.fit(design, loss)

    def expected(self, x: npt.ArrayLike, prediction: npt.ArrayLike) -> Expected:
        """The metric to expect on these rows.

        Raises: NotEnoughData: no rows. ValueError: predictions are not finite.
        """
        design = _design(x, prediction)
        if not design.shape[0]:
            raise NotEnoughData("no rows: there is nothing to estimate from")
        each = np.asarray(self._g.predict(design), dtype=np.float64)
        at = np.searchsorted(self._edges, each, side="right")
        share = np.bincount(at, minlength=self.rows.size) / each.size
        # what the window draws, and how sure g is of such rows
        drawn, learned = share @ self.sd**2 / each.size, np.sum(share**2 * self.sd**2 / self.rows)
        return _of_metric(self.metric, float(each.mean()) + self.bias, float(drawn + learned), int(each.size))


def _design(x: npt.ArrayLike, prediction: npt.ArrayLike) -> Floats:
    said = np.asarray(prediction, dtype=np.float64)
    if bad := int((~np.isfinite(said)).sum()):
        raise ValueError(f"expected finite predictions, found {bad} that are not")
    return np.column_stack([np.asarray(x, dtype=np.float64), said])


def _of_metric(metric: str, mean: float, variance: float, n: int) -> Expected:
    """The mean loss as the metric; of a root by the delta method."""
    if metric == "rmse":
        root = math.sqrt(max(mean, 0.0))
        return Expected(value=root, se=math.sqrt(variance) / (2 * root) if root > 0 else math.sqrt(variance), n=n)
    return Expected(value=mean, se=math.sqrt(variance), n=n)
