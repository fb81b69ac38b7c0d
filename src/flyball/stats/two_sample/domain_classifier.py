"""Can a classifier tell the window from its reference? A confirmation that sees what no single column shows.

Its ROC area on rows it was not fitted on is 0.5 where nothing moved. The area is taken within each fold, because
scores of different folds are not on one scale, and averaged; DeLong's variance gives the interval. It costs a training
a fold and needs the rows, so it confirms and is no monitor.
"""

import math

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.stats.scoring.delong import delong
from flyball.stats.two_sample.laws.quadratic import POWER
from flyball.stats.two_sample.measure import Evidence, Measure, Null, Reading, read, without_value
from flyball.stats.two_sample.settings import refuse_settings

LIMIT = 0.57  # area; the best possible for one normal feature that moved by a quarter of its standard deviation

LARGEST = 1e30


def compare_domains(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    limit: float = LIMIT,
    folds: int = 5,
    alpha: float = 0.01,
    floor: int = 100,
    confidence: float = 0.95,
    null: Null = "limit",
) -> Measure:
    """Area under the ROC of a forest that tells the two samples apart; 0.5 = they cannot.

    Args:
        reference: shape [n, d] (or [n]); NaN is a value the trees can use; categories as codes.
        current: shape [m, d], the same columns.
        rng: draws the folds and the seed of the trees.
        limit: area worth acting on, in (0.5, 1).
        folds: parts, of which each is scored by a model fitted on the others, count.
        alpha, floor, confidence, null: as in `compare`.

    Source: Lopez-Paz and Oquab 2017 (classifier two-sample tests); DeLong et al. 1988.
    """
    refuse_settings(limit=limit, alpha=alpha, floor=floor, confidence=confidence, null=null, least=0.5, most=1.0)
    try:
        sides = [_table(side) for side in (reference, current)]
        if sides[0].shape[1] != sides[1].shape[1]:
            raise ValueError(f"the same columns on both sides, found {sides[0].shape[1]} and {sides[1].shape[1]}")
    except (ValueError, TypeError) as fault:
        return without_value("domain_classifier", 0, 0, Reading.INVALID, f"expected {fault}")
    n, m = len(sides[0]), len(sides[1])
    if min(n, m) < max(floor, 4 * folds):
        reason = f"n={n}, m={m}: fewer than {max(floor, 4 * folds)} rows on one side"
        return without_value("domain_classifier", n, m, Reading.INSUFFICIENT, reason)
    areas, variances = _areas(np.vstack(sides), n, folds=folds, rng=rng)
    area, deviation = float(np.mean(areas)), math.sqrt(float(np.sum(variances))) / folds
    # without any difference the variance of an area is known, whatever the scores
    chance = math.sqrt((n + m + folds) / (12 * n * m))
    z = float(special.ndtri((1 + confidence) / 2))
    edge = float(special.ndtri(1 - alpha))
    found = Evidence(
        value=area,
        plain=area,
        ci=(max(0.0, area - z * deviation), min(1.0, area + z * deviation)),
        p=float(special.ndtr((0.5 - area) / chance)),
        p_limit=float(special.ndtr((limit - area) / max(deviation, chance / 10))),
        chance=0.5 + edge * chance,
        mde=0.5 + (edge + float(special.ndtri(POWER))) * chance,
    )
    return read("domain_classifier", found, n=n, m=m, limit=limit, alpha=alpha, floor=floor, null=null)


def _areas(
    rows: npt.NDArray[np.float64], n: int, *, folds: int, rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    from sklearn.ensemble import RandomForestClassifier  # here: it takes seconds to load

    theirs = np.arange(len(rows)) >= n
    part = np.empty(len(rows), dtype=np.int64)
    for side in (np.flatnonzero(~theirs), np.flatnonzero(theirs)):
        part[rng.permutation(side)] = np.arange(side.size) % folds
    seed = int(rng.integers(2**31))
    areas, variances = [], []
    for fold in range(folds):
        fitted = part != fold
        # a forest, not boosted trees: theirs is a thread pool that stalls where cores are shared
        model = RandomForestClassifier(
            n_estimators=50, max_depth=6, min_samples_leaf=10, class_weight="balanced", random_state=seed
        )
        model.fit(rows[fitted], theirs[fitted])
        area, covariance = delong(theirs[~fitted], model.predict_proba(rows[~fitted])[:, 1])
        areas.append(float(area[0]))
        variances.append(float(covariance[0, 0]))
    return areas, variances


def _table(rows: npt.ArrayLike) -> npt.NDArray[np.float64]:
    table = np.asarray(rows, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2:
        raise ValueError(f"rows of numbers, shape [n, d], found shape {table.shape}")
    return np.clip(table, -LARGEST, LARGEST)  # infinities become the largest number that the trees can read
