"""Bins anchored in a reference sample, so that two samples can be compared by their counts.

Theory of operation. The reference fixes the edges once; afterwards every sample is only counted, and counts add, so
windows, workers and days merge by addition. What published drift code gets wrong and this does not:
- the end bins are open: mass beyond the range of the reference is counted, infinities included;
- missing (null or NaN) is a bin of its own, always the last: a column that goes missing is a shift;
- a value that repeats (a 0/1 flag, a zero-inflated amount) has a bin of its own: quantile edges that coincide would
  otherwise put both sides of a flag into one bin and see nothing;
- a reference with one value only still tells below, equal and above;
- a reference with few values tells those that it never had from those it had: see `fences`.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from flyball.stats.binning.fences import edges_of, fences, is_fence

Counts = npt.NDArray[np.int64]
Numbers = npt.ArrayLike | Sequence[float | None]  # shape [n]; None and NaN are missing

MISSING = "(missing)"
OTHER = "(other)"


def fit_numeric(values: Numbers, *, bins: int = 10, parted: bool = False) -> "NumericBins":
    """Bins of about equal mass in the reference.

    At most `bins` distinct values: one bin a value, and others for what lies beside them, which the reference does not
    have. More: edges at quantiles, and each value that holds at least 1/bins of the mass is fenced off by itself.

    Args:
        values: the reference, shape [n], any real or boolean dtype; None and NaN are missing.
        bins: wanted number, count, >= 2; ties may give a few more or fewer.
        parted: edges half-way between few values instead, so that each bin has rows of the reference.

    >>> fit_numeric([0, 1, 1, 0, 1]).labels()
    ('< 0', '= 0', 'between 0 and 1', '= 1', '> 1', '(missing)')
    >>> fit_numeric([0, 1, 1, 0, 1], parted=True).edges
    (0.5,)
    >>> fit_numeric(range(100), bins=4).edges
    (25.0, 50.0, 75.0)
    """
    if bins < 2:
        raise ValueError(f"bins={bins}: expected at least 2")
    sample = _floats(values)
    finite = sample[np.isfinite(sample)]
    distinct, counts = np.unique(finite, return_counts=True)
    if distinct.size == 0:
        return NumericBins(edges=())
    if distinct.size == 1 or (distinct.size <= bins and not parted):
        return NumericBins(edges=edges_of(distinct))
    if distinct.size <= bins:
        return NumericBins(edges=tuple(_between(float(a), float(b)) for a, b in pairwise(distinct)))
    ranks = np.arange(1, bins) * finite.size // bins
    quantiles = np.repeat(distinct, counts)[ranks]
    low, high = fences(distinct)  # finer bins of the same values have the same fences, so they contain these edges
    begins, is_heavy = np.searchsorted(distinct, quantiles), counts * bins >= finite.size
    edges = np.unique(np.concatenate([low[begins], low[is_heavy], high[is_heavy]]))
    first = np.searchsorted(distinct, edges)  # the first value in the bin above the edge
    edges = edges[(first > 0) & (first < distinct.size) & np.r_[True, first[1:] != first[:-1]]]  # no bin is empty
    return NumericBins(edges=tuple(float(edge) for edge in edges))


def fit_categories(values: Sequence[str | None], *, top: int = 64) -> "CategoryBins":
    """The `top` most frequent values of the reference, each a bin; the rest and the unseen share `other`.

    >>> fit_categories(["a", "b", "a", None]).values
    ('a', 'b')
    """
    if top < 1:
        raise ValueError(f"top={top}: expected at least 1")
    tally = Counter(str(value) for value in values if not _is_missing(value))
    ranked = sorted(tally.items(), key=lambda item: (-item[1], item[0]))
    return CategoryBins(values=tuple(value for value, _ in ranked[:top]))


@dataclass(frozen=True, kw_only=True)
class NumericBins:
    """Half-open bins [edge, next edge), open at both ends, and a last one for missing."""

    edges: tuple[float, ...]  # interior edges in the unit of the column, strictly increasing

    def __post_init__(self) -> None:
        if any(not a < b for a, b in pairwise(self.edges)):
            raise ValueError(f"edges must be strictly increasing and not NaN, found {self.edges}")

    @property
    def size(self) -> int:
        """Number of bins, missing included."""
        return len(self.edges) + 2

    def count(self, values: Numbers) -> Counts:
        """Rows in each bin, shape [size]; the last is missing. Counts of two samples add.

        >>> NumericBins(edges=(0.0, 1.0)).count([-5.0, 0.0, 0.5, float("inf"), None]).tolist()
        [1, 2, 1, 1]
        """
        return np.bincount(self.index(values), minlength=self.size).astype(np.int64)

    def index(self, values: Numbers) -> Counts:
        """The bin of each value, shape [n]."""
        sample = _floats(values)
        at = np.searchsorted(np.asarray(self.edges, dtype=np.float64), sample, side="right").astype(np.int64)
        at[np.isnan(sample)] = self.size - 1
        return at

    def labels(self) -> tuple[str, ...]:
        """What each bin holds, for people.

        >>> NumericBins(edges=(0.5,)).labels()
        ('< 0.5', '>= 0.5', '(missing)')
        """
        if not self.edges:
            return ("any", MISSING)
        told = [f"{edge:.6g}" for edge in self.edges]
        holds = _fences(self.edges)
        for at in np.flatnonzero(holds).tolist():  # both edges are told as the value between them
            told[at] = told[at + 1] = f"{self.edges[at] / 2 + self.edges[at + 1] / 2:.6g}"
        around = [False, *holds, False]
        middle = [
            f"= {a}" if here else f"between {a} and {b}" if below and above else f"{a} .. {b}"
            for (a, b), below, here, above in zip(pairwise(told), around[:-2], holds, around[2:], strict=True)
        ]
        last = ">" if around[-2] else ">="
        return (f"< {told[0]}", *middle, f"{last} {told[-1]}", MISSING)


@dataclass(frozen=True, kw_only=True)
class CategoryBins:
    """One bin a known value, then `other`, then missing."""

    values: tuple[str, ...]  # most frequent first

    def __post_init__(self) -> None:
        if len(set(self.values)) != len(self.values):
            raise ValueError(f"values must be distinct, found {self.values}")

    @property
    def size(self) -> int:
        """Number of bins, other and missing included."""
        return len(self.values) + 2

    def count(self, values: Sequence[str | None]) -> Counts:
        """Rows in each bin, shape [size]; the last two are other and missing.

        >>> CategoryBins(values=("a", "b")).count(["a", "z", None, "a"]).tolist()
        [2, 0, 1, 1]
        """
        return self.count_table(Counter(values))

    def count_table(self, table: Mapping[Any, int]) -> Counts:
        """The same from a table value -> rows, as a column store's value counts give it."""
        place = {value: at for at, value in enumerate(self.values)}
        found = np.zeros(self.size, dtype=np.int64)
        for value, rows in table.items():
            found[self.size - 1 if _is_missing(value) else place.get(str(value), self.size - 2)] += rows
        return found

    def labels(self) -> tuple[str, ...]:
        """What each bin holds, for people."""
        return (*self.values, OTHER, MISSING)


def _fences(edges: tuple[float, ...]) -> list[bool]:
    """Which of the inner bins hold one value. Bins that are all narrow, as far from 0 numbers have them, hold many."""
    narrow = [False, *(is_fence(a, b) for a, b in pairwise(edges)), False]
    exact = [b == math.nextafter(a, math.inf) for a, b in pairwise(edges)]
    beside = [before or after for before, after in zip(narrow[:-2], narrow[2:], strict=True)]
    return [point or (here and not near) for point, here, near in zip(exact, narrow[1:-1], beside, strict=True)]


def _floats(values: Numbers) -> npt.NDArray[np.float64]:
    return np.asarray(values, dtype=np.float64).ravel()


def _between(low: float, high: float) -> float:
    middle = low / 2 + high / 2  # halves first: the sum may overflow
    return middle if low < middle <= high else high


def _is_missing(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))
