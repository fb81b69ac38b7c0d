"""One side of one column while its table is read: counts on the pair's bins, and how far its numbers reach."""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

from flyball.app.drift.columns import as_categories, as_numbers, spelled
from flyball.app.drift.fitting import Bins
from flyball.app.drift.newcomers import Newcomers
from flyball.app.drift.pair import Side
from flyball.monitor.extents import Extent
from flyball.monitor.state.categories import count_categories
from flyball.monitor.state.cells import Counts, prepared
from flyball.monitor.state.grids import Scratch


@dataclass(kw_only=True)
class SideCount:
    """Counts so far."""

    kind: str
    dtype: pl.DataType  # of the table's column
    like: pl.DataType  # that a text in it is read as: its own type, or the reference's where its own is text
    bins: Bins
    counts: Counts = field(init=False)
    unparsed: int = 0
    neg_inf: int = 0
    pos_inf: int = 0
    extent: Extent = field(default_factory=Extent)
    rising: bool = field(init=False)
    newcomers: Newcomers = field(init=False)

    def __post_init__(self) -> None:
        self.newcomers = Newcomers(known=self.bins.known)
        size = len(self.bins.edges if self.kind == "numeric" else self.bins.values) + 2
        self.counts = np.zeros(size, dtype=np.int64)
        self.rising = self.dtype.is_integer()

    def take(self, column: pl.Series, scratch: Scratch) -> None:
        """A batch."""
        if self.kind == "numeric":
            values, odd = as_numbers(column, self.like)
            if self.rising and values.size:  # NaN is not larger than anything
                self.rising = bool(values[0] > (self.extent.high if self.extent.n else -np.inf))
                self.rising = self.rising and bool(np.all(values[1:] > values[:-1]))
            found = prepared(self.bins.edges).count(values, scratch, total=True)
            self.counts += found.counts
            self.neg_inf += found.neg_inf
            self.pos_inf += found.pos_inf
            if found.finite:
                reach = Extent(n=found.finite, low=found.low, high=found.high, total=found.total)
                self.extent = self.extent.plus(reach)
        else:
            texts, odd = as_categories(column, self.like)
            texts = spelled(texts, self.bins.values)
            counts = count_categories(texts, self.bins.values)
            self.counts += counts
            if counts[-2]:
                self.newcomers.take(texts)
        self.unparsed += odd

    def side(self) -> Side:
        """What was counted."""
        if self.kind == "unsupported":
            return Side(dtype=str(self.dtype))
        some = self.extent.n > 0
        return Side(
            dtype=str(self.dtype),
            counts=tuple(self.counts.tolist()),
            missing=int(self.counts[-1]),
            unparsed=self.unparsed,
            neg_inf=self.neg_inf,
            pos_inf=self.pos_inf,
            n=self.extent.n,
            low=self.extent.low if some else None,
            high=self.extent.high if some else None,
            mean=self.extent.mean if some else None,
            new=self.newcomers.told(),
            rising=self.rising and some,
        )
