"""Logarithms of incomplete beta and gamma functions whose values are too small for a floating-point number.

A one-sided mixture is a whole mixture times the share of it on the right side. Where the data lie far on the wrong
side, the share underflows to 0 while the product is an ordinary number; its logarithm would read minus infinity.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]

_SMALL = 1e-290  # below this the functions of scipy are not trusted
_TERMS, _ENOUGH = 10_000, 1e-14


def log_beta_share(a: npt.ArrayLike, b: npt.ArrayLike, x: float) -> Floats:
    """ln I_x(a, b): the log probability that a beta variable is at most x; shapes of a and b broadcast.

    >>> round(float(log_beta_share(2000.0, 3.0, 0.1)), 2)
    -4590.87
    """
    one, other = np.broadcast_arrays(np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64))
    share = special.betainc(one, other, x)
    found = np.asarray(np.log(np.maximum(share, _SMALL)), dtype=np.float64)
    tiny = np.asarray(share < _SMALL)
    if tiny.any():
        p, q = one[tiny], other[tiny]
        power = p * math.log(x) + q * math.log1p(-x) - np.log(p) - special.betaln(p, q)
        found[tiny] = power + np.log(_continued(p, q, x))
    return found


def _continued(a: Floats, b: Floats, x: float) -> Floats:
    """The continued fraction 1 / (1 + d1 / (1 + d2 / ...)) by Lentz's rule; it converges for x < (a + 1) / (a + b + 2).

    Source: Abramowitz and Stegun 26.5.8.
    """
    value, c, d = np.ones_like(a), np.ones_like(a), np.zeros_like(a)
    for term in range(1, _TERMS):
        m = term // 2
        if term % 2:
            step = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            step = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / (1 + step * d)
        c = 1 + step / c
        value = value * (c * d)
        if (np.abs(c * d - 1) < _ENOUGH).all():
            break
    return 1 / value


def log_gamma_lower(a: float, x: float) -> float:
    """ln P(a, x): the log probability that a gamma variable of shape a is at most x.

    >>> round(log_gamma_lower(2000.0, 100.0), 2)
    -4096.13
    """
    share = float(special.gammainc(a, x))
    if share >= _SMALL:
        return math.log(share)
    if x <= 0:
        return -math.inf
    total = term = 1.0  # the series 1 + x / (a + 1) + x^2 / ((a + 1)(a + 2)) + ...
    for k in range(1, _TERMS):
        term *= x / (a + k)
        total += term
        if term < _ENOUGH * total:
            break
    return a * math.log(x) - x - math.lgamma(a + 1) + math.log(total)


def log_gamma_upper(a: float, x: float) -> float:
    """ln Q(a, x): the log probability that a gamma variable of shape a is more than x.

    >>> round(log_gamma_upper(100.0, 2000.0), 2)
    -1606.59
    """
    share = float(special.gammaincc(a, x))
    if share >= _SMALL:
        return math.log(share)
    b, d = x + 1 - a, 1 / (x + 1 - a)  # Legendre's continued fraction by Lentz's rule, for x > a + 1
    c, value = math.inf, d
    for k in range(1, _TERMS):
        step, b = -k * (k - a), b + 2
        d = 1 / (b + step * d)
        c = b + step / c
        value *= c * d
        if abs(c * d - 1) < _ENOUGH:
            break
    return a * math.log(x) - x - math.lgamma(a) + math.log(value)
