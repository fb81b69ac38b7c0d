"""A map from scores to probabilities, fitted on rows with labels, and kept only where it calibrates better.

Isotonic regression: P(class) never falls where the score grows. It is a step function; between the steps it is linear,
beyond the ends flat, so it is a handful of knots that travel with a release. A map that was fitted on chance makes
honest scores worse; so it is judged out of fold, and kept if it lowers the calibration error there.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from flyball.core.release import CalibrationMap
from flyball.stats.risk.cbpe import probabilities
from flyball.stats.scoring.calibration import plain_ece
from flyball.stats.scoring.sample import Floats

FOLDS = 5
LEAST_ROWS = 100  # with fewer labels no map is fitted
LEAST_OF_CLASS = 5


@dataclass(frozen=True, kw_only=True)
class Recalibration:
    """Maps for each class, or none where the scores as they are were no worse; and what decided it."""

    maps: tuple[CalibrationMap, ...]  # one: of the positive class; k: one a class; none: leave the scores
    ece_raw: float | None  # mean over the classes, held out, a share
    ece_mapped: float | None
    reason: str


def isotonic(score: Floats, positive: npt.NDArray[np.bool_]) -> CalibrationMap:
    """The best map that never falls, by least squares.

    Args: score: shape [n], n >= 1, finite. positive: whether the row is of the class, shape [n].
    Source: Barlow et al. 1972; pool-adjacent-violators in scipy.

    >>> isotonic(np.array([0.1, 0.2, 0.3, 0.9]), np.array([False, True, False, True]))
    CalibrationMap(score=(0.1, 0.2, 0.3, 0.9), probability=(0.0, 0.5, 0.5, 1.0))
    """
    at, inverse, rows = np.unique(score, return_inverse=True, return_counts=True)
    share = np.bincount(inverse.ravel(), positive.astype(np.float64)) / rows
    found = isotonic_regression(share, weights=rows.astype(np.float64))
    level = np.asarray(found.x, dtype=np.float64)
    first = np.r_[True, level[1:] != level[:-1]]
    last = np.r_[level[1:] != level[:-1], True]
    kept = first | last  # the two ends of each step: what lies between is on the line
    return CalibrationMap(score=tuple(at[kept].tolist()), probability=tuple(level[kept].tolist()))


def apply(maps: tuple[CalibrationMap, ...], score: npt.ArrayLike) -> Floats:
    """Calibrated P(class), shape [n, k]; without maps the scores themselves.

    Raises: as `cbpe.probabilities`. ValueError: as many maps as classes were expected.

    >>> apply((CalibrationMap(score=(0.0, 1.0), probability=(0.2, 0.6)),), [0.5]).round(3).tolist()
    [[0.6, 0.4]]
    """
    p = probabilities(score)
    if not maps:
        return p
    if len(maps) == 1 and p.shape[1] == 2:
        return probabilities(_mapped(maps[0], p[:, 1]))
    if len(maps) != p.shape[1]:
        raise ValueError(f"expected a calibration map for each of {p.shape[1]} classes, found {len(maps)}")
    each = np.column_stack([_mapped(one, p[:, at]) for at, one in enumerate(maps)])
    lost = each.sum(axis=1) <= 0  # every class mapped to 0: such a score was never seen, so it stays as it is
    each[lost] = p[lost]
    return probabilities(each)


def recalibrate(score: npt.ArrayLike, truth: npt.ArrayLike, *, rng: np.random.Generator) -> Recalibration:
    """Fit maps on rows with labels; keep them if they lower the calibration error on rows held out.

    Args:
        score: P(positive), shape [n], or P(class), shape [n, k], in 0..1.
        truth: class numbers, shape [n].
        rng: deals the rows into folds.

    Raises: as `cbpe.probabilities`.

    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(4000)
    >>> bold = recalibrate(p, rng.random(4000) < p**2, rng=rng)
    >>> len(bold.maps), bold.ece_mapped < 0.1 * bold.ece_raw
    (1, True)
    """
    p = probabilities(score)
    label = np.asarray(truth, dtype=np.float64)
    n, k = p.shape
    chosen = [1] if k == 2 else list(range(k))
    counts = [int((label == number).sum()) for number in range(k)]
    if n < LEAST_ROWS or min(counts) < LEAST_OF_CLASS:
        reason = (
            f"no map: {n} labelled rows, {min(counts)} of the rarest class; {LEAST_ROWS} and {LEAST_OF_CLASS} needed"
        )
        return Recalibration(maps=(), ece_raw=None, ece_mapped=None, reason=reason)
    fold = rng.permutation(n) % FOLDS
    held = np.empty_like(p)
    for number in range(FOLDS):
        out = fold == number
        held[out] = apply(_fit(p[~out], label[~out], chosen), p[out])
    raw = float(np.mean([plain_ece(label == at, p[:, at]) for at in chosen]))
    mapped = float(np.mean([plain_ece(label == at, held[:, at]) for at in chosen]))
    if mapped >= raw:
        reason = f"scores kept: held-out calibration error {raw:.4f}, with a map {mapped:.4f}"
        return Recalibration(maps=(), ece_raw=raw, ece_mapped=mapped, reason=reason)
    reason = f"mapped: held-out calibration error {raw:.4f} falls to {mapped:.4f}"
    return Recalibration(maps=_fit(p, label, chosen), ece_raw=raw, ece_mapped=mapped, reason=reason)


def _fit(p: Floats, label: Floats, chosen: list[int]) -> tuple[CalibrationMap, ...]:
    return tuple(isotonic(p[:, at], label == at) for at in chosen)


def _mapped(one: CalibrationMap, score: Floats) -> Floats:
    return np.interp(score, one.score, one.probability)
