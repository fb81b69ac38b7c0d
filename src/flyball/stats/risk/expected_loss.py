"""Was the loss to be expected of these rows? The change of a loss split into covariate and concept part by weighting.

On labelled rows of then, each bin of a view (the score, a feature) has a mean loss. Rows of now, spread over the same
bins, are expected to lose the weighted mean of these; that is the covariate part of the change. What they really lose
beyond it is the concept part: the same kind of row meets another answer. With classes in the place of bins the first
part is that of label shift. The split is exact: before + covariate + concept = now.

It assumes that rows of one bin are alike. A view that is coarse or beside the point calls covariate shift concept; so
several views are asked, and concept is what no view explains (`least_gap`).

Source: the weighting of Cai, Namkoong and Yadlowsky 2023 (arXiv:2303.02011) and Zhang et al. 2022 (arXiv:2210.10769),
over bins instead of a classifier between the two samples.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
PRIOR_ROWS = 1.0  # of the mean loss added to each bin, so that an empty bin has a mean and none has no spread


@dataclass(frozen=True, kw_only=True)
class BinLoss:
    """Losses of then on the bins of one view: sums, so two of them add."""

    rows: Floats  # shape [B]
    total: Floats  # sum of the losses in each bin
    squares: Floats  # sum of their squares

    @property
    def mean(self) -> float:
        return float(self.total.sum() / self.rows.sum())

    @property
    def spread(self) -> float:
        """Variance of the loss of one row; never 0, for rows that never lost are not sure never to lose."""
        n = float(self.rows.sum())
        return max(float(self.squares.sum()) / n - self.mean**2, abs(self.mean) / n, 1.0 / n**2)

    def by_bin(self) -> tuple[Floats, Floats]:
        """(mean loss, its variance) of each bin, pulled towards the overall mean by one row's weight."""
        n = float(self.rows.sum())
        spread = max(float(self.squares.sum()) / n - self.mean**2, 0.0)
        floor = max(spread, abs(self.mean), 1.0 / n) / n  # a bin that never lost is not sure never to lose
        mean = (self.total + PRIOR_ROWS * self.mean) / (self.rows + PRIOR_ROWS)
        second = (self.squares + PRIOR_ROWS * (spread + self.mean**2)) / (self.rows + PRIOR_ROWS)
        return mean, (np.maximum(second - mean**2, floor)) / (self.rows + PRIOR_ROWS)


@dataclass(frozen=True, kw_only=True)
class Split:
    """A loss before, as expected, and now; the unit of the loss."""

    before: float
    expected: float
    now: float | None  # None: no labels
    n: int  # rows of now
    covariate_variance: float  # of expected - before
    gap_variance: float  # of now - expected, from the rows of now
    shared_variance: float  # of now - expected, from the holdout: the same for every window
    now_variance: float = 0.0  # of now, by itself
    before_variance: float = 0.0  # of before: the same for every window

    @property
    def covariate(self) -> float:
        return self.expected - self.before

    @property
    def gap(self) -> float | None:
        """The concept part."""
        return None if self.now is None else self.now - self.expected


def bin_loss(at: npt.ArrayLike, losses: npt.ArrayLike, size: int) -> BinLoss:
    """Tabulate.

    Args: at: bin of each row, shape [n]. losses: of each row, shape [n], finite. size: number of bins.

    >>> bin_loss([0, 0, 1], [1.0, 0.0, 1.0], 2).total.tolist()
    [1.0, 1.0]
    """
    where, values = np.asarray(at, dtype=np.int64), np.asarray(losses, dtype=np.float64)
    return BinLoss(
        rows=np.bincount(where, minlength=size).astype(np.float64),
        total=np.bincount(where, weights=values, minlength=size).astype(np.float64),
        squares=np.bincount(where, weights=values**2, minlength=size).astype(np.float64),
    )


def split(then: BinLoss, now: npt.ArrayLike, losses: BinLoss | None = None) -> Split:
    """Split the change of a mean loss.

    Args:
        then: losses of the holdout on the bins of a view.
        now: rows of now in each bin, shape [B].
        losses: those of the same rows on the same bins, where labels are known.

    Raises: NotEnoughData: one side has no rows. ValueError: the bins differ.

    >>> then = BinLoss(rows=np.array([900.0, 100.0]), total=np.array([90.0, 50.0]), squares=np.array([90.0, 50.0]))
    >>> moved = split(then, [500, 500])
    >>> round(moved.before, 3), round(moved.expected, 3)
    (0.14, 0.299)
    """
    counts = np.asarray(now, dtype=np.float64)
    if counts.shape != then.rows.shape:
        raise ValueError(f"expected the same bins, found {then.rows.shape} and {counts.shape}")
    n, m = float(then.rows.sum()), float(counts.sum())
    if n <= 0 or m <= 0:
        raise NotEnoughData(f"n={n:.0f}, m={m:.0f}: a split needs rows on both sides")
    mean, variance = then.by_bin()
    p, q = then.rows / n, counts / m
    before, shared = then.mean, float(q**2 @ variance)
    expected = before + float((q - p) @ mean)
    covariate = float((q - p) ** 2 @ variance) + max(float(q @ (mean - expected) ** 2), 0.0) / m
    covariate += max(float(p @ (mean - before) ** 2), 0.0) / n
    if losses is None:
        return Split(
            before=before,
            expected=expected,
            now=None,
            n=int(m),
            covariate_variance=covariate,
            gap_variance=0.0,
            shared_variance=shared,
        )
    realised = losses.mean
    # spread of loss - expected loss over the rows of now; at least what the holdout says of such rows
    own = float((losses.squares - 2 * mean * losses.total + mean**2 * counts).sum()) / m - (realised - expected) ** 2
    theirs = float(q @ (variance * (then.rows + PRIOR_ROWS)))
    return Split(
        before=before,
        expected=expected,
        now=realised,
        n=int(m),
        covariate_variance=covariate,
        gap_variance=max(own, theirs, 0.0) / m,
        shared_variance=shared,
        now_variance=losses.spread / m,
        before_variance=then.spread / n,
    )


def least_gap(views: Mapping[str, Split]) -> str:
    """The view that leaves the least unexplained; where two views disagree about the sign, nothing is.

    Raises: ValueError: no view, or one without labels.
    """
    gaps = {name: view.gap for name, view in views.items()}
    if not gaps or None in gaps.values():
        raise ValueError("expected at least one view, each with labels")
    return min(gaps, key=lambda name: abs(gaps[name] or 0.0))


def pooled(splits: Sequence[Split]) -> Split:
    """Several windows of one view together; their shared part of the variance does not shrink.

    Raises: NotEnoughData: none, or one without labels.
    """
    if not splits or any(one.now is None for one in splits):
        raise NotEnoughData("pooling needs windows with labels")
    n = sum(one.n for one in splits)
    share = [one.n / n for one in splits]

    def mean(values: Sequence[float]) -> float:
        return math.fsum(s * v for s, v in zip(share, values, strict=True))

    return Split(
        before=mean([one.before for one in splits]),
        expected=mean([one.expected for one in splits]),
        now=mean([one.now or 0.0 for one in splits]),
        n=n,
        covariate_variance=mean([one.covariate_variance for one in splits]),
        gap_variance=math.fsum(s**2 * one.gap_variance for s, one in zip(share, splits, strict=True)),
        shared_variance=mean([one.shared_variance for one in splits]),
        now_variance=math.fsum(s**2 * one.now_variance for s, one in zip(share, splits, strict=True)),
        before_variance=mean([one.before_variance for one in splits]),
    )
