"""Sample-ratio mismatch: did the arms get the units that their weights promise? Asked before any verdict.

Count first-seen units by the *assigned* arm. A mismatch means that the comparison is broken (lost logs of the slower
arm, retries that land elsewhere), so its verdict is INVALID whatever the metrics say.
"""

import math
from collections.abc import Sequence

from scipy import special

from flyball.core.errors import NotEnoughData
from flyball.stats.two_sample.divergences import ChiSquare


def ratio_chi_square(counts: Sequence[int], shares: Sequence[float]) -> ChiSquare:
    """Chi-square test of the counts against the promised shares, for a look taken once (use p < 0.001).

    Args: counts: units of each arm. shares: promised, > 0, sum 1.
    Raises: NotEnoughData: no units. ValueError: faulty shares or counts.

    >>> round(ratio_chi_square([600, 400], [0.5, 0.5]).statistic, 6)
    40.0
    """
    _check(counts, shares)
    total = sum(counts)
    if not total:
        raise NotEnoughData("no units were assigned yet")
    statistic = sum((count - total * share) ** 2 / (total * share) for count, share in zip(counts, shares, strict=True))
    df = len(counts) - 1
    return ChiSquare(statistic, float(special.chdtrc(df, statistic)) if df else 1.0, df)


def ratio_log_e(counts: Sequence[int], shares: Sequence[float], *, concentration: float = 100.0) -> float:
    """Log e-value against "the arms got their shares", nats; may be read after every unit.

    A Dirichlet mixture around the promised shares: P(ever >= ln(1/alpha)) <= alpha. Shares that change: one e-value
    for each stretch of constant shares, and add the logs.

    Args: concentration: of the mixture around the shares, > 0; larger looks for smaller deviations.
    Source: Lindon and Malek 2022, eq. 5.

    >>> round(ratio_log_e([600, 400], [0.5, 0.5], concentration=2), 6)
    16.886281
    """
    _check(counts, shares)
    prior = [concentration * share for share in shares]
    posterior = [a + count for a, count in zip(prior, counts, strict=True)]
    fit = sum(count * math.log(share) for count, share in zip(counts, shares, strict=True))
    return _log_beta(posterior) - _log_beta(prior) - fit


def anytime_p(log_e: float) -> float:
    """The p-value that a log e-value stands for: min(1, 1/e).

    >>> anytime_p(-1.0), round(anytime_p(5.958521), 6)
    (1.0, 0.002584)
    """
    return min(1.0, math.exp(-log_e)) if log_e > 0 else 1.0


def _log_beta(a: list[float]) -> float:
    return sum(map(math.lgamma, a)) - math.lgamma(sum(a))


def _check(counts: Sequence[int], shares: Sequence[float]) -> None:
    if len(counts) != len(shares) or not counts or min(counts) < 0:
        raise ValueError(f"expected one count >= 0 for each share, found {list(counts)} and {list(shares)}")
    if min(shares) <= 0 or abs(sum(shares) - 1) > 1e-9:
        raise ValueError(f"expected shares > 0 that sum to 1, found {list(shares)}; leave out arms of weight 0")
