"""Confidence sequences for quantiles (latency p50, p99) that assume nothing of the law, from samples or from counts.

Theory of operation. Let q be the p-quantile. How many of n values are at or below q is a count with rate p, for which
there is an exact e-value (`bernoulli_sequence.rate_log_e`). The counts that it does not refute bound q by two order
statistics of the values, whatever these are. Where several values equal q, some share of them makes the count right,
and the least evidence over all shares is taken; so ties, and values rounded to bins, cost width and never the promise.

A histogram says in which bin an order statistic is, so its bounds are edges: wider by at most one bin on each side.
Panes add, and so the bounds may be read after every pane.

Source: Howard and Ramdas 2022 (arXiv:1906.09714), section 3, with the beta-binomial mixture.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from flyball.stats.confidence_sequences.bernoulli_sequence import rate_log_e
from flyball.stats.sequential_tests.sprt import check_budgets


def quantile_bounds(values: npt.ArrayLike, p: float, *, alpha: float, n_opt: int = 10_000) -> tuple[float, float]:
    """Bounds of the p-quantile from a sample: P(after any value the quantile is outside) <= alpha.

    Args:
        values: all so far, in any order, shape [n]; infinite ones are allowed (an answer that never came).
        p: which quantile, in (0, 1).
        alpha: error budget for the whole run, in (0, 1); several quantiles share it.
        n_opt: at about so many values the bounds are tightest, count.

    Returns: (low, high), in the unit of the values; infinite where there are too few.
    Raises: ValueError: NaN among the values, or a budget or p outside (0, 1).

    >>> quantile_bounds(np.arange(1000.0), 0.5, alpha=0.05, n_opt=1000)
    (452.0, 547.0)
    """
    each = np.sort(np.asarray(values, dtype=np.float64))
    if each.ndim != 1 or np.isnan(each).any():
        raise ValueError(f"expected a column of values, found shape {each.shape} or NaN among them")
    first, last = quantile_ranks(each.size, p, alpha=alpha, n_opt=n_opt)
    return float(each[first - 1]) if first else -math.inf, float(each[last - 1]) if last <= each.size else math.inf


def quantile_bounds_of_counts(
    counts: Sequence[int], edges: Sequence[float], p: float, *, alpha: float, n_opt: int = 10_000
) -> tuple[float, float]:
    """The same from a histogram: bin j holds values above edges[j - 1] and up to edges[j], the last all above.

    Args: counts: one for each bin, shape [J + 1]. edges: rising, shape [J].
    Returns: (low, high), edges or infinite.
    Raises: ValueError: not one count >= 0 more than rising edges.

    >>> quantile_bounds_of_counts([0, 40, 900, 60], [1.0, 2.0, 4.0], 0.5, alpha=0.05)
    (2.0, 4.0)
    """
    upto = cumulated(counts, edges)
    first, last = quantile_ranks(int(upto[-1]), p, alpha=alpha, n_opt=n_opt)
    low = int(np.searchsorted(upto, first)) if first else 0  # the bin that holds the order statistic
    high = int(np.searchsorted(upto, last)) if last <= upto[-1] else len(edges)
    return edges[low - 1] if low else -math.inf, edges[high] if high < len(edges) else math.inf


def cumulated(counts: Sequence[int], edges: Sequence[float]) -> npt.NDArray[np.int64]:
    """Values up to each edge, and all of them, shape [J + 1].

    Raises: ValueError: not one count >= 0 more than rising edges.
    """
    each = np.asarray(counts, dtype=np.int64)
    if each.ndim != 1 or each.size != len(edges) + 1 or (each < 0).any() or (np.diff(edges) <= 0).any():
        raise ValueError(f"expected rising edges and one count >= 0 more, found {len(edges)} and {each.size}")
    return np.cumsum(each)


def quantile_ranks(n: int, p: float, *, alpha: float, n_opt: int = 10_000) -> tuple[int, int]:
    """Between which order statistics of n values the p-quantile is; 0 and n + 1 stand for no bound.

    Returns: (first, last), ranks from 1: the smallest value has 1.

    >>> quantile_ranks(1000, 0.99, alpha=0.05), quantile_ranks(10, 0.99, alpha=0.05)
    ((977, 1001), (0, 11))
    """
    check_budgets(alpha=alpha, p=p)
    if n <= 0:
        return 0, 1
    goal = -math.log(alpha)

    def open_(count: int) -> bool:
        """Not refuted."""
        return rate_log_e(n, count, p, alpha=alpha, n_opt=n_opt) < goal

    expected = min(max(round(n * p), 0), n)
    low, high = -1, expected  # refuted, open
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if open_(middle) else (middle, high)
    first = high
    low, high = expected, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if open_(middle) else (low, middle)
    return first, high
