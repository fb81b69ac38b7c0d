"""Another unit: the values left their baseline, and divided by one known factor they are back on it.

The factor is estimated from the widths of both (the middle half of the mass), and from their middles where the width
says nothing; then the known factors near it are tried: powers of ten, and those between common units. A factor is
told only if the baseline fits the values that it turned back, so a drift however large is none.
"""

import math

import numpy as np
import numpy.typing as npt

from flyball.core.release import Reference
from flyball.core.service import Psi
from flyball.core.watching import QualityFinding
from flyball.stats.divergences import psi
from flyball.stats.stretches import allowance

LEAST_BINS = 4  # that hold rows of the baseline: three codes have no shape to fit again
NEAR = 1.6  # the estimate is off by at most this factor
TENS = tuple(10.0**power for power in range(-9, 10) if power)
# nearer to 1 than 3 a factor cannot be told from a drift in scale: miles and pounds are left to the contract
COMMON = (7.0, 12.0, 24.0, 60.0, 365.25, 3600.0, 86_400.0, 1024.0, 0.3048, 3.785411784, 25.4)
FACTORS = (*TENS, *COMMON, *(1 / factor for factor in COMMON))
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
    good = [factor for factor in near if fits[factor] < limits.warn]
    if not good:
        return None
    # 1000 and 1024 may both fit: a power of ten is what happens
    best = min(good, key=lambda factor: (factor not in TENS, fits[factor]))
    told = f"{name} is {best:g} times what it was (estimated {estimate:.3g}): divided by that it fits its baseline"
    return QualityFinding(
        kind="unit_changed", feature=name, value=best, limit=1.0, detail=f"{told} (PSI {fits[best]:.3g}); another unit?"
    )


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


def _distance(values: Values, reference: Reference) -> float:
    at = np.searchsorted(np.asarray(reference.edges), values, side="right")
    return psi(reference.counts[:-1], np.bincount(at, minlength=len(reference.edges) + 1), smoothing=0.5)
