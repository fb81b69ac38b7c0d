"""Which rows fare worse than the rest? Every bin of every feature, and every pair of bins of two, with e-values.

Each segment of enough rows is asked whether its mean residual (loss minus the loss expected of such rows) is above that
of all rows; where all fare alike, none stands out. Many are asked, and they overlap; e-values bear both: by
e-Benjamini-Hochberg a first segment is told where all fare alike with probability `alpha` at most, whatever their
dependence. The surest is told, its rows are taken out, and the rest is asked again, so that nothing is told twice; what
is told then was chosen after the first look, and no theorem bounds it.

The e-value is a mixture of likelihood ratios of the standardised mean, so it is an e-value as far as the mean is
normal; hence a floor on the rows. A segment is never taken to vary less than all rows do: where nine rows of ten fail,
one of fifty in which all do varies hardly at all, and is no news.

Source: Wang and Ramdas 2022, False discovery rate control with e-values, theorem 5.1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from flyball.stats.change.edetector import e_bh

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
LEAST_ROWS = 50
SHIFTS = (2.0, 3.0, 4.0, 6.0, 8.0)  # of the standardised mean, mixed with equal weights
MOST_PAIRED = 12  # features whose pairs are asked


Asked = tuple[tuple[tuple[str, int], ...], int, float, float]  # where, rows, mean, e-value


@dataclass(frozen=True, kw_only=True)
class Found:
    """One segment."""

    where: tuple[tuple[str, int], ...]  # feature and bin, one or two
    rows: int
    mean: float  # residual, in the unit of the loss
    e_value: float
    share: float  # of the residuals of all rows


def scan(
    residuals: npt.ArrayLike, views: Mapping[str, npt.ArrayLike], *, alpha: float = 0.05, most: int = 5
) -> tuple[Found, ...]:
    """Segments that are surely worse than the rest, surest first.

    Args:
        residuals: loss minus expected loss of each row, shape [n].
        views: feature -> bin of each row, shape [n].
        alpha: probability that anything is told where all segments fare alike.
        most: segments told.

    >>> at = np.arange(2000) % 2
    >>> lost = np.where(at == 1, 0.5, 0.0) + np.random.default_rng(0).normal(0, 0.3, 2000)
    >>> [found.where for found in scan(lost, {"x": at})]
    [(('x', 1),)]
    """
    lost = np.asarray(residuals, dtype=np.float64)
    places = {name: np.asarray(at, dtype=np.int64) for name, at in views.items()}
    told: list[Found] = []
    left = np.ones(lost.size, dtype=np.bool_)
    whole = float(np.abs(lost.sum())) or 1.0
    while len(told) < most and (best := _surest(lost, places, left, alpha)) is not None:
        mask = np.logical_and.reduce([places[name] == cell for name, cell in best[0]])
        where, rows, mean, e = best
        told.append(Found(where=where, rows=rows, mean=mean, e_value=e, share=float(lost[mask & left].sum()) / whole))
        left &= ~mask  # the next one must stand out by itself, not as an echo of this one
    return tuple(told)


def _surest(lost: Floats, places: Mapping[str, Places], left: npt.NDArray[np.bool_], alpha: float) -> Asked | None:
    """Of the segments of the rows that are left, the surest that e-Benjamini-Hochberg names; None: it names none."""
    rest = lost[left]
    if rest.size < LEAST_ROWS:
        return None
    asked: list[Asked] = []
    surest: dict[str, float] = {}
    for name, at in places.items():
        cells = _cells(rest, at[left])
        asked += [(((name, cell),), rows, mean, e) for cell, rows, mean, e in cells]
        surest[name] = max((e for *_, e in cells), default=0.0)
    paired = sorted(places, key=lambda name: -surest[name])[:MOST_PAIRED]
    for one, two in combinations(paired, 2):
        width = int(places[two].max(initial=0)) + 1
        for cell, rows, mean, e in _cells(rest, (places[one] * width + places[two])[left]):
            asked.append((((one, cell // width), (two, cell % width)), rows, mean, e))
    if not asked:
        return None
    named = e_bh(np.log([max(e, 1e-300) for *_, e in asked]), alpha=alpha)
    # equally sure ones are told by the fewer conditions
    return min((asked[int(at)] for at in named), key=lambda one: (-one[3], len(one[0])), default=None)


def _cells(lost: Floats, at: Places) -> list[tuple[int, int, float, float]]:
    """(cell, rows, mean, e-value) of each cell with enough rows."""
    rows = np.bincount(at).astype(np.float64)
    total, squares = np.bincount(at, lost), np.bincount(at, lost**2)
    cells = np.flatnonzero(rows >= LEAST_ROWS)
    mean = total[cells] / rows[cells]
    own = squares[cells] / rows[cells] - mean**2
    spread = np.maximum(own, float(np.var(lost)))
    z = np.clip((mean - lost.mean()) / np.sqrt(np.maximum(spread, 1e-300) / rows[cells]), -40.0, 40.0)
    e = np.mean([np.exp(shift * z - shift**2 / 2) for shift in SHIFTS], axis=0)
    return list(zip(cells.tolist(), rows[cells].astype(int).tolist(), mean.tolist(), e.tolist(), strict=True))
