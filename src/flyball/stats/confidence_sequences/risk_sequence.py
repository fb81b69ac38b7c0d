"""Is the risk above its baseline? Bounds on the difference that may be read after every window.

The running mean of row losses gets an asymptotic confidence sequence; the baseline, measured once on a holdout, a fixed
interval. Each has half of the budget, so the difference of the two misses *ever* with probability at most alpha. The
mean runs over everything since the release began to serve; it is the risk it has had, not that of the last hour, so a
late change shows late: a signal of one window is quicker, this one is surer.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.confidence_sequences.sequences import asymptotic_half_width, asymptotic_rho
from flyball.stats.scoring.sample import Floats

LEAST_ROWS = 100  # the sequence is asymptotic: it is silent before
PRIOR_ROWS = 30  # of the baseline's variance: rare losses, of which none has come yet, do not look certain
TIGHTEST_AT = 10_000  # rows at which the bound is tightest


@dataclass(frozen=True, kw_only=True)
class RiskSequence:
    """Sums over row losses. Merging is addition."""

    n: int = 0  # rows
    total: float = 0.0  # of the losses, in their unit
    squares: float = 0.0

    def plus(self, losses: npt.ArrayLike) -> "RiskSequence":
        """With these row losses more, shape [m].

        Raises: ValueError: not finite.

        >>> RiskSequence().plus([0.0, 1.0]).n
        2
        """
        each = np.asarray(losses, dtype=np.float64)
        if bad := int((~np.isfinite(each)).sum()):
            raise ValueError(f"expected finite losses, found {bad} that are not")
        return RiskSequence(
            n=self.n + each.size, total=self.total + float(each.sum()), squares=self.squares + float((each**2).sum())
        )

    def merge(self, other: "RiskSequence") -> "RiskSequence":
        """Both together; they must not share a row."""
        return RiskSequence(n=self.n + other.n, total=self.total + other.total, squares=self.squares + other.squares)

    def above(self, mean: float, sd: float, rows: int, *, alpha: float) -> tuple[float, float, float]:
        """(value, low, high) of risk minus baseline, in the unit of the loss.

        P(low or high is ever on the wrong side) <= alpha, asymptotically in the rows of both.

        Args:
            mean, sd: of one row's loss on the baseline.
            rows: of the baseline, count.
            alpha: budget for the whole run, in (0, 1).

        Raises: NotEnoughData: fewer than 100 rows, or 2 of the baseline.
        Source: Waudby-Smith et al. 2021 (arXiv:2103.06476), eq. 9; the split of the budget after
            Podkopaev and Ramdas 2022 (arXiv:2110.06177), section 2.

        >>> state = RiskSequence(n=10_000, total=2000.0, squares=2000.0)
        >>> [round(bound, 3) for bound in state.above(0.1, 0.3, 5000, alpha=0.05)]
        [0.1, 0.077, 0.123]
        """
        if self.n < LEAST_ROWS or rows < 2:
            raise NotEnoughData(f"{self.n} losses and {rows} of the baseline: at least {LEAST_ROWS} and 2 are needed")
        now = self.total / self.n
        around = max(0.0, self.squares - self.n * now * now)
        spread = math.sqrt((around + PRIOR_ROWS * sd * sd) / (self.n + PRIOR_ROWS - 1))
        rho = asymptotic_rho(TIGHTEST_AT, alpha=alpha / 2)
        half = asymptotic_half_width(self.n, spread, alpha=alpha / 2, rho=rho)
        half += NormalDist().inv_cdf(1 - alpha / 4) * sd / math.sqrt(rows)
        return now - mean, now - mean - half, now - mean + half


def doubly_robust(realised: npt.ArrayLike, estimated: npt.ArrayLike, bucket: npt.ArrayLike) -> tuple[Floats, Floats]:
    """(pseudo-losses, share of labels that had arrived in the row's bucket), shape [n] each.

    Their mean is the risk: the estimate for every row, corrected by the labelled ones, each of which stands for 1/pi
    rows of its bucket. Right if the estimate is right, or if within a bucket it is chance which label has arrived; a
    bucket without labels rests on the estimate alone.

    Args:
        realised: loss where the label has come, else NaN, shape [n].
        estimated: loss to expect without the label, shape [n], finite.
        bucket: of delay (age) or of answer, whole numbers >= 0, shape [n].

    Raises: ValueError: shapes differ, or an estimate is not finite.
    Source: Robins, Rotnitzky and Zhao 1994, with the propensity of a bucket its share of labels.

    >>> losses, arrived = doubly_robust([1.0, np.nan, 3.0, np.nan], [2.0, 2.0, 2.0, 2.0], [0, 0, 1, 1])
    >>> losses.tolist(), arrived.tolist()
    ([0.0, 2.0, 4.0, 2.0], [0.5, 0.5, 0.5, 0.5])
    """
    loss, expected = np.asarray(realised, dtype=np.float64), np.asarray(estimated, dtype=np.float64)
    code = np.asarray(bucket, dtype=np.int64)
    if not loss.shape == expected.shape == code.shape or loss.ndim != 1:
        raise ValueError(f"expected three columns of one length, found {loss.shape}, {expected.shape}, {code.shape}")
    if bad := int((~np.isfinite(expected)).sum()):
        raise ValueError(f"expected finite estimates, found {bad} that are not")
    come = np.isfinite(loss)
    rows = np.bincount(code, minlength=1)
    share = np.divide(
        np.bincount(code, come.astype(np.float64), rows.size), rows, out=np.zeros(rows.size), where=rows > 0
    )
    arrived = share[code]
    correction = np.where(come, loss - expected, 0.0) / np.where(come, arrived, 1.0)
    return expected + correction, arrived
