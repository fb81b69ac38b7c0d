"""The law of the measures that are a sum of absolute differences: Wasserstein over the edges, total variation.

Each difference is about normal, so the measure is a weighted sum of folded normals that hang together. Its mean is
known, its variance nearly (the covariance of two folded normals is exact at no drift and far from it, and put
together from both in between); a gamma law of that mean and variance stands for the sum. Other true effects have the
shape of the observed differences, shrunk or grown: the interval holds those which explain what was seen.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy import optimize, special

from flyball.stats.two_sample.laws.quadratic import POWER
from flyball.stats.two_sample.measure import Evidence

Masses = npt.NDArray[np.float64]
TINY = 1e-300
NARROW = 1e8  # shape of a gamma law beyond which it is a normal one to four digits
REACH = 1e100  # widths of the reference; farther apart, or nearer than its inverse, squares leave the floats


def wasserstein_evidence(
    r: Masses,
    c: Masses,
    at: Masses,
    *,
    scale: float,
    limit: float,
    alpha: float,
    confidence: float,
    exact: float | None = None,
) -> Evidence:
    """Wasserstein-1 over bins at these positions, over `scale`.

    Args: exact: the distance of the values, over `scale`, where it is known; the bins then give its law only. Others
        as in `quadratic.evidence`.
    """
    n, m = float(r.sum()), float(c.sum())
    width = np.diff(at) / scale
    apart = (np.cumsum(r / n - c / m)[:-1]) * width
    null = _of_sums((r + c) / (n + m), width) * (1 / n + 1 / m)
    own = _of_sums(r / n, width) / n + _of_sums(c / m, width) / m
    return _evidence(
        apart, null, own, np.sqrt(np.diag(null)), limit=limit, alpha=alpha, confidence=confidence, exact=exact
    )


def out_of_reach(at: Masses, scale: float) -> str:
    """Why Wasserstein over these positions has no law in floating point; empty: it has one. Args: at: ascending.

    >>> out_of_reach(np.array([0.0, 1.0]), 1.0), out_of_reach(np.array([0.0, 1e300]), 1.0)
    ('', 'expected values at most 1e+100 widths of the reference apart, found 1e+300: use ks or psi')
    """
    with np.errstate(over="ignore"):  # infinitely far apart is out of reach too
        apart = float((at[-1] / scale) - (at[0] / scale))
    if 1 / REACH <= apart <= REACH:
        return ""
    most = f"at most {REACH:g}" if not apart < 1 else f"at least {1 / REACH:g}"
    return f"expected values {most} widths of the reference apart, found {apart:g}: use ks or psi"


def total_variation_evidence(r: Masses, c: Masses, *, limit: float, alpha: float, confidence: float) -> Evidence:
    """Half the sum of the differences of the shares. Args as in `quadratic.evidence`."""
    n, m = float(r.sum()), float(c.sum())
    pooled = (r + c) / (n + m)
    null = _of_shares(pooled) * (1 / n + 1 / m) / 4
    own = (_of_shares(r / n) / n + _of_shares(c / m) / m) / 4
    signs = np.where(np.arange(r.size) % 2, 1.0, -1.0)
    return _evidence(
        (r / n - c / m) / 2, null, own, pooled * signs, limit=limit, alpha=alpha, confidence=confidence
    )  # fmt: skip


def _evidence(
    apart: Masses,
    null: Masses,
    own: Masses,
    shape: Masses,
    *,
    limit: float,
    alpha: float,
    confidence: float,
    exact: float | None = None,
) -> Evidence:
    """Args: apart: weighted differences [J]; null, own: their covariance [J, J]; shape: of the effect told as mde."""
    binned = float(np.abs(apart).sum())
    plain = binned if exact is None else exact
    without, around = _FoldedSum(null), _FoldedSum(own)
    none = without.moments(np.zeros_like(apart))
    told = shape / np.abs(shape).sum()
    unit = apart / binned if binned > 0 else told
    tail, step = (1 - confidence) / 2, none[0] + 4 * math.sqrt(none[1])
    usual = max(plain, none[0])  # alike beyond the mean without an effect is luck, which bounds no effect
    critical = _root(lambda x: alpha - _above(x, none), step)
    return Evidence(
        value=_root(lambda d: around.moments(unit * d)[0] - plain, step),  # the effect whose mean was seen
        plain=plain,
        ci=(
            _root(lambda d: _above(plain, around.moments(unit * d)) - tail, step),
            _root(lambda d: _above(usual, around.moments(unit * d)) - (1 - tail), step),
        ),
        p=_above(plain, none),
        p_limit=_above(plain, around.moments(unit * limit)),
        chance=critical,
        mde=_root(lambda d: _above(critical, without.moments(told * d)) - POWER, step),
    )


def _of_sums(shares: Masses, width: Masses) -> Masses:
    """Covariance of the weighted distribution function at the edges, for one row."""
    f = np.cumsum(shares)[:-1]
    return (np.minimum.outer(f, f) - np.outer(f, f)) * np.outer(width, width)


def _of_shares(shares: Masses) -> Masses:
    return np.asarray(np.diag(shares) - np.outer(shares, shares))


class _FoldedSum:
    """Sum of |X|, X normal with this covariance and means that vary."""

    def __init__(self, cov: Masses) -> None:
        self._cov = cov
        self._s = np.sqrt(np.maximum(np.diag(cov), TINY))
        scales = np.outer(self._s, self._s)
        rho = np.clip(cov / scales, -1, 1)
        self._folded = scales * (2 / math.pi) * (rho * np.arcsin(rho) + np.sqrt(1 - rho**2) - 1)
        np.fill_diagonal(self._cov, 0.0)
        np.fill_diagonal(self._folded, 0.0)

    def moments(self, delta: Masses) -> tuple[float, float]:
        """Mean and variance. Args: delta: means, shape [J]."""
        z = delta / self._s
        sign = special.erf(z / math.sqrt(2))
        with np.errstate(over="ignore"):  # exp(-inf) is 0, as it should be
            near = np.exp(-(z**2) / 2)
        mean = self._s * math.sqrt(2 / math.pi) * near + delta * sign
        rest = np.sqrt(np.maximum(0.0, 1 - sign**2))
        variance = np.sum(np.maximum(0.0, delta**2 + self._s**2 - mean**2))
        variance += sign @ self._cov @ sign + rest @ self._folded @ rest
        return float(mean.sum()), max(float(variance), TINY)


def _above(x: float, moments: tuple[float, float]) -> float:
    mean, variance = moments
    shape = mean**2 / variance
    if shape > NARROW:  # the gamma law is normal here, and its own function has no digits left
        return float(special.ndtr((mean - x) / math.sqrt(variance)))
    return float(special.gammaincc(shape, x * mean / variance))


def _root(rising: Callable[[float], float], step: float) -> float:
    """Where a rising function passes zero, above 0; 0 where it is above zero from the start."""
    if rising(0.0) >= 0:
        return 0.0
    high = step
    while rising(high) < 0 and high < 1e9 * step:
        high *= 2
    return float(optimize.brentq(rising, 0.0, high, xtol=1e-9 * step, rtol=1e-9))
