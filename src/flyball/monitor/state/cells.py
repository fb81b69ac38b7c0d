"""Numbers in each bin in one pass: straight to a cell, one comparison with the cell's edge, one count.

Theory of operation. `grids` finds a grid whose cells hold one edge at most; a number goes to its cell by arithmetic,
is compared with the edge that the cell holds, and is counted at (cell, below or not). In the end each such place lies
in one bin, whatever the edges are. A fence around one value is two edges in one cell with three outcomes: below,
within, above; where it is exact (e and the next number), "above" is a comparison with the same edge. Where every grid
leaves several edges in a cell, numbers of such cells are searched; where that would be many, all are. Counts are those
of `NumericBins.count`, bit for bit.

Work goes in blocks that stay in the cache: an operation of numpy over them costs 0.2 to 1.3 ns a number, where each
over a whole column would wait for memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from flyball.monitor.state.grids import BLOCK, Floats, Grid, Places, Scratch, grids
from flyball.stats.binning.fences import is_fence

Counts = npt.NDArray[np.int64]

FEW = 2_048  # numbers for which a search is as fast
SEARCHED = 0.25  # share of the edges in crowded cells, above which every number is searched
_UNUSED = -1


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What one column holds."""

    counts: Counts  # rows in each bin, shape [edges + 2]; infinities in the end bins, missing last
    neg_inf: int
    pos_inf: int
    finite: int  # numbers that are neither infinite nor missing, count
    low: float  # least finite number; inf: there is none
    high: float
    total: float  # sum of the finite numbers, in the order of the rows; NaN: not asked for


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Bins prepared for counting. Immutable; `prepared` makes it."""

    edges: Floats  # shape [k], increasing, no -0.0
    grid: Grid | None  # None: every number is searched
    fences: bool  # whether some cell holds a fenced value, so that equal is an outcome of its own
    edge: Floats  # the edge in each cell, shape [cells]; inf: none
    second: Floats | None  # the upper edge of each cell's fence, shape [cells]; None: all fences are exact
    bin_of: Places  # bin of each (cell, outcome), shape [cells * 2], with fences [cells * 4]; -1: of a crowded cell
    crowded: npt.NDArray[np.bool_] | None  # cells with several edges; None: there are none

    def count(self, values: npt.NDArray[np.number], scratch: Scratch | None = None, *, total: bool = False) -> Counted:
        """Of one column, shape [n], any real dtype; NaN is missing.

        >>> prepared((0.0, 1.0)).count(np.array([-5.0, 0.0, 0.5, np.inf, np.nan])).counts.tolist()
        [1, 2, 1, 1]
        """
        scratch = scratch or Scratch()
        found = np.zeros(self.edges.size + 2, dtype=np.int64)
        places = np.zeros(self.bin_of.size, dtype=np.int64)
        missing = neg_inf = pos_inf = finite = 0
        low, high, sums = np.inf, -np.inf, 0.0 if total else np.nan
        for start in range(0, values.size, BLOCK):
            block = values[start : start + BLOCK].astype(np.float64, copy=False)
            least, most = float(block.min()), float(block.max())
            if most != most:
                present = block[~np.isnan(block)]
                missing += block.size - present.size
                if not present.size:
                    continue
                block = present
                least, most = float(block.min()), float(block.max())
            self._place(block, found, places, scratch, low=least, high=most)
            inside = block
            if np.isinf(least) or np.isinf(most):
                neg_inf += int(np.count_nonzero(block == -np.inf))
                pos_inf += int(np.count_nonzero(block == np.inf))
                inside = block[np.isfinite(block)]
                least, most = float(inside.min(initial=np.inf)), float(inside.max(initial=-np.inf))
            finite += inside.size
            low, high = min(low, least), max(high, most)
            if total:
                sums += float(inside.sum())
        if self.grid is not None:
            used = self.bin_of != _UNUSED
            np.add.at(found, self.bin_of[used], places[used])
        found[-1] = missing
        return Counted(counts=found, neg_inf=neg_inf, pos_inf=pos_inf, finite=finite, low=low, high=high, total=sums)

    def _place(
        self, block: Floats, found: Counts, places: Counts, scratch: Scratch, *, low: float, high: float
    ) -> None:
        """Count a block without NaN: in its places, or at once in the bins where it has to be searched."""
        if self.grid is None or block.size < FEW:
            found[:-1] += np.bincount(self._searched(block), minlength=found.size - 1)
            return
        with np.errstate(over="ignore"):
            at = self.grid.places(block, scratch, low=low, high=high)
        if self.crowded is not None:
            several = np.flatnonzero(self.crowded[at])
            found[:-1] += np.bincount(self._searched(block[several]), minlength=found.size - 1)
        edge, reached = scratch.floats[: block.size], scratch.truths[: block.size]
        self.edge.take(at, out=edge, mode="clip")
        second = (
            self.second.take(at, out=scratch.seconds[: block.size], mode="clip") if self.second is not None else None
        )
        np.left_shift(at, 2 if self.fences else 1, out=at)
        np.greater_equal(block, edge, out=reached)
        np.add(at, reached, out=at)
        if self.fences:
            if second is None:
                np.greater(block, edge, out=reached)
            else:
                np.greater_equal(block, second, out=reached)
            np.add(at, reached, out=at)
        np.add.at(places, at, 1)

    def _searched(self, values: Floats) -> Places:
        return np.searchsorted(self.edges, values, side="right")


def prepared(edges: Sequence[float]) -> Cells:
    """Bins between these edges, strictly increasing, ready to count; the same edges are prepared once."""
    return _prepared(tuple(edges))


@lru_cache(maxsize=4096)
def _prepared(edges: tuple[float, ...]) -> Cells:
    sharp = np.asarray(edges, dtype=np.float64) + 0.0  # no -0.0
    if not (np.diff(sharp) > 0).all() or not np.isfinite(sharp).all():
        raise ValueError(f"edges must be finite and strictly increasing, found {edges}")
    best: Cells | None = None
    fewest = SEARCHED * sharp.size
    for grid in grids(sharp) if sharp.size else ():
        cells, crowd = _laid_out(sharp, grid)
        if crowd < fewest:
            best, fewest = cells, crowd
        if crowd == 0:
            break
    return best or Cells(
        edges=sharp,
        grid=None,
        fences=False,
        edge=np.empty(0),
        second=None,
        bin_of=np.empty(0, dtype=np.intp),
        crowded=None,
    )


def _laid_out(edges: Floats, grid: Grid) -> tuple[Cells, float]:
    """The bins on a grid, and how many edges are in crowded cells."""
    scratch = Scratch()
    with np.errstate(over="ignore"):
        at = np.concatenate(
            [
                grid.places(edges[start : start + BLOCK], scratch, low=-np.inf, high=np.inf).copy()
                for start in range(0, edges.size, BLOCK)
            ]
        )
    held = np.bincount(at, minlength=grid.size)
    edge = np.full(grid.size, np.inf)
    edge[at[::-1]] = edges[::-1]  # the least edge of each cell
    below = np.searchsorted(at, np.arange(grid.size), side="left")  # edges in lower cells
    second = edges[np.minimum(below + 1, edges.size - 1)]
    with np.errstate(over="ignore"):
        exact = (held == 2) & (second == np.nextafter(edge, np.inf))
    fenced = exact.copy()
    for cell in np.flatnonzero((held == 2) & ~exact).tolist():
        fenced[cell] = is_fence(edge[cell], second[cell])
    ways = 4 if fenced.any() else 2  # a power of two, for the shift; the fourth does not happen
    crowded = (held > 1) & ~fenced
    bin_of = below[:, None] + np.minimum(np.arange(ways)[None, :], held[:, None])
    bin_of[crowded] = _UNUSED
    cells = Cells(
        edges=edges,
        grid=grid,
        fences=bool(fenced.any()),
        edge=edge,
        second=np.where(fenced, second, np.inf) if bool((fenced & ~exact).any()) else None,
        bin_of=bin_of.ravel().astype(np.intp),
        crowded=crowded if crowded.any() else None,
    )
    return cells, float(held[crowded].sum())
