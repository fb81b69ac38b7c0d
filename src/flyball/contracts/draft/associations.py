"""How strongly two columns go together: Pearson and Spearman for numbers, Cramér's V for categories.

Missing values are left out pair by pair. Sources: Pearson 1895; Spearman 1904 (average ranks for ties); Bergsma, "A
bias-correction for Cramér's V and Tschuprow's T", J. Korean Stat. Soc. 42 (2013) 323-328, whose V is about 0 for
independent columns however many categories they have, where the plain one grows with them.
"""

from math import sqrt

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import rankdata

Matrix = NDArray[np.float64]


def pearson(columns: Matrix) -> Matrix:
    """Correlations of all pairs of columns; NaN where a pair has fewer than 3 rows in common or a constant.

    Args:
        columns: rows x columns, NaN for a missing value.

    >>> pearson(np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]])).round(6).tolist()
    [[1.0, 1.0], [1.0, 1.0]]
    """
    present = np.isfinite(columns)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        counts = present.sum(axis=0)
        centre = np.where(present, columns, 0.0).sum(axis=0) / counts
        apart = np.where(present, columns - centre, 0.0)
        scale = np.abs(apart).max(axis=0, initial=0.0)
        apart = apart / np.where(scale > 0, scale, 1.0)  # so that no square overflows
        here = present.astype(np.float64)
        n = here.T @ here
        sums, squares, products = apart.T @ here, (apart**2).T @ here, apart.T @ apart
        spread = np.maximum(squares - sums**2 / n, 0.0)
        spread = np.where(spread > 1e-12 * n, spread, np.nan)  # rounding is no variance
        found = (products - sums * sums.T / n) / np.sqrt(spread * spread.T)
    return np.where(n >= 3, np.clip(found, -1.0, 1.0), np.nan)


def ranks(columns: Matrix) -> Matrix:
    """Each column as average ranks of its present values, so that `pearson` of it is Spearman's correlation."""
    out = np.full(columns.shape, np.nan)
    for index in range(columns.shape[1]):
        present = np.isfinite(columns[:, index])
        out[present, index] = rankdata(columns[present, index])
    return out


def cramers_v(first: pl.Series, second: pl.Series) -> float | None:
    """Bias-corrected Cramér's V, in [0, 1]; None with fewer than 3 rows or a constant.

    >>> same = pl.Series(["a", "b"] * 50)
    >>> cramers_v(same, same.reverse()), cramers_v(same, pl.Series(["x"] * 100))
    (1.0, None)
    """
    both = pl.DataFrame({"a": first.cast(pl.String), "b": second.cast(pl.String)}).drop_nulls()
    n = both.height
    if n < 3:
        return None
    a, b = (both.get_column(name).rank("dense").to_numpy().astype(np.int64) - 1 for name in ("a", "b"))
    rows, cols = int(a.max()) + 1, int(b.max()) + 1
    if rows < 2 or cols < 2:
        return None
    table = np.zeros((rows, cols))
    np.add.at(table, (a, b), 1.0)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    corrected = max(0.0, phi2 - (rows - 1) * (cols - 1) / (n - 1))
    fewer = min(rows - (rows - 1) ** 2 / (n - 1), cols - (cols - 1) ** 2 / (n - 1)) - 1
    return min(1.0, sqrt(corrected / fewer)) if fewer > 0 else None
