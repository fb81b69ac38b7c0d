"""A scored sample in the order of its scores: the areas under its ROC and precision-recall curves.

Sorting is done once; a bootstrap then only changes the weights of the rows, so a resample costs O(n). Rows with equal
scores form one group: they count half for the ROC area and share one threshold of the precision-recall curve.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData

Floats = npt.NDArray[np.float64]


def rank(positive: npt.NDArray[np.bool_] | Floats, score: Floats) -> "Ranking":
    """Order the sample by score, highest first.

    Args:
        positive: whether the row is of the positive class, or the probability of it (a soft label), shape [n].
        score: larger = more likely positive, shape [n], finite.

    >>> rank(np.array([True, False, True]), np.array([0.9, 0.5, 0.5])).auc()
    0.75
    """
    order = np.argsort(-score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if score.size else np.zeros(0, dtype=np.int64)
    return Ranking(order=order, positive=positive[order].astype(np.float64), starts=starts)


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Rows sorted by score, highest first, with the places where a new score begins."""

    order: npt.NDArray[np.int64]  # sorted place -> row
    positive: Floats  # 1.0 where positive (or the probability of it), in sorted order
    starts: npt.NDArray[np.int64]  # sorted places that begin a group of equal scores

    def auc(self, weights: Floats | None = None) -> float:
        """P(a positive scores above a negative) + half P(they tie), unitless.

        Args: weights: of each row in the order given to `rank`, shape [n]; None = 1 each.
        Raises: NotEnoughData: a class has no rows.
        """
        yes, no = self._groups(weights)
        total_yes, total_no = float(yes.sum()), float(no.sum())
        if total_yes <= 0 or total_no <= 0:
            raise NotEnoughData(f"roc_auc needs both classes, found {total_yes:g} positive and {total_no:g} negative")
        above = np.cumsum(yes) - yes  # positives that score strictly higher
        return float(np.sum(no * (above + yes / 2)) / (total_yes * total_no))

    def average_precision(self, weights: Floats | None = None) -> float:
        """Area under the precision-recall curve by steps: sum of (recall gained) x precision, unitless.

        Raises: NotEnoughData: no positive rows.
        """
        yes, no = self._groups(weights)
        total = float(yes.sum())
        if total <= 0:
            raise NotEnoughData("pr_auc needs at least one positive row, found none")
        hits, seen = np.cumsum(yes), np.cumsum(yes + no)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return float(np.sum(yes * precision) / total)

    def _groups(self, weights: Floats | None) -> tuple[Floats, Floats]:
        if not self.starts.size:
            return np.zeros(0), np.zeros(0)
        w = np.ones_like(self.positive) if weights is None else weights[self.order]
        yes = w * self.positive
        return np.add.reduceat(yes, self.starts), np.add.reduceat(w - yes, self.starts)
