"""Known drifts, planted into one feature of a table of answered rows: what a monitor's self-test must find.

Sizes are those at which a person would want to be told, and are the same for every service, so that delays compare: a
shift of one standard deviation, a spread that doubles, a fifth of the values missing, a tenth in a category that the
release has never seen, and another unit (times a thousand). The answers stay what they were: nobody asks the model.
Pure; dice are handed in.
"""

from collections.abc import Mapping
from typing import Literal

import numpy as np
import polars as pl

from flyball.core.release import Baseline
from flyball.monitor.labels import PREFIX

DriftKind = Literal["shift", "scale", "missing", "new category", "unit x1000"]

SHIFT_SD, SPREAD, MISSING, UNSEEN, UNIT = 1.0, 2.0, 0.20, 0.10, 1000.0
UNSEEN_VALUE = "flyball-planted"  # a category that no release was trained on
KINDS: Mapping[DriftKind, str] = {
    "shift": f"up by {SHIFT_SD:g} standard deviation",
    "scale": f"{SPREAD:g} times as far from its mean",
    "missing": f"{MISSING:.0%} of the values missing",
    "new category": f"{UNSEEN:.0%} of the rows in a category never seen",
    "unit x1000": f"all values times {UNIT:g}",
}


def fits(kind: DriftKind, column: pl.Series) -> bool:
    """Whether this drift can be planted into a feature of this dtype: numbers move, text has categories.

    >>> fits("shift", pl.Series([1.0, 2.0])), fits("shift", pl.Series(["a"])), fits("missing", pl.Series(["a"]))
    (True, False, True)
    """
    if kind == "missing":
        return column.null_count() < column.len()
    if kind == "new category":
        return column.dtype == pl.String()
    if not column.dtype.is_numeric():
        return False
    values = column.drop_nulls().to_numpy().astype(float)
    values = values[np.isfinite(values)]
    # times a thousand changes nothing but zeros; nothing moves away from the mean of a constant
    return values.size > 0 and bool(np.ptp(values) > 0.0 if kind in ("shift", "scale") else np.any(values != 0.0))


def watched(baseline: Baseline, rows: pl.DataFrame, without: frozenset[str] = frozenset()) -> list[str]:
    """Features of the release that the table has, by name; `without`: those that are not watched."""
    return sorted(name for name in baseline.features if name not in without and PREFIX + name in rows.columns)


def plant(rows: pl.DataFrame, feature: str, kind: DriftKind, *, rng: np.random.Generator) -> pl.DataFrame:
    """The same rows with one feature drifted in all of them.

    Args:
        rows: with a column `x.<feature>` that the kind `fits`.
        rng: chooses the rows of `missing` and `new category`.

    >>> rows = pl.DataFrame({"x.a": [1.0, 2.0, 3.0]})
    >>> plant(rows, "a", "unit x1000", rng=np.random.default_rng(1))["x.a"].to_list()
    [1000.0, 2000.0, 3000.0]
    >>> plant(rows, "a", "scale", rng=np.random.default_rng(1))["x.a"].to_list()
    [0.0, 2.0, 4.0]
    """
    name = PREFIX + feature
    column = rows[name]
    match kind:
        case "shift":
            moved = column.cast(pl.Float64) + SHIFT_SD * _spread(column)
        case "scale":
            centre = _centre(column)
            moved = (column.cast(pl.Float64) - centre) * SPREAD + centre
        case "unit x1000":
            moved = column.cast(pl.Float64) * UNIT
        case "missing":
            moved = column.set(_some(column.len(), MISSING, rng), None)
        case "new category":
            moved = column.set(_some(column.len(), UNSEEN, rng), UNSEEN_VALUE)
    return rows.with_columns(moved.alias(name))


def _some(n: int, share: float, rng: np.random.Generator) -> pl.Series:
    """Which rows, shape [n]."""
    return pl.Series(rng.random(n) < share)


def _finite(column: pl.Series) -> np.ndarray:
    values = column.drop_nulls().cast(pl.Float64).to_numpy()
    found: np.ndarray = values[np.isfinite(values)]
    return found


def _spread(column: pl.Series) -> float:
    return float(np.std(_finite(column)))


def _centre(column: pl.Series) -> float:
    return float(np.mean(_finite(column)))
