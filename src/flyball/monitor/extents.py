"""How far the values of a numeric column reach: what bins with open ends cannot tell. Merging is exact."""

from collections.abc import Collection, Mapping, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from flyball.core.record import Record


class Extent(Record):
    """Finite values of one column."""

    n: int = 0
    low: float = 0.0
    high: float = 0.0
    total: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.n

    def plus(self, other: "Extent") -> "Extent":
        """Both together; one without values changes nothing."""
        if not self.n or not other.n:
            return self if self.n else other
        return Extent(
            n=self.n + other.n,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            total=self.total + other.total,
        )


def extent(values: npt.NDArray[np.float64]) -> Extent:
    """Of one column; NaN and infinities are left out.

    >>> extent(np.array([3.0, np.nan, 1.0]))
    Extent(n=2, low=1.0, high=3.0, total=4.0)
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Extent()
    return Extent(n=finite.size, low=float(finite.min()), high=float(finite.max()), total=float(finite.sum()))


def extents(columns: Mapping[str, npt.NDArray[np.float64]], names: Collection[str]) -> dict[str, Extent]:
    """One extent a name."""
    return {name: extent(columns[name]) for name in names}


def extents_of_parts(
    columns: Mapping[str, npt.NDArray[np.float64]], parts: Sequence[int], before: Mapping[str, Extent]
) -> dict[str, Extent]:
    """What each column's extent becomes, part by part: the same, bit for bit, as `plus` of each part's `extent`.

    Args: columns: all of one length. parts: lengths of the consecutive parts. before: extents so far.

    >>> extents_of_parts({"a": np.array([3.0, 1.0, 5.0])}, [2, 1], {})
    {'a': Extent(n=3, low=1.0, high=5.0, total=9.0)}
    """
    found = {name: before.get(name, Extent()) for name in columns}
    if not columns:
        return found
    block = np.array(list(columns.values()))  # each column contiguous, so its sums are those of the column alone
    plain = np.isfinite(block).all(axis=1)
    for start, length in zip(accumulate(parts, initial=0), parts, strict=False):
        part = block[:, start : start + length]
        if not length:
            continue
        low, high, total = (reduced.tolist() for reduced in (part.min(axis=1), part.max(axis=1), part.sum(axis=1)))
        for at, name in enumerate(columns):
            one = Extent(n=length, low=low[at], high=high[at], total=total[at]) if plain[at] else extent(part[at])
            found[name] = found[name].plus(one)
    return found
