"""Is this window drifted? An effect with its interval, its error rate and its own blind spot, from two count vectors.

An effect is compared with an effect limit, a p-value with alpha; `measure` tells how both become a verdict. Each
measure has its sampling law in `laws`. The limits of LIMITS agree with each other: each is about what a normal
feature shows that moved by a quarter to a third of its standard deviation. Empty or faulty counts never give a number.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.two_sample.divergences import Masses, chi_square, merge_small, refuse_shares, shares
from flyball.stats.two_sample.laws import largest, quadratic, summed
from flyball.stats.two_sample.measure import Evidence, Measure, Null, Reading, constant, read, without_value
from flyball.stats.two_sample.ordered import Norm, ordered, scale_of
from flyball.stats.two_sample.settings import refuse_settings

__all__ = ["LEAST_EXPECTED", "LIMITS", "MEASURES", "ORDERED", "SMOOTHING", "Measure", "Null", "Reading", "compare"]

SMOOTHING = quadratic.SMOOTHING
LEAST_EXPECTED = 5.0  # rows a cell must expect on both sides for the chi-square law

MOST_RARE = 0.5  # share of the rows in cells that expect fewer, beyond which nothing is left to compare
RARE = f"most rows are in cells that expect fewer than {LEAST_EXPECTED:g}"

LIMITS: dict[str, float] = {
    "chi_square": 0.16,  # Cramer's V at equal weights
    "hellinger": 0.11,
    "jensen_shannon": 0.0125,  # nats
    "kl": 0.05,  # nats
    "ks": 0.10,
    "l_infinity": 0.05,
    "psi": 0.10,
    "total_variation": 0.10,
    "wasserstein": 0.25,  # standard deviations of the reference
}
MEASURES = tuple(sorted(LIMITS))
ORDERED = ("ks", "wasserstein")  # these read the order of the bins


def compare(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    measure: str = "psi",
    limit: float | None = None,
    alpha: float = 0.01,
    floor: int = 50,
    confidence: float = 0.95,
    null: Null = "limit",
    positions: npt.ArrayLike | None = None,
    norm: Norm = "std",
) -> Measure:
    """Compare two count vectors over the same bins.

    Args:
        reference: counts, shape [B].
        current: counts of the same bins.
        measure: one of MEASURES.
        limit: effect worth acting on, in the unit of the measure; None: that of LIMITS.
        alpha: false-alarm rate of one comparison, in (0, 1).
        floor: rows below which nothing is said, count, of either side.
        confidence: of the interval.
        null: what DRIFT rejects: that the effect is at most the limit, or that there is none; see `measure`.
        positions: of the bins, shape [B], for the measures that need an order; NaN: no place in it (missing).
        norm: what Wasserstein is divided by: `std` or `iqr` of the reference, or a number.

    Raises: KeyError: unknown measure. ValueError: a setting that cannot be. Faulty counts, and shares, read INVALID.
    Source: see the files of `laws`.

    >>> compare([1000] * 10, [100] * 10).verdict.value, compare([1000] * 10, [400] + [80] * 9).verdict.value
    ('OK', 'DRIFT')
    >>> compare([1000] * 10, [6] * 10).verdict.value, compare([1000] * 10, [0] * 10).value is None
    ('INSUFFICIENT', True)
    >>> found = compare([1000] * 10, [200] + [100] * 8 + [60], measure="wasserstein")
    >>> round(found.value, 2), found.verdict.value
    (0.21, 'OK')
    """
    if measure not in LIMITS:
        raise KeyError(f"no measure {measure!r}: expected one of {', '.join(MEASURES)}")
    bound = LIMITS[measure] if limit is None else limit
    refuse_settings(limit=bound, alpha=alpha, floor=floor, confidence=confidence, null=null)
    at: Masses | None = None
    try:
        r, c = _counts(reference, current)
        if measure in ORDERED:
            r, c, at = ordered(r, c, positions)
    except NotEnoughData as fault:
        return without_value(measure, _rows(reference), _rows(current), Reading.INSUFFICIENT, str(fault))
    except (ValueError, TypeError) as fault:
        return without_value(measure, 0, 0, Reading.INVALID, str(fault))
    used = (r + c) > 0
    r, c, n, m = r[used], c[used], int(r.sum()), int(c.sum())
    if r.size < 2:
        return constant(measure, n, m, bound, floor)
    told = {"limit": bound, "alpha": alpha, "confidence": confidence}
    if at is not None and measure == "wasserstein":
        scale = scale_of(r / r.sum(), at := at[used], norm)
        if far := summed.out_of_reach(at, scale):
            return without_value(measure, n, m, Reading.INVALID, far)
        found = summed.wasserstein_evidence(r, c, at, scale=scale, **told)
    elif measure == "chi_square":
        if (r + c)[(r + c) * min(n, m) / (n + m) < LEAST_EXPECTED].sum() > MOST_RARE * (n + m):
            return without_value(measure, n, m, Reading.INSUFFICIENT, f"n={n}, m={m}: {RARE}")
        found = _chi_square(*merge_small(r, c, least=LEAST_EXPECTED), told)
    elif measure in quadratic.FAMILIES:
        found = quadratic.evidence(quadratic.FAMILIES[measure], r, c, **told)
    else:
        found = _OTHERS[measure](r, c, **told)
    return read(measure, found, n=n, m=m, limit=bound, alpha=alpha, floor=floor, null=null)


_OTHERS: dict[str, Callable[..., Evidence]] = {
    "ks": largest.ks_evidence,
    "l_infinity": largest.l_infinity_evidence,
    "total_variation": summed.total_variation_evidence,
}


def _chi_square(r: Masses, c: Masses, told: Mapping[str, float]) -> Evidence:
    """Args: counts of cells that are full enough for its law; where none are, of two."""
    found = chi_square(r, c)
    return quadratic.evidence(quadratic.FAMILIES["chi_square"], r, c, statistic=found.statistic, **told)


def _counts(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[Masses, Masses]:
    """Raises: as `shares`; ValueError: what is compared are shares."""
    shares(reference, current)
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(current, dtype=np.float64)
    refuse_shares(r, c)
    return r, c


def _rows(counts: npt.ArrayLike) -> int:
    return int(np.sum(np.asarray(counts)))
