"""Grids: from a number straight to a cell, without a search, so that no cell holds more than one edge.

Theory of operation. A grid is any map from numbers to cells that never falls (x <= y implies cell(x) <= cell(y)), as
computed, rounding included, by the same operations for values and for edges. Then an edge e in another cell than x
tells how x and e compare, and only within one cell do values have to be compared with edges. Nothing else is asked of
a grid, so rounding cannot make a count wrong; a bad grid is only slow.

Two maps that do this in a few vector operations: a straight line, and the bits of the number as float32, whose order
is that of the numbers and whose spacing is logarithmic. The line serves what has a width; the bits what spans
magnitudes (log-normal, Pareto). The grid taken is the first, from small to large, whose cells hold one edge at most.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.intp]

CELLS = (512, 2_048, 8_192, 32_768)  # sizes tried: a small grid stays in the fastest cache
BLOCK = 16_384  # values at a time: scratch of five such arrays stays in the second level cache


class Scratch:
    """Arrays that every block uses again. One a thread."""

    def __init__(self) -> None:
        self.floats = np.empty(BLOCK)
        self.seconds = np.empty(BLOCK)
        self.places = np.empty(BLOCK, dtype=np.intp)
        self.singles = np.empty(BLOCK, dtype=np.float32)
        self.keys = np.empty(BLOCK, dtype=np.int32)
        self.signs = np.empty(BLOCK, dtype=np.int32)
        self.truths = np.empty(BLOCK, dtype=np.bool_)


class Grid(Protocol):
    """A map that never falls, from numbers that are not NaN to cells 0 to `size` - 1."""

    @property
    def size(self) -> int:
        """Number of cells."""
        ...

    def places(self, values: Floats, scratch: Scratch, *, low: float, high: float) -> Places:
        """The cell of each value, shape [n], n <= BLOCK, in the scratch's `places`. `low`, `high`: of these values."""
        ...


@dataclass(frozen=True, kw_only=True)
class LineGrid:
    """Cells of one width between two numbers; the first and the last cell hold all that is outside."""

    size: int
    scale: float  # cells a unit, > 0, finite
    shift: float  # cells
    low: float  # from here to `high` no value leaves the grid
    high: float

    def places(self, values: Floats, scratch: Scratch, *, low: float, high: float) -> Places:
        """As `Grid.places`."""
        n = values.size
        at, floats = scratch.places[:n], scratch.floats[:n]
        np.multiply(values, self.scale, out=floats)
        np.add(floats, self.shift, out=floats)
        if low < self.low or high > self.high:
            np.clip(floats, 0.0, self.size - 1.0, out=floats)
        np.copyto(at, floats, casting="unsafe")
        return at


@dataclass(frozen=True, kw_only=True)
class BitsGrid:
    """Cells by the leading bits of the number as float32."""

    size: int
    drop: int  # bits that do not count, count
    first: int  # leading bits of the first cell

    def places(self, values: Floats, scratch: Scratch, *, low: float, high: float) -> Places:  # noqa: ARG002 - a grid's
        """As `Grid.places`."""
        n = values.size
        at, keys = scratch.places[:n], _keys(values, scratch)
        np.right_shift(keys, self.drop, out=keys)
        np.clip(keys, self.first, self.first + self.size - 1, out=keys)
        np.subtract(keys, self.first, out=keys)
        np.copyto(at, keys)
        return at


def grids(edges: Floats) -> Iterator[Grid]:
    """Grids to try for these edges, small ones first. Shape [n], n >= 1, finite, increasing."""
    scratch = Scratch()
    for size in CELLS:
        for trim in (0, 1):  # all edges on the grid; or the outermost, which may be far away, in the end cells
            if edges.size <= 2 * trim:
                continue
            low, high = float(edges[trim]), float(edges[edges.size - 1 - trim])
            with np.errstate(all="ignore"):
                scale = (size - 3) / np.float64(high - low) if high > low else np.float64(1.0)
                shift = 1.0 - low * scale
                ends = np.array([low, high]) * scale + shift
            if np.isfinite([scale, shift]).all() and scale > 0 and ends[0] >= 0 and ends[1] <= size - 1:
                yield LineGrid(size=size, scale=float(scale), shift=float(shift), low=low, high=high)
            with np.errstate(over="ignore"):
                first, last = (int(key) for key in _keys(np.array([low, high]), scratch))
            drop = next(bits for bits in range(33) if (last >> bits) - (first >> bits) <= size - 3)
            if drop < 32:
                yield BitsGrid(size=size, drop=drop, first=max((first >> drop) - 1, -(2**31)))


def _keys(values: Floats, scratch: Scratch) -> npt.NDArray[np.int32]:
    """The bits of each number as float32, made to increase with it; -0.0 has those of 0.0."""
    n = values.size
    singles, signs = scratch.singles[:n], scratch.signs[:n]
    np.add(values, 0.0, out=singles, casting="unsafe")
    bits = singles.view(np.int32)
    np.right_shift(bits, 31, out=signs)
    np.bitwise_and(signs, 0x7FFFFFFF, out=signs)
    return np.bitwise_xor(bits, signs, out=scratch.keys[:n])
