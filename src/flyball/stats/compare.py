"""Is this window drifted? An effect with its interval, its error rate and its own blind spot.

An effect is compared with an effect limit, a p-value with alpha, and both must speak for a DRIFT. If chance alone could
reach the limit at these sizes, silence would mean nothing: INSUFFICIENT. Empty or faulty counts never give a number.

The law. With B bins in use and no drift, PSI / (1/n + 1/m) is chi-square with B - 1 degrees of freedom; with a true
value d it is noncentral with parameter d / (1/n + 1/m), whose inversion gives the interval and the minimum detectable
effect. The other measures agree with PSI to second order up to a factor and are read on its scale. 0.5 is added to
each bin in use (Jeffreys), so that one empty bin is not a drift; bins empty on both sides are not in use.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.core.errors import NotEnoughData
from flyball.stats.divergences import hellinger, jensen_shannon, kl, psi, shares

SMOOTHING = 0.5  # Jeffreys prior, per bin in use
POWER = 0.80  # of the minimum detectable effect

_LAW: dict[str, tuple[Callable[..., float], Callable[[float], float], Callable[[float], float]]] = {
    "psi": (psi, lambda found: found, lambda d: d),
    "kl": (kl, lambda found: 2 * found, lambda d: d / 2),
    "jensen_shannon": (jensen_shannon, lambda found: 8 * found, lambda d: d / 8),
    "hellinger": (hellinger, lambda found: 8 * found**2, lambda d: math.sqrt(d / 8)),
}
MEASURES = tuple(sorted(_LAW))


class Reading(StrEnum):
    """What a comparison says, worst last."""

    OK = "OK"
    INSUFFICIENT = "INSUFFICIENT"  # too little data: not "no drift"
    DRIFT = "DRIFT"
    INVALID = "INVALID"  # the counts are not counts of the same bins


@dataclass(frozen=True, kw_only=True)
class Measure:
    """How far a window is from its reference. None where there is no honest number."""

    measure: str  # name, one of MEASURES
    value: float | None  # effect, smoothed, in the unit of the measure (psi, kl, jensen_shannon: nats)
    ci: tuple[float, float] | None  # two-sided interval of the true effect, same unit
    p: float | None  # P(an effect this large without drift), 0..1
    n: int  # rows of the reference, count
    m: int  # rows of the window, count
    mde: float | None  # smallest true effect seen with probability 0.80, same unit
    verdict: Reading
    reason: str  # for people


def compare(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    measure: str = "psi",
    limit: float = 0.10,
    alpha: float = 0.01,
    floor: int = 50,
    confidence: float = 0.95,
) -> Measure:
    """Compare two count vectors over the same bins.

    Args:
        reference: counts, shape [B].
        current: counts of the same bins.
        measure: one of MEASURES.
        limit: effect worth acting on, in the unit of the measure.
        alpha: false-alarm rate of one comparison, in (0, 1).
        floor: rows below which nothing is said, count, of either side.
        confidence: of the interval.

    Raises: KeyError: unknown measure. Faulty counts do not raise: they read INVALID.
    Source: Yurdakul and Naranjo 2020, theorem 3.3.

    >>> compare([1000] * 10, [100] * 10).verdict.value, compare([1000] * 10, [400] + [80] * 9).verdict.value
    ('OK', 'DRIFT')
    >>> compare([1000] * 10, [6] * 10).verdict.value, compare([1000] * 10, [0] * 10).value is None
    ('INSUFFICIENT', True)
    """
    if measure not in _LAW:
        raise KeyError(f"no measure {measure!r}: expected one of {', '.join(MEASURES)}")
    distance, to_psi, from_psi = _LAW[measure]
    try:
        shares(reference, current)
    except NotEnoughData as fault:
        return _without_value(measure, reference, current, Reading.INSUFFICIENT, str(fault))
    except (ValueError, TypeError) as fault:
        return _without_value(measure, [], [], Reading.INVALID, str(fault))
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    used = (r + c) > 0
    r, c, n, m = r[used], c[used], int(r.sum()), int(c.sum())
    scale, df = 1 / n + 1 / m, int(np.count_nonzero(used)) - 1
    value = distance(r, c, smoothing=SMOOTHING) if df else 0.0
    statistic = to_psi(value) / scale
    p = float(special.chdtrc(df, statistic)) if df else 1.0
    critical = float(special.chdtri(df, alpha)) if df else 0.0
    mde = from_psi(float(special.chndtrinc(critical, df, 1 - POWER)) * scale) if df else 0.0
    tail = (1 - confidence) / 2
    low, high = (from_psi(_noncentrality(statistic, df, at) * scale) for at in (1 - tail, tail))
    chance = from_psi(critical * scale)
    told = f"{measure} {value:.4g}, p {p:.2g}, n={n}, m={m}"
    if min(n, m) < floor:
        verdict, reason = Reading.INSUFFICIENT, f"{told}: fewer than {floor} rows on one side"
    elif df == 0:
        verdict, reason = Reading.OK, f"constant: all rows of both sides are in one bin, n={n}, m={m}"
    elif value > limit and p < alpha:
        verdict, reason = Reading.DRIFT, f"{told}: above {limit:g}, and chance explains it with less than {alpha:g}"
    elif chance > limit:
        verdict, reason = Reading.INSUFFICIENT, f"{told}: chance alone reaches {chance:.4g}, above the limit {limit:g}"
    else:
        verdict, reason = Reading.OK, f"{told}: " + (f"not above {limit:g}" if value <= limit else "chance explains it")
    return Measure(measure=measure, value=value, ci=(low, high), p=p, n=n, m=m, mde=mde, verdict=verdict, reason=reason)


def _noncentrality(statistic: float, df: int, probability: float) -> float:
    """The noncentrality under which the statistic is at or below this with the given probability; 0 if none is."""
    if df == 0 or float(special.chdtr(df, statistic)) <= probability:
        return 0.0
    return float(special.chndtrinc(statistic, df, probability))


def _without_value(
    measure: str, reference: npt.ArrayLike, current: npt.ArrayLike, verdict: Reading, reason: str
) -> Measure:
    return Measure(
        measure=measure,
        value=None,
        ci=None,
        p=None,
        n=int(np.sum(np.asarray(reference))),
        m=int(np.sum(np.asarray(current))),
        mde=None,
        verdict=verdict,
        reason=reason,
    )
