"""Conjugate mixtures beside the normal one: exact bounds for sums of counts, waiting times and shares.

Each is exp(l s - v psi(l)) averaged over l with a gamma or a beta law, so that the average has a closed form. If s is a
centred sum and v its intrinsic time (variance at the null), it is a supermartingale under the null and passes 1/alpha
with probability at most alpha, ever. Which psi fits what:

- `gamma_poisson` (c = 1): counts with mean v; s = events - v. Anything whose values exceed their mean by at most c.
- `gamma_exponential` (c = the mean): waiting times; s = sum - n mean, v = n mean^2. Any tail as light as that one.
- `beta_binomial` (g = p, h = 1 - p): shares; s = events - n p, v = n p (1 - p). Any value with mean 0 in [-g, h].

`rho` says where the bound is tightest, as for the normal mixture: `normal_mixture_rho(v, alpha=2 * alpha)` for
one-sided bounds. Source: Howard, Ramdas, McAuliffe and Sekhon 2021 (arXiv:1810.08240), propositions 7 to 10.
"""

import math
from collections.abc import Callable

from scipy import special

from flyball.stats.confidence_sequences.log_tails import log_beta_share, log_gamma_lower, log_gamma_upper
from flyball.stats.sequential_tests.sprt import check_budgets


def gamma_exponential_log_e(s: float, v: float, *, rho: float, c: float) -> float:
    """Log of the gamma-exponential mixture, nats, one-sided (s > 0 is evidence).

    Args: s: centred sum. v: intrinsic time, >= 0, in the unit of s squared. c: scale, > 0, in the unit of s.
    Source: Howard et al. 2021, proposition 9.

    >>> from flyball.stats.confidence_sequences.sequences import normal_mixture_rho
    >>> round(gamma_exponential_log_e(10, 100, rho=normal_mixture_rho(100, alpha=0.1), c=2), 7)
    -0.2490165
    """
    _check(v, rho, c)
    prior, shape, at = rho / c**2, (v + rho) / c**2, (c * s + v + rho) / c**2
    if at <= 0:
        return -math.inf  # below what any such sum can be
    return (
        _log_gamma_prior(prior, log_gamma_lower(prior, prior))
        + math.lgamma(shape)
        + log_gamma_lower(shape, at)
        - shape * math.log(at)
        + (c * s + v) / c**2
    )


def gamma_poisson_log_e(s: float, v: float, *, rho: float, c: float = 1.0) -> float:
    """Log of the gamma-Poisson mixture, nats, one-sided (s > 0 is evidence); arguments as above.

    Source: Howard et al. 2021, proposition 10.

    >>> from flyball.stats.confidence_sequences.sequences import normal_mixture_rho
    >>> round(gamma_poisson_log_e(10, 100, rho=normal_mixture_rho(100, alpha=0.1), c=2), 8)
    -0.06991219
    """
    _check(v, rho, c)
    prior, at = rho / c**2, (v + rho) / c**2
    shape = s / c + at
    if shape <= 0:
        return -math.inf
    return (
        _log_gamma_prior(prior, log_gamma_upper(prior, prior))
        + math.lgamma(shape)
        + log_gamma_upper(shape, at)
        - shape * math.log(at)
        + v / c**2
    )


def beta_binomial_log_e(s: float, v: float, *, rho: float, g: float, h: float, one_sided: bool = True) -> float:
    """Log of the beta-binomial mixture, nats, for steps in [-g, h]; s of -v/h to v/g.

    Args: rho: as above (two-sided: `normal_mixture_rho(v, alpha=alpha)`); used is rho - g h, at least g h / 1000.
    Source: Howard et al. 2021, propositions 7 and 8.

    >>> from flyball.stats.confidence_sequences.sequences import normal_mixture_rho
    >>> round(beta_binomial_log_e(10, 100, rho=normal_mixture_rho(100, alpha=0.1), g=0.2, h=0.8), 8)
    -0.07134019
    """
    _check(v, rho, min(g, h))
    r = max(rho - g * h, 1e-3 * g * h)
    span, cut = g + h, h / (g + h) if one_sided else 1.0
    hits, misses = (v + h * s) / (h * span), (v - g * s) / (g * span)  # of a Bernoulli stream: events, and the others
    if min(hits, misses) < -1e-9 * (1 + v):
        raise ValueError(f"s={s}: expected {-v / h:g} to {v / g:g} at v={v}")
    return (
        v / (g * h) * math.log(span)
        - hits * math.log(g)
        - misses * math.log(h)
        + _log_beta(r / (g * span) + max(misses, 0.0), r / (h * span) + max(hits, 0.0), cut)
        - _log_beta(r / (g * span), r / (h * span), cut)
    )


def mixture_bound(log_e: Callable[[float], float], *, alpha: float, highest: float = math.inf, scale: float) -> float:
    """How large s may ever become: the s >= 0 at which a mixture reaches 1/alpha, in the unit of s.

    Args:
        log_e: of s at one v, rising for s >= 0.
        highest: the largest s that can be; the bound if even that is no evidence.
        scale: a first guess, > 0, for instance sqrt(v).

    Raises: ValueError: alpha outside (0, 1), or a guess or a largest sum that is not above 0.

    >>> from flyball.stats.confidence_sequences.sequences import normal_mixture_rho
    >>> rho = normal_mixture_rho(100, alpha=0.1)
    >>> round(mixture_bound(lambda s: gamma_poisson_log_e(s, 100, rho=rho, c=2), alpha=0.05, scale=10), 4)
    30.1949
    """
    check_budgets(alpha=alpha)
    if not (scale > 0 and highest > 0):
        raise ValueError(f"expected a first guess and a largest sum > 0, found {scale} and {highest}")
    goal, low, high = -math.log(alpha), 0.0, min(scale, highest)
    while not log_e(high) >= goal:
        if high >= highest:  # at last infinity, where a mixture that is bounded ends
            return highest
        low, high = high, min(2 * high, highest)
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (low, middle) if log_e(middle) >= goal else (middle, high)
    return high


def _log_gamma_prior(a: float, log_mass: float) -> float:
    return a * math.log(a) - math.lgamma(a) - log_mass


def _log_beta(a: float, b: float, cut: float) -> float:
    whole = float(special.betaln(a, b))
    return whole if cut == 1.0 else whole + float(log_beta_share(a, b, cut))


def _check(v: float, rho: float, c: float) -> None:
    if not (v >= 0 and rho > 0 and c > 0):
        raise ValueError(f"expected v >= 0, rho > 0 and positive scales, found v={v}, rho={rho}, scale={c}")
