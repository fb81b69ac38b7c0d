"""Another unit: the values left their baseline, and divided by one known factor they are back on it.

The factor is estimated from the widths of both (the middle half of the mass), and from their middles where the width
says nothing; then the known factors near it are tried: powers of ten, and those between common units. A factor is
told only if the baseline fits the values that it turned back, so a drift however large is none. Which factor it is is
measured: a unit is named only where its factor fits about as well as any, and a plain number goes before an odd one.
"""

import math

import numpy as np
import numpy.typing as npt

from flyball.core.release import Reference
from flyball.core.service import Psi
from flyball.core.watching import QualityFinding
from flyball.monitor.quality.scale import SURE, Scale, scale
from flyball.stats.two_sample.divergences import psi
from flyball.stats.two_sample.stretches import allowance

LEAST_BINS = 4  # that hold rows of the baseline: three codes have no shape to fit again
NEAR = 1.6  # the estimate is off by at most this factor
TENS = tuple(10.0**power for power in range(-9, 10) if power)
# nearer to 1 than 3 a factor cannot be told from a drift in scale: miles and pounds are left to the contract
COMMON = (7.0, 12.0, 24.0, 60.0, 365.25, 3600.0, 86_400.0, 1024.0, 0.3048, 3.785411784, 25.4)
COMMON_BOTH = (*COMMON, *(1 / factor for factor in COMMON))
FACTORS = (*TENS, *COMMON_BOTH)
WHOLE = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 9.0)
PLAIN = (*WHOLE, *(1 / factor for factor in WHOLE))
ODD = 2.0  # by how much, as chi-square, a factor between units has to fit better than a plain one, and that than a ten
KNOWN = 20.0  # chi-square by which a factor between units may fit worse than the best: it is likelier than any other
Values = npt.NDArray[np.float64]


def unit_changed(name: str, values: Values, reference: Reference, limits: Psi) -> QualityFinding | None:
    """Whether the window's values are the baseline's in another unit, and by which factor.

    Args:
        values: of the window, shape [rows]; NaN is missing.
        limits: it is strange beyond `act`, and fits again under `warn`.

    >>> rows = np.linspace(1.0, 2.0, 1000)
    >>> bins = tuple(np.quantile(rows, np.arange(1, 10) / 10))
    >>> reference = Reference(kind="numeric", edges=bins, counts=(*([100] * 10), 0))
    >>> unit_changed("length", rows * 1000, reference, Psi()).value
    1000.0
    >>> unit_changed("length", rows + 0.5, reference, Psi()) is None
    True
    """
    known = values[np.isfinite(values)]
    if reference.kind != "numeric" or sum(1 for rows in reference.counts[:-1] if rows) < LEAST_BINS or not known.size:
        return None
    own = allowance(reference, len(values), limits.warn)  # where a season reaches, another unit is no better guess
    if _distance(known, reference) <= limits.act + own:
        return None
    estimate = _estimate(known, reference)
    if estimate is None:
        return None
    near = [factor for factor in FACTORS if 1 / NEAR < estimate / factor < NEAR]
    fits = {factor: _distance(known / factor, reference) for factor in near}
    # a small window would else fit one time and not the next
    enough = max(limits.warn, _of_chance(known.size, reference))
    good = [factor for factor in near if fits[factor] < enough]
    if not good:
        return None
    measured = scale(known, reference, near=estimate, within=NEAR, also=good)
    best, asks = _named(measured)
    rounded = float(f"{measured.factor:.4g}")
    if best is None and _distance(known / rounded, reference) < enough:
        best, asks = rounded, "no unit that is known has that factor; another scale?"
    elif best is None:
        best, asks = min(good, key=fits.__getitem__), "another unit?"
    told = f"{name} is {best:g} times what it was (measured {measured.low:.3g} to {measured.high:.3g})"
    fit = f"divided by that it fits its baseline (PSI {_distance(known / best, reference):.3g})"
    return QualityFinding(kind="unit_changed", feature=name, value=best, limit=1.0, detail=f"{told}: {fit}; {asks}")


def _named(measured: Scale) -> tuple[float | None, str]:
    """The likeliest factor that has a name and fits, and what to ask; None: none fits closely."""
    handicaps = dict.fromkeys(COMMON_BOTH, ODD) | dict.fromkeys(PLAIN, 0.0) | dict.fromkeys(TENS, -ODD)
    within = [factor for factor in handicaps if measured.low / NEAR <= factor <= measured.high * NEAR]
    worse = {factor: measured.excess(factor) for factor in within}
    fitting = [factor for factor, excess in worse.items() if excess <= (KNOWN if factor in FACTORS else SURE)]
    if not fitting:
        return None, ""
    best = min(fitting, key=lambda factor: worse[factor] + handicaps[factor])
    return best, "another unit?" if best in FACTORS else "another unit or scale?"


def _estimate(known: Values, reference: Reference) -> float | None:
    """Ratio of the widths of the middle half, else of the middles; None where neither says anything."""
    low, middle, high = (_quantile(reference, at) for at in (0.25, 0.5, 0.75))
    now_low, now_middle, now_high = np.quantile(known, [0.25, 0.5, 0.75])
    for before, now in ((high - low, now_high - now_low), (middle, now_middle)):
        ratio = float(now / before) if before else 0.0
        if ratio > 0 and math.isfinite(ratio):
            return ratio
    return None


def _quantile(reference: Reference, share: float) -> float:
    """Within the inner bins by interpolation; the open end bins stop at their edge."""
    edges, inner = np.asarray(reference.edges), np.asarray(reference.counts[:-1], dtype=np.float64)
    below = np.cumsum(inner)[:-1] / max(1.0, float(inner.sum()))  # share below each edge
    return float(np.interp(share, below, edges))


def _of_chance(rows: int, reference: Reference) -> float:
    """PSI that two samples of one world stay below in 97 of 100 windows, by its chi-square law."""
    free = sum(1 for count in reference.counts[:-1] if count) - 1
    return (free + 2 * math.sqrt(2 * free)) * (1 / rows + 1 / max(1, sum(reference.counts[:-1])))


def _distance(values: Values, reference: Reference) -> float:
    at = np.searchsorted(np.asarray(reference.edges), values, side="right")
    return psi(reference.counts[:-1], np.bincount(at, minlength=len(reference.edges) + 1), smoothing=0.5)
