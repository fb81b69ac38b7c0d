"""Do scores mean what they say? Calibration error with its bias reduced, and the slope and intercept of Cox.

A plain expected calibration error is biased upwards: a perfectly calibrated model shows about sqrt(bins / n). Bins hold
equal mass, equal scores share a bin, and from each bin the part that chance alone gives is taken away. That part is
estimated from the same bin, so an honest model keeps 2 - sqrt(2) = 0.59 of its bias, and a wrong one hardly any.
"""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.intervals import Interval

Floats = npt.NDArray[np.float64]
BINS = 15
RESAMPLES = 200
_LEAST = 1e-6  # scores nearer to 0 or 1 are taken for this: their log-odds would be infinite


def ece(truth: npt.ArrayLike, score: npt.ArrayLike, *, rng: np.random.Generator, confidence: float = 0.95) -> Interval:
    """Debiased expected calibration error of P(true), with a bootstrap interval.

    Args:
        truth: 1 where the event happened, shape [n]; for many classes: whether the top class was right.
        score: probability of it, 0..1, shape [n].
        rng: of the bootstrap.

    Returns: a share, >= 0; the interval is reflected about the value, since resampling adds the noise once more.
    Raises: NotEnoughData: fewer than 30 rows.
    Source: Kumar, Liang and Ma 2019, section 5 and appendix (L1 form), the expectation in closed form.

    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(5000)
    >>> ece(rng.random(5000) < p, p, rng=rng).value < 0.01 < ece(rng.random(5000) < p ** 2, p, rng=rng).low
    True
    """
    y, p = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if y.size < 30:
        raise NotEnoughData(f"n={y.size}: a calibration error needs at least 30 rows")
    bins = _equal_mass(p)
    value = _debiased(y, p, bins)
    draws = np.empty(RESAMPLES)
    for at in range(RESAMPLES):
        weights = np.bincount(rng.integers(0, y.size, y.size), minlength=y.size).astype(np.float64)
        draws[at] = _plain(y, p, bins, weights)
    plain = _plain(y, p, bins, np.ones_like(y))
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    centre = float(draws.mean())
    half_down, half_up = float(high) - centre, max(centre - float(low), float(high) - centre)
    return Interval(
        value=value,
        low=max(0.0, min(value, value - half_down)),
        high=min(1.0, max(value + half_up, plain if value == 0.0 else value)),
        n=y.size,
        method="bootstrap",
    )


def plain_ece(truth: npt.ArrayLike, score: npt.ArrayLike) -> float:
    """Expected calibration error as it is usually computed, chance included: for comparing two scores of the same rows.

    Args: truth: 1 where the event happened, shape [n], n >= 1. score: probability of it, shape [n].
    Source: Naeini, Cooper and Hauskrecht 2015, with bins of equal mass.

    >>> plain_ece([0, 1, 1, 1], [0.5, 0.5, 0.5, 0.5])
    0.25
    """
    y, p = np.asarray(truth, dtype=np.float64), np.asarray(score, dtype=np.float64)
    return _plain(y, p, _equal_mass(p), np.ones_like(y))


def cox(truth: npt.ArrayLike, score: npt.ArrayLike, *, confidence: float = 0.95) -> tuple[Interval, Interval]:
    """(slope, intercept): the label regressed on the log-odds of the score, and the offset with the slope held at 1.

    Raises: NotEnoughData: one class only, or scores that separate the classes.
    Source: Cox 1958; Wald intervals.

    >>> rng = np.random.default_rng(0)
    >>> p = rng.random(5000)
    >>> slope, offset = cox(rng.random(5000) < p, p)
    >>> slope.low < 1.0 < slope.high, offset.low < 0.0 < offset.high
    (True, True)
    """
    y = np.asarray(truth, dtype=np.float64)
    odds = special.logit(np.clip(np.asarray(score, dtype=np.float64), _LEAST, 1 - _LEAST))
    if y.min(initial=1.0) == y.max(initial=0.0) or y.size < 30:
        raise NotEnoughData("calibration slope and intercept need both classes and at least 30 rows")
    if float(np.ptp(odds)) == 0.0:
        raise NotEnoughData("every score is the same: there is no slope")
    both, covariance = _logistic(np.column_stack([odds, np.ones_like(odds)]), np.zeros_like(odds), y)
    offset, spread = _logistic(np.ones((y.size, 1)), odds, y)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return (
        _wald(float(both[0]), float(covariance[0, 0]), z, y.size),
        _wald(float(offset[0]), float(spread[0, 0]), z, y.size),
    )


def _wald(value: float, variance: float, z: float, n: int) -> Interval:
    half = z * math.sqrt(variance)
    return Interval(value=value, low=value - half, high=value + half, n=n, method="normal")


def _logistic(design: Floats, offset: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Newton's method; its covariance is the inverse of the information."""
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        p = special.expit(design @ beta + offset)
        information = design.T @ (design * (p * (1 - p))[:, None])
        try:
            step = np.linalg.solve(information, design.T @ (y - p))
        except np.linalg.LinAlgError as error:
            raise NotEnoughData("the scores separate the classes: there is no finite slope") from error
        beta = beta + np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-9:
            return beta, np.asarray(np.linalg.inv(information), dtype=np.float64)
    raise NotEnoughData("the scores separate the classes: there is no finite slope")


def _equal_mass(score: Floats) -> npt.NDArray[np.int64]:
    """Bin of each row; equal scores share a bin."""
    edges = np.unique(np.quantile(score, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
    return np.searchsorted(edges, score, side="left").astype(np.int64)


def _gaps(y: Floats, p: Floats, bins: npt.NDArray[np.int64], weights: Floats) -> tuple[Floats, Floats, Floats]:
    """(rows, mean label - mean score, mean label) of each bin in use."""
    size = int(bins.max()) + 1
    rows = np.bincount(bins, weights, size)
    used = rows > 0
    label = np.bincount(bins, weights * y, size)[used] / rows[used]
    said = np.bincount(bins, weights * p, size)[used] / rows[used]
    return np.asarray(rows[used], dtype=np.float64), label - said, label


def _plain(y: Floats, p: Floats, bins: npt.NDArray[np.int64], weights: Floats) -> float:
    rows, gap, _ = _gaps(y, p, bins, weights)
    return float(np.sum(rows * np.abs(gap)) / rows.sum())


def _debiased(y: Floats, p: Floats, bins: npt.NDArray[np.int64]) -> float:
    return debiased(*_gaps(y, p, bins, np.ones_like(y)))


def debiased(rows: Floats, gap: Floats, label: Floats) -> float:
    """The error of bins without what chance adds to each.

    Args: rows, gap (mean label - mean score), label (mean) of each bin, shape [B].

    >>> debiased(np.array([100.0]), np.array([0.2]), np.array([0.5])).__round__(3), debiased(
    ...     np.array([100.0]), np.array([0.0]), np.array([0.5]))
    (0.2, 0.0)
    """
    sd = np.sqrt(label * (1 - label) / np.maximum(rows - 1, 1))
    z = np.divide(gap, sd, out=np.full_like(gap, 40.0), where=sd > 0)
    # E|N(gap, sd)| - |gap| is what chance adds to a bin
    expected = sd * math.sqrt(2 / math.pi) * np.exp(-(z**2) / 2) + gap * (1 - 2 * special.ndtr(-z))
    chance = np.where(sd > 0, expected - np.abs(gap), 0.0)
    return max(0.0, float(np.sum(rows * (np.abs(gap) - chance)) / rows.sum()))
