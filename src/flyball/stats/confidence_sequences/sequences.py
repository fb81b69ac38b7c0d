"""Confidence sequences: bounds that may be read after every observation and still keep their promise.

A confidence interval promises coverage at one sample size chosen beforehand; a confidence sequence promises that it
misses the truth *ever* with probability at most alpha. All here are mixtures: a bet averaged over alternatives is a
martingale under the truth, and by Ville's inequality it passes 1/alpha with probability at most alpha.
"""

from functools import lru_cache
from math import inf, log, log1p, pi, sqrt

from scipy import special

from flyball.core.errors import NotEnoughData


@lru_cache(maxsize=4096)  # sixty steps of a bisection, asked of the same counts by every look at a step
def bernoulli_upper(n: int, x: int, *, alpha: float) -> float:
    """Anytime-valid one-sided upper confidence bound for the rate of a Bernoulli stream.

    P(for any n the bound is below the true rate) <= alpha, exactly, for every rate. For each candidate rate p the
    likelihood ratio of q against p is mixed over q < p with the Beta(1/2, 1/2) prior cut at p; the bound is the
    largest p that this e-process has not refuted:

        M(p) = B(x+1/2, n-x+1/2) I_p(x+1/2, n-x+1/2) / (B(1/2, 1/2) I_p(1/2, 1/2) p^x (1-p)^(n-x)) < 1/alpha

    Args:
        n: observations so far, count; 0 gives the bound 1.
        x: events among them, count.
        alpha: error budget for the whole run, in (0, 1).

    Returns: a rate, 0..1.
    Raises: ValueError: not 0 <= x <= n, or alpha outside (0, 1).
    Source: Ville 1939; Robbins 1970, with a one-sided mixture so that nothing is spent on rates above p.

    >>> [round(bernoulli_upper(n, 0, alpha=0.05), 4) for n in (0, 300, 10_000)]
    [1.0, 0.0125, 0.0004]
    """
    if not 0 <= x <= n:
        raise ValueError(f"expected 0 <= x <= n, found x={x}, n={n}")
    _check_alpha(alpha)
    if x == n:
        return 1.0
    goal = -log(alpha)
    low, high = x / n, 1.0  # refuted nowhere below x/n; surely at 1, where a success was certain
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if _log_bet_below(middle, n, x) >= goal else (middle, high)
    return high


def bernoulli_refuted(p: float, n: int, x: int, *, alpha: float) -> bool:
    """Whether `bernoulli_upper` is below p: the same question without its bisection.

    >>> bernoulli_refuted(0.02, 148, 0, alpha=0.1), bernoulli_refuted(0.02, 147, 0, alpha=0.1)
    (True, False)
    """
    _check_alpha(alpha)
    return n > 0 and x / n < p and _log_bet_below(p, n, x) >= -log(alpha)


def _log_bet_below(p: float, n: int, x: int) -> float:
    """ln M(p) of `bernoulli_upper`."""
    if p >= 1.0:
        return inf
    a, b = x + 0.5, n - x + 0.5
    mixed = float(special.betaln(a, b)) + log(float(special.betainc(a, b, p)) or 1e-300)
    prior = log(pi) + log(float(special.betainc(0.5, 0.5, p)) or 1e-300)
    return mixed - prior - (x * log(p) if x else 0.0) - (n - x) * log1p(-p)


def asymptotic_half_width(n: int, sd: float, *, alpha: float, rho: float, one_sided: bool = False) -> float:
    """Half-width of an asymptotic confidence sequence for a mean.

    Unlike a confidence interval it may be read after every observation: the chance
    that it *ever* misses the true mean is at most `alpha`, asymptotically.

    Args:
        n: observations so far, count, >= 2.
        sd: sample standard deviation, in the unit of the metric.
        alpha: error budget for the whole run, in (0, 1).
        rho: mixture scale, > 0, unitless; larger is tighter early, smaller tighter late.
        one_sided: the distance of one bound, below or above, that spends the whole budget on its side.

    Returns: half-width, in the unit of the metric.
    Raises: NotEnoughData: n < 2.
    Source: eq. 9 (one-sided: proposition 2.6), arXiv:2103.06476v7.

    >>> round(asymptotic_half_width(10_000, sd=1.0, alpha=0.05, rho=0.03), 4)
    0.0304
    >>> rho = asymptotic_rho(5000, alpha=0.05, one_sided=True)
    >>> round(asymptotic_half_width(1000, sd=1.0, alpha=0.05, rho=rho, one_sided=True), 6)
    0.099688
    """
    if n < 2:
        raise NotEnoughData(f"n={n}: a bound needs at least 2 observations")
    a = n * rho**2
    spent = log1p(sqrt(a + 1) / (2 * alpha)) if one_sided else log(sqrt(a + 1) / alpha)
    return sd * sqrt(2 * (a + 1) / (n * a) * spent)


def asymptotic_rho(n: int, *, alpha: float, one_sided: bool = False) -> float:
    """The mixture scale that makes `asymptotic_half_width` tightest at about n observations.

    >>> round(asymptotic_rho(5000, alpha=0.05), 8)
    0.03984007
    """
    _check_alpha(alpha)
    spent = 2 * alpha if one_sided else alpha
    return sqrt((-2 * log(spent) + log(1 - 2 * log(spent))) / n)


def normal_mixture_rho(v: float, *, alpha: float) -> float:
    """The rho that makes the two-sided bound tightest at intrinsic time v; for the one-sided pass 2 alpha.

    Source: Howard et al. 2021, section 3.5.

    >>> round(normal_mixture_rho(100, alpha=0.05), 5)
    12.60056
    """
    _check_alpha(alpha)
    return v / (2 * log(1 / alpha) + log1p(2 * log(1 / alpha)))


def normal_mixture_log_e(s: float, v: float, *, rho: float, one_sided: bool = False) -> float:
    """Log of the normal-mixture supermartingale for a sum s with intrinsic time (variance) v.

    Source: Robbins 1970; Howard et al. 2021, eq. 14 and proposition 6.

    >>> round(normal_mixture_log_e(10, 100, rho=12.60056), 6)
    -0.651005
    """
    core = s * s / (2 * (v + rho)) + log(rho / (v + rho)) / 2
    return core + log(2) + float(special.log_ndtr(s / sqrt(v + rho))) if one_sided else core


def normal_mixture_bound(v: float, *, alpha: float, rho: float, one_sided: bool = False) -> float:
    """How large |s| (one-sided: s) may ever become: P(ever beyond) <= alpha; unit of s.

    >>> round(normal_mixture_bound(100, alpha=0.05, rho=12.60056), 4)
    30.3521
    """
    _check_alpha(alpha)
    two_sided = sqrt((v + rho) * (log1p(v / rho) + 2 * log(1 / alpha)))
    if not one_sided:
        return two_sided
    low, high = 0.0, two_sided  # the one-sided process is larger for s > 0, so its bound is nearer
    for _ in range(80):
        middle = (low + high) / 2
        crossed = normal_mixture_log_e(middle, v, rho=rho, one_sided=True) >= log(1 / alpha)
        low, high = (low, middle) if crossed else (middle, high)
    return high


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha}: expected an error budget in (0, 1)")
