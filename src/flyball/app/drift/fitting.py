"""Where the bins of a comparison come from: one pass over the reference.

Theory of operation. Exact quantiles need the whole column in memory. So the edges are fitted on a uniform sample of at
most `SAMPLE_ROWS` rows (all of them where there are no more), and only the edges: the range is exact, and the counts
come from a second pass over all rows. A bin then holds its share within about 2 % of itself instead of exactly, which
no measure minds, for both tables are counted on the same edges. Which rows are in the sample follows from their number
alone: each row draws a priority from a fixed stream, and the least priorities stay.

Categories are tallied exactly while there are at most `MOST_VALUES` different ones; beyond that the rarer half is let
go, which can only touch values that are far from the most frequent ones.
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.app.drift.columns import Numbers, as_categories, as_numbers
from flyball.stats.binning.bins import fit_numeric
from flyball.stats.binning.fine_bins import fit_fine

SAMPLE_ROWS = 131_072
MOST_VALUES = 50_000
_SEED = 20_261_126


@dataclass(frozen=True, kw_only=True)
class Bins:
    """Bins of one column."""

    edges: tuple[float, ...] = ()
    psi_edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()
    distinct: int | None = None
    known: frozenset[str] | None = None  # every value of the reference; None: of numbers, or too many to keep


class SampledRows:
    """Which rows of a stream are in its sample; a batch says which of its rows stay, and which earlier ones go."""

    def __init__(self, most: int | None = None) -> None:
        """Args: most: rows of the sample, count; None: `SAMPLE_ROWS`."""
        self._most = SAMPLE_ROWS if most is None else most
        self._rng = np.random.default_rng(_SEED)
        self._priorities = np.empty(0)
        self._limit = 1.0

    def take(self, rows: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp] | None]:
        """Places in the batch that stay, and, now and then, places in all that was kept that still stay."""
        drawn = self._rng.random(rows)
        mine = np.flatnonzero(drawn < self._limit)
        self._priorities = np.concatenate([self._priorities, drawn[mine]])
        if self._priorities.size <= 2 * self._most:
            return mine, None
        return mine, self._cut()

    @property
    def kept(self) -> int:
        """Rows in the sample."""
        return self._priorities.size

    def last(self) -> npt.NDArray[np.intp] | None:
        """At the end: places in all that was kept that still stay; None: all."""
        return self._cut() if self._priorities.size > self._most else None

    def _cut(self) -> npt.NDArray[np.intp]:
        self._limit = float(np.partition(self._priorities, self._most)[self._most])
        stay = np.flatnonzero(self._priorities < self._limit)
        self._priorities = self._priorities[stay]
        return stay


@dataclass(kw_only=True)
class NumericFit:
    """Sample and range of one numeric column."""

    like: pl.DataType
    parts: list[Numbers] = field(default_factory=list)
    low: float = np.inf
    high: float = -np.inf

    def take(self, column: pl.Series, mine: npt.NDArray[np.intp], stay: npt.NDArray[np.intp] | None) -> None:
        """A batch; `mine`, `stay` as `SampledRows.take` says."""
        values, _ = as_numbers(column, self.like)
        low, high = float(np.fmin.reduce(values, initial=np.inf)), float(np.fmax.reduce(values, initial=-np.inf))
        if np.isinf(low) or np.isinf(high):
            finite = values[np.isfinite(values)]
            low, high = float(finite.min(initial=np.inf)), float(finite.max(initial=-np.inf))
        self.low, self.high = min(self.low, low), max(self.high, high)
        self.parts.append(values[mine])
        self.keep(stay)

    def keep(self, stay: npt.NDArray[np.intp] | None) -> None:
        """Only these places of what was kept so far; None: all."""
        if stay is not None:
            self.parts = [np.concatenate(self.parts)[stay]]

    def bins(self, *, bins: int, psi_bins: int) -> Bins:
        """Fine edges and the PSI edges among them."""
        sample = np.concatenate([np.empty(0), *self.parts])
        coarse = fit_numeric(sample, bins=psi_bins, parted=self.like.is_temporal()).edges
        if self.low > self.high:
            return Bins(edges=coarse, psi_edges=coarse)
        fine = fit_fine(sample, coarse, bins=bins, low=self.low, high=self.high)
        return Bins(edges=fine.edges, psi_edges=coarse)


@dataclass(kw_only=True)
class CategoryFit:
    """Tally of one column of categories."""

    like: pl.DataType
    tally: Counter[str] = field(default_factory=Counter)
    pruned: bool = False

    def take(self, column: pl.Series) -> None:
        """A batch."""
        texts, _ = as_categories(column, self.like)
        if texts.dtype != pl.Boolean:
            texts = texts.cast(pl.String)
        for value, rows in texts.drop_nulls().value_counts().iter_rows():
            self.tally[str(value)] += rows
        if len(self.tally) > MOST_VALUES:
            self.pruned = True
            ranked = sorted(self.tally.items(), key=lambda item: (-item[1], item[0]))
            self.tally = Counter(dict(ranked[: MOST_VALUES // 2]))

    def bins(self, *, most: int) -> Bins:
        """The most frequent values, ties by name."""
        ranked = sorted(self.tally.items(), key=lambda item: (-item[1], item[0]))
        distinct = None if self.pruned else len(self.tally)
        known = None if self.pruned else frozenset(self.tally)
        return Bins(values=tuple(value for value, _ in ranked[:most]), distinct=distinct, known=known)
