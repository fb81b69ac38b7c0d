"""A two-sided confidence sequence for a rate: conversion, errors, agreement. One bound from above: `bernoulli_upper`.

For each rate p the likelihood of the counts under a beta law of mean p, against that under p itself, is a martingale if
p is the rate; the sequence is the rates for which it is below 1/alpha. Exact for every rate, also far from 1/2.
"""

import math

from flyball.stats.confidence_sequences.mixtures import beta_binomial_log_e
from flyball.stats.confidence_sequences.sequences import normal_mixture_rho
from flyball.stats.sequential_tests.sprt import check_budgets

_NARROWEST = 2**-52  # of a bisection, as a share of the rate


def bernoulli_bounds(n: int, x: int, *, alpha: float, n_opt: int = 1000) -> tuple[float, float]:
    """Anytime-valid bounds for the rate of a Bernoulli stream: P(for any n the rate is outside) <= alpha.

    Args:
        n: observations so far, count; 0 gives (0, 1).
        x: events among them, count.
        alpha: error budget for the whole run, in (0, 1).
        n_opt: at about so many observations the bounds are tightest, count.

    Returns: (low, high), rates, 0..1.
    Raises: ValueError: not 0 <= x <= n, n_opt < 1, or alpha outside (0, 1).
    Source: Howard et al. 2021 (arXiv:1810.08240), proposition 7 at g = p, h = 1 - p.

    >>> [round(bound, 5) for bound in bernoulli_bounds(1000, 700, alpha=0.05, n_opt=100)]
    [0.65163, 0.74595]
    """
    check_budgets(alpha=alpha)
    if not 0 <= x <= n or n_opt < 1:
        raise ValueError(f"expected 0 <= x <= n and n_opt >= 1, found x={x}, n={n}, n_opt={n_opt}")
    if not n:
        return 0.0, 1.0
    return _low(n, x, alpha, n_opt), 1 - _low(n, n - x, alpha, n_opt)


def rate_log_e(n: int, x: float, p: float, *, alpha: float = 0.05, n_opt: int = 1000) -> float:
    """Log e-value against "the rate is p", nats; it may be read after every observation.

    Args: x: events, 0..n; not whole where ties were shared out. alpha: where, with n_opt, the mixture is tightest.

    >>> round(rate_log_e(1000, 700, 0.651629, n_opt=100), 3) == round(math.log(20), 3)
    True
    """
    scale = normal_mixture_rho(p * (1 - p) * n_opt, alpha=alpha)
    return beta_binomial_log_e(x - n * p, p * (1 - p) * n, rho=scale, g=p, h=1 - p, one_sided=False)


def _low(n: int, x: int, alpha: float, n_opt: int) -> float:
    """The least rate that is not refuted; the sides are the same but for their names."""
    if not x:
        return 0.0
    goal, low, high = -math.log(alpha), 0.0, x / n if x < n else 1.0
    while high - low > _NARROWEST * high:
        middle = (low + high) / 2
        if middle in (low, high) or middle == 1.0:
            break
        low, high = (middle, high) if rate_log_e(n, x, middle, alpha=alpha, n_opt=n_opt) >= goal else (low, middle)
    return low
