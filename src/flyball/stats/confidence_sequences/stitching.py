"""Stitched bounds: closed forms that grow as slowly as the law of the iterated logarithm allows.

Time is cut into epochs that grow by a factor; each has a line of its own and a share of alpha. A mixture is tighter
where one knows when to look; a stitched bound is never far off, however long the run, and comes uniform over all
quantiles at once.

Source: Howard, Ramdas, McAuliffe and Sekhon 2021 (arXiv:1810.08240), theorem 1, for sums; Howard and Ramdas 2022
(arXiv:1906.09714), theorems 2 and 3, for quantiles.
"""

import math
from collections.abc import Callable
from functools import lru_cache

from scipy import special

from flyball.stats.sequential_tests.sprt import check_budgets

_GOLDEN = (math.sqrt(5) - 1) / 2


def stitched_bound(v: float, *, alpha: float, v_min: float, c: float = 0.0, s: float = 1.4, eta: float = 2.0) -> float:
    """How large a centred sum may ever become at intrinsic time v: P(ever beyond) <= alpha, one-sided; unit of the sum.

    Args:
        v: intrinsic time (variance so far); below v_min the bound of v_min holds.
        v_min: where the first epoch begins, > 0.
        c: scale of a sub-gamma sum (tails heavier than the normal's), 0 for sub-Gaussian ones.
        s: how fast epochs lose their share of alpha, > 1. eta: growth of an epoch, > 1.

    Source: Howard et al. 2021, eq. 10.

    >>> round(stitched_bound(100, alpha=0.05, v_min=10, c=3), 5)
    64.48755
    """
    check_budgets(alpha=alpha)
    if not (v_min > 0 and s > 1 and eta > 1):
        raise ValueError(f"expected v_min > 0, s > 1 and eta > 1, found {v_min}, {s} and {eta}")
    time = max(v, v_min)
    level = (
        s * math.log(math.log(eta * time / v_min)) - math.log(alpha) + math.log(_zeta(s)) - s * math.log(math.log(eta))
    )
    return _line(time, level, c, eta)


def distribution_bound(n: int, *, alpha: float, n_min: int = 1, a: float = 0.85) -> float:
    """By how much an empirical distribution function may ever be off, at any value: P(ever beyond) <= alpha, a share.

    Uniform over all values and over all n >= n_min, so over all quantiles too: the p-quantile is between the empirical
    quantiles at p minus and p plus this. Infinite before n_min.

    Args: a: leading constant, above sqrt(1/2); smaller is tighter late, and larger early.
    Source: Howard and Ramdas 2022, theorem 2 and corollary 2.

    >>> round(distribution_bound(1000, alpha=0.05, n_min=100), 5)
    0.08205
    """
    check_budgets(alpha=alpha)
    if not (n_min >= 1 and a > math.sqrt(0.5)):
        raise ValueError(f"expected n_min >= 1 and a > sqrt(1/2), found {n_min} and {a}")
    if n < n_min:
        return math.inf
    return a * math.sqrt((math.log1p(math.log(n / n_min)) + _distribution_constant(alpha, a)) / n)


def quantile_bound(
    p: float, n: int, *, alpha: float, n_min: int, delta: float = 0.5, s: float = 1.4, eta: float = 2.0
) -> float:
    """By how many the count of values below the p-quantile may ever exceed n p, for all p at once; a count.

    P(at any n, any p, beyond) <= alpha, both sides together (the other side: 1 - p). Wide at the median, but narrow at
    p99, where `distribution_bound` is useless.

    Args: n_min: where the first epoch begins, >= 1. delta: grain of the p that are tried, in log odds.
    Source: Howard and Ramdas 2022, theorem 3.

    >>> [round(quantile_bound(p, 1000, alpha=0.05, n_min=100), 5) for p in (0.5, 0.9, 0.1)]
    [68.62803, 43.72119, 59.96521]
    """
    check_budgets(alpha=alpha, p=p)
    if not (n_min >= 1 and delta > 0 and s > 1 and eta > 1):
        raise ValueError(f"expected n_min >= 1, delta > 0, s > 1 and eta > 1, found {n_min}, {delta}, {s} and {eta}")
    time, odds = max(n, n_min), float(special.logit(p))
    reach = 2 * delta * math.sqrt(n_min * eta / time)
    r = p if p >= 0.5 else min(0.5, float(special.expit(odds + reach)))
    tried = math.sqrt(time / n_min) * abs(odds) / (2 * delta) + 1
    zeta = _zeta(s)
    level = s * (math.log(math.log(eta * time / n_min)) + math.log(tried) - math.log(math.log(eta)))
    level += math.log(2 * zeta * (2 * zeta + 1) / alpha)
    spread = r * (1 - r)
    return delta * math.sqrt(eta * time * spread / n_min) + _line(time * spread, level, (1 - 2 * p) / 3, eta)


def _line(v: float, level: float, c: float, eta: float) -> float:
    """The bound that one epoch's line gives at its worst, Howard et al. 2021, eq. 9."""
    k1, k2 = (eta**0.25 + eta**-0.25) / math.sqrt(2), (math.sqrt(eta) + 1) / 2
    shift = k2 * c * level
    return math.sqrt(k1 * k1 * v * level + shift * shift) + shift


@lru_cache(maxsize=64)
def _distribution_constant(alpha: float, a: float) -> float:
    """The least C of theorem 2: with the best eta the error is alpha."""
    low = high = 5.0
    while _least_error(high, a) > alpha:
        high *= 2
    while _least_error(low, a) < alpha:
        low /= 2
    return _bisected(lambda constant: _least_error(constant, a) > alpha, low, high)


def _least_error(constant: float, a: float) -> float:
    """The error of theorem 2 at a constant, with the eta for which it is least: it falls, then rises with eta."""

    def error(eta: float) -> float:
        gamma = 2 / eta * (a - math.sqrt(2 * (eta - 1) / constant)) ** 2
        return 4 * math.exp(-gamma * constant) * (1 + 1 / ((gamma - 1) * math.log(eta))) if gamma > 1 else math.inf

    low, high = 1.0, _bisected(lambda eta: math.sqrt(eta / 2) + math.sqrt(2 * (eta - 1) / constant) < a, 1.0, 2 * a * a)
    for _ in range(100):  # golden section
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if error(left) < error(right) else (left, high)
    return error((low + high) / 2)


def _bisected(below: Callable[[float], bool], low: float, high: float) -> float:
    """Where a question whose answer is yes first and no later turns, between low (yes) and high (no)."""
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if below(middle) else (low, middle)
    return high


def _zeta(s: float) -> float:
    return float(special.zeta(s))
