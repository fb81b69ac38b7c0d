"""One threshold on a ranking, chosen by what it must reach: precision at a recall, recall at a precision.

For rare classes these say what accuracy hides. The threshold is the best one on the same rows, so the value is what
this model *can* do; the bootstrap chooses it anew in each resample.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.intervals import Interval
from flyball.stats.scoring.ranking import Ranking, rank

Floats = npt.NDArray[np.float64]


def precision_at_recall(
    positive: npt.NDArray[np.bool_], score: Floats, recall: float, *, rng: np.random.Generator, confidence: float = 0.95
) -> Interval:
    """Best precision among thresholds whose recall is at least `recall`.

    Args: positive: shape [n]. score: larger = more likely positive, shape [n]. recall: in (0, 1].
    Raises: NotEnoughData: a class has no rows.

    >>> positive, score = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.5, 0.1])
    >>> round(precision_at_recall(positive, score, 1.0, rng=np.random.default_rng(0)).value, 4)
    0.6667
    """
    return _bootstrapped(lambda found, hit: _best(hit, found >= recall - 1e-12), positive, score, rng, confidence)


def recall_at_precision(
    positive: npt.NDArray[np.bool_],
    score: Floats,
    precision: float,
    *,
    rng: np.random.Generator,
    confidence: float = 0.95,
) -> Interval:
    """Best recall among thresholds whose precision is at least `precision`; 0 where there is none.

    >>> positive, score = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.5, 0.1])
    >>> recall_at_precision(positive, score, 0.9, rng=np.random.default_rng(0)).value
    0.5
    """
    return _bootstrapped(lambda found, hit: _best(found, hit >= precision - 1e-12), positive, score, rng, confidence)


def _best(values: Floats, allowed: npt.NDArray[np.bool_]) -> float:
    return float(values[allowed].max()) if allowed.any() else 0.0


def _bootstrapped(
    read: Callable[[Floats, Floats], float],
    positive: npt.NDArray[np.bool_],
    score: Floats,
    rng: np.random.Generator,
    confidence: float,
) -> Interval:
    n, yes = positive.size, int(np.count_nonzero(positive))
    if yes == 0 or yes == n:
        raise NotEnoughData(f"an operating point needs both classes, found {yes} positive of {n} rows")
    ranking = rank(positive, score)
    value = read(*_curve(ranking, np.ones(n)))
    draws = []
    for _ in range(min(1000, max(200, 5_000_000 // n))):
        weights = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        if float(weights[positive].sum()) > 0:
            draws.append(read(*_curve(ranking, weights)))
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value=value, low=min(value, float(low)), high=max(value, float(high)), n=n, method="bootstrap")


def _curve(ranking: Ranking, weights: Floats) -> tuple[Floats, Floats]:
    """(recall, precision) at each threshold, highest first."""
    w = weights[ranking.order]
    yes = np.cumsum(np.add.reduceat(w * ranking.positive, ranking.starts))
    seen = np.cumsum(np.add.reduceat(w, ranking.starts))
    precision = np.divide(yes, seen, out=np.zeros_like(yes), where=seen > 0)
    return yes / yes[-1], precision
