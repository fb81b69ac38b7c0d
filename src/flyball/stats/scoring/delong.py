"""Variance of ROC areas without resampling (DeLong), for one model or for two on the same rows.

The area is a mean over pairs (positive, negative). Its two sets of placements, V10 (for each positive: the share of
negatives it beats) and V01 (for each negative: the share of positives that beat it), carry all its variance. Midranks
give them in O(n log n), ties counting half.
"""

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData

Floats = npt.NDArray[np.float64]


def delong(positive: npt.NDArray[np.bool_], *scores: Floats) -> tuple[Floats, Floats]:
    """Areas and their covariance.

    Args:
        positive: whether the row is of the positive class, shape [n].
        scores: one array a model, shape [n] each, on the same rows.

    Returns: areas, shape [models], and covariance, shape [models, models].
    Raises: NotEnoughData: fewer than two rows of a class.
    Source: DeLong et al. 1988; Sun and Xu 2014 for the midranks.

    >>> areas, covariance = delong(np.array([1, 1, 0, 0], dtype=bool), np.array([0.9, 0.4, 0.5, 0.1]))
    >>> areas.tolist(), covariance.tolist()
    ([0.75], [[0.125]])
    """
    m, n = int(np.count_nonzero(positive)), int(np.count_nonzero(~positive))
    if m < 2 or n < 2:
        raise NotEnoughData(f"a ROC area's variance needs two rows of each class, found {m} positive, {n} negative")
    v10, v01 = [], []
    for score in scores:
        everyone, above, below = _midranks(score), score[positive], score[~positive]
        v10.append((everyone[positive] - _midranks(above)) / n)
        v01.append(1.0 - (everyone[~positive] - _midranks(below)) / m)
    areas = np.array([placements.mean() for placements in v10])
    covariance = np.atleast_2d(np.cov(v10)) / m + np.atleast_2d(np.cov(v01)) / n
    return areas, covariance


def _midranks(values: Floats) -> Floats:
    """Ranks from 1, equal values sharing their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse.ravel()], dtype=np.float64)
