"""Maximum mean discrepancy of rows of numbers: several features at once, embeddings, whatever has a distance.

Theory of operation. A Gaussian kernel is an inner product of random Fourier features, so the mean of a sample's
features holds all that the kernel sees of its law, and MMD is the distance of two such means. A sum of features is a
constant-size state: it merges by addition, is taken out of a sliding window by subtraction, and costs O(features) a
row. The reference also keeps the products of its features, once: they give the null law, a weighted sum of chi-squares
whose weights are the eigenvalues of their covariance, matched by its first three moments (no permutations, no dice).

Sources: Gretton et al. 2012 for MMD and its null law, Rahimi and Recht 2007 for the features, Imhof 1961 (after
Pearson) for the three moments.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from flyball.stats.two_sample.laws.quadratic import STRETCH, Law
from flyball.stats.two_sample.measure import Measure, Null, Reading, read, without_value
from flyball.stats.two_sample.present import left_out
from flyball.stats.two_sample.settings import refuse_settings

LIMIT = 0.01  # MMD^2; a normal feature that moved by a quarter of its standard deviation, kernel of one
FREQUENCIES = 128  # pairs of features
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Embedded:
    """A sample in features: sums, so two samples together are the sum of both."""

    n: int  # rows
    total: Floats  # of the features, shape [2R]
    products: Floats | None = None  # sum of outer products, shape [2R, 2R]; a reference keeps them
    skipped: int = 0  # rows with a missing or infinite value, which have no place

    def plus(self, other: "Embedded") -> "Embedded":
        """Both samples together."""
        return self._with(other, 1)

    def minus(self, other: "Embedded") -> "Embedded":
        """Without a sample that is part of this one."""
        return self._with(other, -1)

    def _with(self, other: "Embedded", sign: int) -> "Embedded":
        products: Floats | None = None
        if self.products is not None and other.products is not None:
            products = self.products + sign * other.products
        return Embedded(
            n=self.n + sign * other.n,
            total=self.total + sign * other.total,
            products=products,
            skipped=self.skipped + sign * other.skipped,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class RandomFeatures:
    """The map into features. Both sides of a comparison use one map, which belongs to the reference."""

    centre: Floats  # subtracted, shape [d]
    scale: Floats  # divided by, shape [d]; includes the width of the kernel
    frequencies: Floats  # shape [R, d]

    def embed(self, rows: npt.ArrayLike, *, products: bool = False) -> Embedded:
        """A sample, shape [n, d], as sums of features. Rows with a value that is not finite are counted apart."""
        table = _table(rows)
        if table.size and table.shape[1] != self.centre.size:
            raise ValueError(f"expected {self.centre.size} columns as in the reference, found {table.shape[1]}")
        known = table[np.all(np.isfinite(table), axis=1)].reshape(-1, self.centre.size)
        angles = ((known - self.centre) / self.scale) @ self.frequencies.T
        features = np.hstack([np.cos(angles), np.sin(angles)]) / math.sqrt(self.frequencies.shape[0])
        return Embedded(
            n=known.shape[0],
            total=features.sum(axis=0),
            products=features.T @ features if products else None,
            skipped=table.shape[0] - known.shape[0],
        )


def fit_features(
    reference: npt.ArrayLike, *, rng: np.random.Generator, frequencies: int = FREQUENCIES, width: float | None = None
) -> RandomFeatures:
    """Features of a Gaussian kernel for rows like these, each column standardised.

    Args:
        reference: shape [n, d] (or [n]), at least two rows that are finite.
        rng: draws the frequencies, once.
        frequencies: pairs of features, count.
        width: of the kernel, in standard deviations; None: sqrt(d), about the median distance of two rows.

    Raises: ValueError: no two finite rows.
    """
    table = _table(reference)
    known = table[np.all(np.isfinite(table), axis=1)]
    if known.shape[0] < 2:
        raise ValueError(f"expected at least 2 rows without missing or infinite values, found {known.shape[0]}")
    spread = known.std(axis=0)
    width = math.sqrt(table.shape[1]) if width is None else width
    return RandomFeatures(
        centre=known.mean(axis=0),
        scale=np.where(spread > 0, spread, 1.0) * width,
        frequencies=rng.normal(size=(frequencies, table.shape[1])),
    )


def mmd(reference: npt.ArrayLike, current: npt.ArrayLike, *, width: float) -> float:
    """Unbiased squared MMD with the kernel exp(-|x - y|^2 / (2 width^2)), from all pairs: small samples only.

    Args: shape [n, d] and [m, d] (or [n], [m]), finite, each of at least two rows; width in their unit.

    >>> round(mmd([0, 1], [2, 3], width=1), 6)
    0.768906
    """
    x, y = _table(reference), _table(current)
    if min(len(x), len(y)) < 2 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f"expected two or more finite rows a side, found {len(x)} and {len(y)}")
    within = [(_kernel(rows, rows, width).sum() - len(rows)) / (len(rows) * (len(rows) - 1)) for rows in (x, y)]
    return float(within[0] + within[1] - 2 * _kernel(x, y, width).mean())


def compare_mmd(
    reference: Embedded,
    current: Embedded,
    *,
    limit: float = LIMIT,
    alpha: float = 0.01,
    floor: int = 50,
    confidence: float = 0.95,
    null: Null = "limit",
) -> Measure:
    """Have the rows moved, all columns together? The effect is the unbiased squared MMD, unitless, about 0 to 2.

    Args:
        reference: embedded with its products.
        current: by the same features; its products sharpen the interval where it has them.
        limit, alpha, floor, confidence, null: as in `compare`.

    >>> rng = np.random.default_rng(1)
    >>> before, now = rng.normal(size=(2000, 3)), rng.normal(size=(500, 3)) + [0, 0, 0.8]
    >>> features = fit_features(before, rng=rng)
    >>> found = compare_mmd(features.embed(before, products=True), features.embed(now))
    >>> found.verdict.value, found.p < 1e-6
    ('DRIFT', True)
    """
    refuse_settings(limit=limit, alpha=alpha, floor=floor, confidence=confidence, null=null)
    n, m = reference.n, current.n
    if reference.products is None or reference.total.shape != current.total.shape:
        reason = "expected a reference embedded with products=True, and both sides by the same features"
        return without_value("mmd", n, m, Reading.INVALID, reason)
    if min(n, m) < max(floor, 2):
        skipped = reference.skipped + current.skipped
        reason = f"n={n}, m={m}: fewer than {max(floor, 2)} rows on one side; {skipped} rows have a missing value"
        return without_value("mmd", n, m, Reading.INSUFFICIENT, reason)
    at, here = reference.total / n, current.total / m
    covariance = _covariance(reference)
    own = _covariance(current) if current.products is not None else covariance
    apart = at - here
    plain = float(apart @ apart)
    squares = covariance @ covariance
    first, second = float(np.trace(covariance)), float(np.trace(squares))
    third = float(np.sum(squares * covariance))
    if second <= 1e-20:
        law = Law(df=1.0, bias=0.0, unit=1e-6)  # every row of the reference is the same; a finer unit has no interval
    else:
        df = max(0.1, second**3 / third**2)
        unit = math.sqrt(second / df) * (1 / n + 1 / m)
        wander = float(apart @ covariance @ apart) / n + float(apart @ own @ apart) / m
        stretch = float(np.clip(wander / max(plain * unit, 1e-300), *STRETCH))
        law = Law(df=df, bias=first / n + float(np.trace(own)) / m, unit=unit, stretch=stretch)
    told = {"limit": limit, "alpha": alpha, "confidence": confidence}
    found = law.evidence(plain, onto=lambda x: x, back=lambda x: x, **told)
    judged = read("mmd", found, n=n, m=m, limit=limit, alpha=alpha, floor=floor, null=null)
    return replace(judged, reason=judged.reason + left_out(reference.skipped, current.skipped))


def compare_rows(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    limit: float = LIMIT,
    alpha: float = 0.01,
    floor: int = 50,
    confidence: float = 0.95,
    null: Null = "limit",
) -> Measure:
    """The same from the rows themselves, shape [n, d] and [m, d]; rows that are no numbers read INVALID.

    >>> compare_rows([["a"]], [["b"]], rng=np.random.default_rng(0)).verdict.value
    'INVALID'
    """
    try:
        if len(_table(reference)) == 0:
            return without_value("mmd", 0, len(_table(current)), Reading.INSUFFICIENT, "the reference has no rows")
        features = fit_features(reference, rng=rng)
        sides = features.embed(reference, products=True), features.embed(current, products=True)
    except (ValueError, TypeError) as fault:
        return without_value("mmd", 0, 0, Reading.INVALID, str(fault))
    return compare_mmd(*sides, limit=limit, alpha=alpha, floor=floor, confidence=confidence, null=null)


def _covariance(sample: Embedded) -> Floats:
    assert sample.products is not None
    mean = sample.total / sample.n
    return np.asarray((sample.products / sample.n - np.outer(mean, mean)) * (sample.n / (sample.n - 1)))


def _kernel(x: Floats, y: Floats, width: float) -> Floats:
    squared = np.sum(x**2, axis=1)[:, None] + np.sum(y**2, axis=1)[None, :] - 2 * x @ y.T
    return np.asarray(np.exp(-np.maximum(0.0, squared) / (2 * width**2)))


def _table(rows: npt.ArrayLike) -> Floats:
    table = np.asarray(rows, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2:
        raise ValueError(f"expected rows of numbers, shape [n, d], found shape {table.shape}")
    return table
