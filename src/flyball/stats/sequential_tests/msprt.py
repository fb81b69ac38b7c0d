"""The mixture SPRT of two arms: a p-value for "the means are equal" that may be read after every value.

Theory of operation. Values are normal with a known standard deviation and two unknown means. Their common level is no
question of ours, so look at differences of values only (the largest that is free of the level). Given these, the
likelihood ratio of "candidate minus champion is d" over "is 0" is exp(d D / V - d^2 / (2 V)), where D is the
difference of the arms' means so far and V = sd^2 (1/n + 1/m) its variance. Averaged over d ~ N(0, tau^2),

    L = sqrt(V / (V + tau^2)) exp(tau^2 D^2 / (2 V (V + tau^2))),

is a martingale while the means are equal, for any order of arms and any weights as long as they do not depend on the
level of the values. For pairs (n = m) it is the published test. What is not covered: a level that moves with the day
while the weights ramp; there compare within strata, or use pairs.

1/L is a p-value at every moment, and so is the least of them so far: P(ever p <= alpha | equal) <= alpha.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def two_sample_log_e(n: int, m: int, difference: float, *, sd: float, tau: float) -> float:
    """ln L of the theory of operation, nats; 0 while an arm has no value.

    Args:
        n, m: values of the candidate and of the champion, count.
        difference: of the arms' means, in the unit of the metric.
        sd: of one value, known, in the unit of the metric.
        tau: typical size of a true difference, in the unit of the metric, > 0.

    Source: Johari, Pekelis and Walsh 2015 (arXiv:1512.04922), eq. 10 at n = m.

    >>> [round(two_sample_log_e(n, n, d, sd=1.0, tau=0.1), 6) for n, d in ((100, 0.1), (1000, 0.1), (1000, 0.2))]
    [-0.119399, 1.187454, 7.437454]
    """
    if min(n, m) <= 0:
        return 0.0
    v, mixed = sd * sd * (1 / n + 1 / m), tau * tau
    return mixed * difference**2 / (2 * v * (v + mixed)) - math.log1p(mixed / v) / 2


@dataclass(frozen=True, kw_only=True)
class MixtureSprt:
    """State: counts and sums of both arms, and the best evidence so far."""

    sd: float  # of one value, known, in the unit of the metric
    tau: float  # typical size of a true difference, in the unit of the metric
    candidate_n: int = 0
    candidate_total: float = 0.0  # sum of the values less `origin`
    champion_n: int = 0
    champion_total: float = 0.0
    origin: float | None = None  # the first value: differences alone count, and small numbers keep their digits
    peak_log_e: float = 0.0  # largest log_e so far, at least 0, nats

    def __post_init__(self) -> None:
        if not (0 < self.sd < math.inf and 0 < self.tau < math.inf):
            raise ValueError(f"expected sd > 0 and tau > 0, found sd={self.sd}, tau={self.tau}")

    def observe(self, is_candidate: bool, value: float) -> "MixtureSprt":
        """With one value more.

        Raises: ValueError: not finite.

        >>> state = MixtureSprt(sd=1.0, tau=0.1)
        >>> state.observe(True, 3.0).observe(False, 3.0).p
        1.0
        """
        return self.plus([is_candidate], [value])

    def plus(self, is_candidate: npt.ArrayLike, values: npt.ArrayLike) -> "MixtureSprt":
        """With these values more, in their order; p is that of the most telling moment among them.

        Args: is_candidate: whose value each is, shape [n]. values: in the unit of the metric, shape [n].
        Raises: ValueError: shapes differ, or a value is not finite.
        """
        arms, each = np.asarray(is_candidate, dtype=np.bool_), np.asarray(values, dtype=np.float64)
        if arms.shape != each.shape or arms.ndim != 1 or not np.isfinite(each).all():
            raise ValueError(f"expected one finite value for each arm, found {arms.shape} and {each.shape}")
        if not each.size:
            return self
        origin = float(each[0]) if self.origin is None else self.origin
        n, m = self.candidate_n + np.cumsum(arms), self.champion_n + np.cumsum(~arms)
        mine = self.candidate_total + np.cumsum(np.where(arms, each - origin, 0.0))
        theirs = self.champion_total + np.cumsum(np.where(arms, 0.0, each - origin))
        after = replace(
            self,
            candidate_n=int(n[-1]),
            candidate_total=float(mine[-1]),
            champion_n=int(m[-1]),
            champion_total=float(theirs[-1]),
            origin=origin,
        )
        return replace(after, peak_log_e=max(self.peak_log_e, _peak(n, m, mine, theirs, self.sd, self.tau)))

    @property
    def difference(self) -> float:
        """Candidate minus champion, of the means; NaN while an arm has no value."""
        if not (self.candidate_n and self.champion_n):
            return math.nan
        return self.candidate_total / self.candidate_n - self.champion_total / self.champion_n

    @property
    def log_e(self) -> float:
        """Evidence now, nats; an e-value, like those of the other tests."""
        return two_sample_log_e(self.candidate_n, self.champion_n, self.difference, sd=self.sd, tau=self.tau)

    @property
    def p(self) -> float:
        """The least p-value so far, 0..1: it never rises, and P(ever p <= alpha | equal means) <= alpha.

        >>> round(MixtureSprt(sd=1.0, tau=0.1, peak_log_e=1.187454).p, 6)
        0.304997
        """
        return math.exp(-self.peak_log_e)


def _peak(n: npt.NDArray[np.int64], m: npt.NDArray[np.int64], mine: Floats, theirs: Floats, *scale: float) -> float:
    """The largest log_e along a path, nats, or 0 where both arms never had a value."""
    both = (n > 0) & (m > 0)
    if not both.any():
        return 0.0
    n_, m_ = n[both].astype(np.float64), m[both].astype(np.float64)
    sd, tau = scale
    v, mixed = sd * sd * (1 / n_ + 1 / m_), tau * tau
    squared = (mine[both] / n_ - theirs[both] / m_) ** 2
    return float((mixed * squared / (2 * v * (v + mixed)) - np.log1p(mixed / v) / 2).max())
