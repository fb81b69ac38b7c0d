"""Two tables as counts on the same bins: all that measures need, however many rows there were."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from flyball.stats.binning.fine_bins import coarsened

Kind = Literal["numeric", "category", "unsupported"]
Stage = Literal["fit", "reference", "current"]


@dataclass(frozen=True, kw_only=True)
class New:
    """Categories that the reference never had."""

    count: int  # different ones
    more: bool  # there are more of them than could be kept
    rows: int
    named: tuple[tuple[str, int], ...]  # the most frequent, and in how many rows


@dataclass(frozen=True, kw_only=True)
class Side:
    """One column of one table."""

    dtype: str  # as polars names it: `Float64`, `String`
    counts: tuple[int, ...] = ()  # rows in each bin of the pair; the last is missing; infinities are in the end bins
    missing: int = 0  # null, NaN, and what is unparsed; the same as the last count
    unparsed: int = 0  # values that are no number although the reference's are; among the missing
    neg_inf: int = 0
    pos_inf: int = 0
    n: int = 0  # finite numbers, count; 0 for categories
    low: float | None = None  # least finite number, in the unit of the column; None: there is none
    high: float | None = None
    mean: float | None = None  # of the finite numbers
    new: New | None = None  # None: none, or nobody can say
    rising: bool = False  # whole numbers, each larger than the one before it: they say which row it is, and no more


@dataclass(frozen=True, kw_only=True)
class FeaturePair:
    """One column that both tables have, on bins fixed by the reference."""

    name: str
    kind: Kind  # by the reference's type, or the current one's where the reference holds no value
    reference: Side
    current: Side
    edges: tuple[float, ...] = ()  # numeric: interior edges of the fine bins; the outermost two fence the range off
    psi_edges: tuple[float, ...] = ()  # numeric: the edges among them that PSI is read on
    values: tuple[str, ...] = ()  # category: known values, most frequent first; then `other`, then missing
    distinct: int | None = None  # different values in the reference; None: of numbers, or too many to keep
    reason: str = ""  # why the kind is unsupported

    def psi_counts(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Counts of reference and current on the PSI bins; the last is missing."""
        both = self.reference.counts, self.current.counts
        if self.kind != "numeric":
            return both
        coarse = [tuple(coarsened(counts, self.edges, self.psi_edges).tolist()) for counts in both]
        return coarse[0], coarse[1]


@dataclass(frozen=True, kw_only=True)
class TablePair:
    """A reference table and a current one."""

    features: tuple[FeaturePair, ...]  # in the reference's order
    only_reference: tuple[str, ...]  # columns that the current table lacks
    only_current: tuple[str, ...]
    reference_rows: int
    current_rows: int
    fitted_rows: int  # rows of the reference that the bins were fitted on; the counts are of all rows


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the reading is."""

    stage: Stage  # bins are fitted on the reference; the reference is counted; the current table is
    cells: int  # values read in this stage
    of: int | None  # None: nobody knows yet how many there are


OnProgress = Callable[[Progress], None]
