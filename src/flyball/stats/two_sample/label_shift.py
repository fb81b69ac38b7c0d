"""Label shift: how often each class occurs now, told from the answers alone.

The assumption: the classes became more or less frequent, and rows of one class look as they did (p(x|y) is as it was).
Then the distribution of anything computed from x is a mixture of what it was for each class, and the weights of the
classes can be solved for. Two ways: from counts of any discretisation of the answers (`bbse`), or from calibrated
probabilities (`mlls`), which is sharper where they are honest. Neither says whether the assumption holds; `residual`
does: do the weights reproduce another table of counts?
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from scipy import special

from flyball.core.errors import NotEnoughData
from flyball.stats.two_sample.divergences import psi

Floats = npt.NDArray[np.float64]
MOST_CONDITION = 50.0  # beyond it a per mille of noise in the counts is some percent in the weights
ENOUGH_ROWS = 30  # of either side
_ROUNDS = 1000  # of the expectation-maximisation
_STILL = 1e-10  # a step of all priors together that is none


@dataclass(frozen=True, kw_only=True)
class LabelShift:
    """How much more frequent each class is than it was."""

    weights: tuple[float, ...]  # P(class now) / P(class then), >= 0, one a class
    priors: tuple[float, ...]  # P(class now), sum 1
    low: tuple[float, ...]  # of each weight
    high: tuple[float, ...]
    before: tuple[float, ...]  # P(class then)
    condition: float  # of the matrix that was solved: errors of the counts may grow by this factor; 1 for `mlls`
    clipped: bool  # a weight came out below 0 and was set to 0: the assumption is strained
    n: int  # labelled rows
    m: int  # rows of now

    @property
    def moved(self) -> bool:
        """Whether some class surely has another share than it had."""
        return any(low > 1.0 or high < 1.0 for low, high in zip(self.low, self.high, strict=True))


@dataclass(frozen=True, kw_only=True)
class Residual:
    """What is left of a change when the classes are weighted."""

    before: float  # PSI without the weights
    left: float  # PSI with them
    p: float  # P(so much is left by chance alone)


def bbse(
    joint: npt.ArrayLike, current: npt.ArrayLike, *, confidence: float = 0.95, most_condition: float = MOST_CONDITION
) -> LabelShift:
    """Weights of the classes from counts of the answers (black-box shift estimation).

    With C[i, y] = P(answer i, class y) then and mu[i] = P(answer i) now, C w = mu. More kinds of answers than classes
    (bins of a score, say) are solved by least squares, each equation weighted by its own noise.

    Args:
        joint: labelled counts, shape [B, k]: rows are kinds of answers, columns classes; B >= k.
        current: counts of the same kinds of answers, shape [B].
        confidence: of the two-sided intervals, by the delta method; both samples count.

    Raises: NotEnoughData: too few rows, a class without rows, or answers that do not tell classes apart (condition).
    ValueError: shapes do not fit.
    Source: Lipton, Wang and Smola 2018, arXiv:1802.03916, section 4.

    >>> found = bbse([[400, 150], [100, 350]], [400, 600])
    >>> [round(w, 9) for w in found.weights], [round(p, 9) for p in found.priors]
    ([0.4, 1.6], [0.2, 0.8])
    """
    table, counts = np.asarray(joint, dtype=np.float64), np.asarray(current, dtype=np.float64)
    if table.ndim != 2 or counts.shape != table.shape[:1] or table.shape[0] < table.shape[1]:
        raise ValueError(f"expected [B, k] and [B] with B >= k, found {table.shape} and {counts.shape}")
    used = (table.sum(axis=1) + counts) > 0
    table, counts = table[used], counts[used]
    n, m = float(table.sum()), float(counts.sum())
    before = table.sum(axis=0) / n if n else np.zeros(table.shape[1])
    if min(n, m) < ENOUGH_ROWS or not bool((before > 0).all()):
        raise NotEnoughData(f"n={n:.0f}, m={m:.0f}: expected {ENOUGH_ROWS} rows of each side and some of each class")
    shares, now = table / n, counts / m
    if table.shape[0] < table.shape[1]:
        raise NotEnoughData(f"{table.shape[0]} kinds of answers occur: {table.shape[1]} classes need as many")
    noise = np.sqrt(np.maximum(now, 0.5 / m) / m + np.maximum(shares.sum(axis=1), 0.5 / n) / n)
    # columns in units of P(y | then), so that the condition says how alike the classes look and not how rare they are
    scaled = shares / noise[:, None]
    condition = float(np.linalg.cond(scaled / before))
    if not condition <= most_condition:
        raise NotEnoughData(
            f"the answers hardly tell the classes apart (condition {condition:.3g} > {most_condition:g})"
        )
    solve = np.linalg.pinv(scaled) / noise
    raw = solve @ now
    spread = np.sqrt(np.maximum(np.diag(solve @ _noise(shares, raw, now, n, m) @ solve.T), 0.0))
    return _found(raw, spread, before, condition, int(n), int(m), confidence)


def _noise(shares: Floats, weights: Floats, now: Floats, n: float, m: float) -> Floats:
    """Covariance of mu - C w: both are means of independent rows."""
    fitted = shares @ weights
    of_then = np.diag(shares @ weights**2) - np.outer(fitted, fitted)
    of_now = np.diag(now) - np.outer(now, now)
    return np.asarray(of_then / n + of_now / m)


def mlls(
    probabilities: npt.ArrayLike,
    before: npt.ArrayLike,
    *,
    rows: npt.ArrayLike | None = None,
    n: int = 0,
    confidence: float = 0.95,
) -> LabelShift:
    """Weights of the classes from calibrated probabilities (expectation-maximisation, maximum likelihood).

    Args:
        probabilities: P(class | row) under the old shares, of rows of now, shape [m, k]; calibrated.
        before: P(class) then, shape [k].
        rows: how many rows each line stands for, shape [m]: a line may be a bin; None: one.
        n: labelled rows behind the calibration; they widen nothing here, so calibrate on many.
        confidence: of the intervals, from the information of the likelihood.

    Raises: NotEnoughData: too few rows or a class without any before. ValueError: shapes do not fit.
    Source: Saerens, Latinne and Decaestecker 2002, eq. 2.9; Alexandari, Kundaje and Shrikumar 2020, arXiv:1901.06852.

    >>> rng = np.random.default_rng(0)
    >>> y = rng.random(20_000) < 0.2
    >>> odds = 1.5 * rng.normal(1.5 * y, 1.0) - 1.5**2 / 2
    >>> p = 1 / (1 + np.exp(-odds))
    >>> abs(mlls(np.column_stack([1 - p, p]), [0.5, 0.5]).priors[1] - 0.2) < 0.01
    True
    """
    p, then = np.asarray(probabilities, dtype=np.float64), np.asarray(before, dtype=np.float64)
    if p.ndim != 2 or then.shape != p.shape[1:]:
        raise ValueError(f"expected [m, k] and [k], found {p.shape} and {then.shape}")
    stand = np.ones(len(p)) if rows is None else np.asarray(rows, dtype=np.float64)
    if stand.shape != p.shape[:1]:
        raise ValueError(f"expected a number of rows for each of {len(p)} lines, found {stand.shape}")
    m = int(stand.sum())
    if m < ENOUGH_ROWS or not bool((then > 0).all()):
        raise NotEnoughData(f"m={m}: expected {ENOUGH_ROWS} rows, and classes that occurred before")
    then = then / then.sum()
    likelihood = p / then
    priors = then.copy()
    for _ in range(_ROUNDS):
        told = likelihood * priors
        told /= told.sum(axis=1, keepdims=True)
        step, priors = priors, stand @ told / m
        if float(np.abs(step - priors).sum()) < _STILL:
            break
    score = likelihood / (likelihood @ priors)[:, None]
    # the shares add up to 1, so only directions along the simplex carry information
    along = np.linalg.svd(np.ones((1, len(then))))[2][1:].T
    covariance = along @ np.linalg.pinv(along.T @ (score.T @ (score * stand[:, None])) @ along) @ along.T
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0)) / then
    return _found(priors / then, spread, then, 1.0, n, m, confidence)


def residual(table: npt.ArrayLike, current: npt.ArrayLike, weights: npt.ArrayLike) -> Residual:
    """How well do class weights reproduce the counts of another table, of a feature's bins say?

    Args:
        table: labelled counts then, shape [B, k].
        current: counts now, shape [B].
        weights: of the classes, shape [k].

    Returns: PSI (0.5 added to each bin) before and after weighting, and the p-value of what is left.
    Raises: NotEnoughData: one side is empty. ValueError: shapes do not fit.
    Source: the check of section 4 of Lipton 2018; the law of PSI is Yurdakul and Naranjo 2020, theorem 3.3.

    >>> kept = residual([[80, 20], [20, 80]], [320, 680], [0.4, 1.6])
    >>> kept.before > 0.1, round(kept.left, 4)
    (True, 0.0)
    """
    cells, counts = np.asarray(table, dtype=np.float64), np.asarray(current, dtype=np.float64)
    w = np.asarray(weights, dtype=np.float64)
    if cells.ndim != 2 or counts.shape != cells.shape[:1] or w.shape != cells.shape[1:]:
        raise ValueError(f"expected [B, k], [B] and [k], found {cells.shape}, {counts.shape} and {w.shape}")
    plain, weighted = cells.sum(axis=1), cells @ w
    used = (plain + counts) > 0
    plain, weighted, counts = plain[used], weighted[used], counts[used]
    n, m, size = float(plain.sum()), float(counts.sum()), int(used.sum())
    if not weighted.sum() > 0:
        raise NotEnoughData("the weights leave no row of the table")
    left = psi(weighted / weighted.sum() * n, counts, smoothing=0.5)
    # weighted rows carry less: the effective number of them stands for n
    effective = n * float((cells.sum(axis=0) @ w) ** 2 / max(cells.sum() * (cells.sum(axis=0) @ w**2), 1e-300))
    chance = left / (1 / max(effective, 1.0) + 1 / m)
    return Residual(
        before=psi(plain, counts, smoothing=0.5),
        left=left,
        p=float(special.chdtrc(size - 1, chance)) if size > 1 else 1.0,
    )


def _found(
    raw: Floats, spread: Floats, before: Floats, condition: float, n: int, m: int, confidence: float
) -> LabelShift:
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    weights = np.maximum(raw, 0.0)
    total = float(weights @ before)
    if not math.isfinite(total) or total <= 0:
        raise NotEnoughData("no class is left: the answers of now do not occur among the labelled ones")
    weights = weights / total
    return LabelShift(
        weights=tuple(weights.tolist()),
        priors=tuple((weights * before).tolist()),
        low=tuple(np.maximum(weights - z * spread, 0.0).tolist()),
        high=tuple((weights + z * spread).tolist()),
        before=tuple(before.tolist()),
        condition=condition,
        clipped=bool((raw < 0).any()),
        n=n,
        m=m,
    )
