"""Is a quantile (latency p99) of two arms the same? Asked after every value, with no assumption about the law.

If the arms share their p-quantile x, the counts of values at or below x have rate p in both, and the product of their
two e-values is one; x is not known, so the least product over all x is taken. For "the candidate's is not larger" each
arm brings one-sided evidence: too few of the candidate's values below x, too many of the champion's. Ties, and values
rounded to bins, are treated as in `quantile_sequences`: rounding to bins keeps equal quantiles equal, so a histogram
is a sample with ties.

Source: Howard and Ramdas 2022 (arXiv:1906.09714), section 5 (two-sided).
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.confidence_sequences.log_tails import log_beta_share
from flyball.stats.confidence_sequences.quantile_sequences import cumulated
from flyball.stats.confidence_sequences.sequences import normal_mixture_rho
from flyball.stats.sequential_tests.sprt import check_budgets

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Alternative = Literal["different", "larger"]  # of the candidate's quantile


def quantile_log_e(
    candidate: npt.ArrayLike,
    champion: npt.ArrayLike,
    p: float,
    *,
    alternative: Alternative = "different",
    alpha: float = 0.05,
    n_opt: int = 10_000,
) -> float:
    """Log e-value against "the p-quantiles are equal" (larger: "the candidate's is not larger"), nats.

    P(ever >= ln(1/alpha)) <= alpha; as a p-value: `anytime_p`. 0 while an arm has no value.

    Args:
        candidate, champion: all values so far, in any order, shapes [n] and [m]; without NaN.
        alpha, n_opt: the mixture is tightest at about this budget and so many values an arm.

    >>> values = np.arange(1000)
    >>> round(float(np.exp(-quantile_log_e(values + 100, values, 0.5, n_opt=100))), 7)
    0.0054947
    """
    arms = [np.sort(np.asarray(each, dtype=np.float64)) for each in (candidate, champion)]
    if any(arm.ndim != 1 or np.isnan(arm).any() for arm in arms):
        raise ValueError("expected two columns of values without NaN")
    places = np.unique(np.concatenate(arms))
    below = [np.searchsorted(arm, places, side="left") for arm in arms]
    upto = [np.searchsorted(arm, places, side="right") for arm in arms]
    return _least(below, upto, [arm.size for arm in arms], p, alternative, alpha, n_opt)


def quantile_log_e_of_counts(
    candidate: Sequence[int],
    champion: Sequence[int],
    edges: Sequence[float],
    p: float,
    *,
    alternative: Alternative = "different",
    alpha: float = 0.05,
    n_opt: int = 10_000,
) -> float:
    """The same from two histograms on the same edges (bins as in `quantile_bounds_of_counts`).

    >>> slow, fast = [0, 100, 900], [0, 900, 100]
    >>> quantile_log_e_of_counts(slow, fast, [1.0, 2.0], 0.5, alternative="larger") > 100
    True
    """
    upto = [cumulated(each, edges) for each in (candidate, champion)]
    below = [np.concatenate([[0], each[:-1]]) for each in upto]
    return _least(below, upto, [int(each[-1]) for each in upto], p, alternative, alpha, n_opt)


def _least(
    below: list[Counts], upto: list[Counts], sizes: list[int], p: float, alternative: Alternative, *tuned: float
) -> float:
    """The least evidence over all common quantiles, at each of which an arm has `below` to `upto` values on its left.

    Places between the values need no look: their counts are the ends of a neighbour's range.
    """
    check_budgets(p=p, alpha=tuned[0])
    if not min(sizes):
        return 0.0
    if alternative == "larger":
        mine = _one_sided(sizes[0] - upto[0], sizes[0], 1 - p, *tuned)  # too many above
        theirs = _one_sided(below[1], sizes[1], p, *tuned)  # too many below
        return float((mine + theirs).min())
    found: Floats = np.zeros(below[0].size)
    for low, high, n in zip(below, upto, sizes, strict=True):
        found = found + _two_sided(np.clip(_calmest(n, p, *tuned), low, high), n, p, *tuned)
    return float(found.min())


def _two_sided(counts: npt.ArrayLike, n: int, p: float, alpha: float, n_opt: float) -> Floats:
    """Log e-value against "each count has rate p", nats: `rate_log_e` for arrays."""
    k, (events, others) = np.asarray(counts, dtype=np.float64), _prior(p, alpha, n_opt)
    mixed = special.betaln(others + n - k, events + k) - special.betaln(others, events)
    found: Floats = mixed - k * np.log(p) - (n - k) * np.log1p(-p)
    return found


def _one_sided(counts: Counts, n: int, p: float, alpha: float, n_opt: float) -> Floats:
    """Log e-value against "each count has rate p or less", nats: half of a prior cut at p, half of no bet at all.

    The second half because the least over x is taken: at an x on the wrong side of an arm that arm would cost as much
    as the other has earned, and without a bet it costs ln 2.
    """
    k, (events, others) = counts.astype(np.float64), _prior(p, 2 * alpha, n_opt)
    inside = log_beta_share(others + n - k, events + k, 1 - p) - log_beta_share(others, events, 1 - p)
    found: Floats = np.logaddexp(_two_sided(k, n, p, 2 * alpha, n_opt) + inside, 0.0) - np.log(2)
    return found


def _prior(p: float, alpha: float, n_opt: float) -> tuple[float, float]:
    """Prior events and others, a beta law of mean p; as in `mixtures.beta_binomial_log_e` at g = p, h = 1 - p."""
    spread = p * (1 - p)
    r = max(normal_mixture_rho(spread * n_opt, alpha=alpha) - spread, 1e-3 * spread)
    return r / (1 - p), r / p


def _calmest(n: int, p: float, alpha: float, n_opt: float) -> float:
    """The count that is least evidence, not whole: where the slope of `_two_sided` is 0; it rises with the count."""
    events, others = _prior(p, alpha, n_opt)
    low, high, odds = 0.0, float(n), float(special.logit(p))
    for _ in range(60):
        k = (low + high) / 2
        slope = float(special.digamma(events + k) - special.digamma(others + n - k)) - odds
        low, high = (low, k) if slope > 0 else (k, high)
    return (low + high) / 2
