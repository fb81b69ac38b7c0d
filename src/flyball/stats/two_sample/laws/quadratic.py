"""The law of the measures that are quadratic near no drift: PSI, KL, Jensen-Shannon, Hellinger, chi-square.

With B bins in use and no drift, PSI / (1/n + 1/m) is chi-square with B - 1 degrees of freedom, so sampling alone adds
(B - 1)(1/n + 1/m) to PSI, which is taken off. With a true value d it is noncentral with parameter d / (1/n + 1/m); the
inversion gives the interval and the minimum detectable effect. The other measures agree with PSI to second order up
to a factor, and so have the same law on its scale.

That law holds for small effects. Farther out the variance of each measure is its own; it is estimated (delta method)
and the unit of the law stretched by its ratio to the local one, so that the interval keeps its coverage.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.two_sample.divergences import balanced_v, hellinger, jensen_shannon, kl, psi
from flyball.stats.two_sample.measure import Evidence

SMOOTHING = 0.5  # Jeffreys prior, per bin in use
POWER = 0.80  # of the minimum detectable effect
STRETCH = (0.25, 16.0)  # bounds of the ratio of variances

Masses = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One measure: its formula, its factor to PSI's scale, and its slopes there."""

    distance: Callable[..., float]
    factor: float  # the measure (squared, if `root`) times this is PSI to second order
    slope: Callable[[Masses, Masses], tuple[Masses, Masses]]  # of factor x measure, by p and by q
    root: bool = False  # the measure is a square root

    def onto(self, found: float) -> float:
        """The measure's value on PSI's scale."""
        return self.factor * (found**2 if self.root else found)

    def back(self, d: float) -> float:
        """A value on PSI's scale in the measure's unit."""
        return math.sqrt(max(0.0, d) / self.factor) if self.root else d / self.factor


def _js_slope(p: Masses, q: Masses) -> tuple[Masses, Masses]:
    return 4 * np.log(2 * p / (p + q)), 4 * np.log(2 * q / (p + q))


def _chi_slope(p: Masses, q: Masses) -> tuple[Masses, Masses]:
    t = (p - q) / (p + q)
    return 4 * t - 2 * t**2, -4 * t - 2 * t**2


FAMILIES: dict[str, Family] = {
    "psi": Family(distance=psi, factor=1, slope=lambda p, q: (np.log(p / q) - q / p, np.log(q / p) - p / q)),
    "kl": Family(distance=kl, factor=2, slope=lambda p, q: (2 * np.log(p / q), -2 * p / q)),
    "jensen_shannon": Family(distance=jensen_shannon, factor=8, slope=_js_slope),
    "hellinger": Family(
        distance=hellinger, factor=8, root=True, slope=lambda p, q: (-4 * np.sqrt(q / p), -4 * np.sqrt(p / q))
    ),
    "chi_square": Family(distance=balanced_v, factor=4, root=True, slope=_chi_slope),
}


def evidence(
    family: Family,
    r: Masses,
    c: Masses,
    *,
    limit: float,
    alpha: float,
    confidence: float,
    statistic: float | None = None,
) -> Evidence:
    """What the law says.

    Args:
        r, c: counts of at least two bins in use, shape [B].
        limit: in the unit of the measure.
        alpha: of the critical value and the minimum detectable effect.
        confidence: of the interval.
        statistic: of the test of no drift, where it is not the measure's own.

    Source: Yurdakul and Naranjo 2020, theorem 3.3; for the interval the inversion of the noncentral chi-square.
    """
    n, m, df = float(r.sum()), float(c.sum()), r.size - 1
    scale = 1 / n + 1 / m
    plain = family.distance(r, c, smoothing=SMOOTHING)
    on_scale = family.onto(plain)
    law = Law(df=df, bias=df * scale, unit=scale, stretch=_stretch(family, r, c, on_scale, scale))
    return law.evidence(
        plain, onto=family.onto, back=family.back, limit=limit, alpha=alpha, confidence=confidence, statistic=statistic
    )


@dataclass(frozen=True, kw_only=True)
class Law:
    """Noncentral chi-square law of an estimate: without an effect its mean is `bias`, its unit `unit`."""

    df: float
    bias: float
    unit: float
    stretch: float = 1.0  # of the unit, where there is an effect

    def evidence(
        self,
        plain: float,
        *,
        onto: Callable[[float], float],
        back: Callable[[float], float],
        limit: float,
        alpha: float,
        confidence: float,
        statistic: float | None = None,
    ) -> Evidence:
        """What it says of an estimate. Args: onto, back: to the scale of the law and from it; others as above."""
        found, unit = onto(plain), self.unit * self.stretch
        at = self.df + (found - self.bias) / unit
        if statistic is None:
            statistic = self.df + (found - self.bias) / self.unit
        critical = float(special.chdtri(self.df, alpha))
        low = back(_noncentrality(at, self.df, (1 + confidence) / 2) * unit)
        # two samples that are alike beyond their mean without an effect are so by luck, which bounds no effect
        high = back(_noncentrality(max(at, self.df), self.df, (1 - confidence) / 2) * unit)
        return Evidence(
            value=back(max(0.0, found - self.bias)),
            plain=plain,
            ci=(low, high),
            p=float(special.chdtrc(self.df, max(0.0, statistic))),
            p_limit=max(0.0, 1 - float(special.chndtr(max(0.0, at), self.df, onto(limit) / unit))),
            chance=back(max(0.0, self.bias + (critical - self.df) * self.unit)),
            mde=back(float(special.chndtrinc(critical, self.df, 1 - POWER)) * self.unit),
        )


def _stretch(family: Family, r: Masses, c: Masses, on_scale: float, scale: float) -> float:
    """Variance of the measure on PSI's scale, over 4 d (1/n + 1/m), which is what the law has far from zero."""
    if on_scale <= 0:
        return 1.0
    p, q = (r + SMOOTHING) / (r + SMOOTHING).sum(), (c + SMOOTHING) / (c + SMOOTHING).sum()
    by_p, by_q = family.slope(p, q)
    variance = _variance(p, by_p) / r.sum() + _variance(q, by_q) / c.sum()
    return float(np.clip(variance / (4 * on_scale * scale), *STRETCH))


def _variance(shares: Masses, values: Masses) -> float:
    return float(shares @ values**2 - (shares @ values) ** 2)


def _noncentrality(statistic: float, df: float, probability: float) -> float:
    """The noncentrality under which the statistic is at or below this with the given probability; 0 if none is."""
    if statistic <= 0 or float(special.chdtr(df, statistic)) <= probability:
        return 0.0
    return float(special.chndtrinc(statistic, df, probability))
