"""A sample of the recent requests of a release, small and fair: each kind of answer has its share of places.

Strata are kinds of answers (predicted class, score bin, slice). Rows come in blocks; each block keeps for every stratum
a reservoir of equal size (Vitter 1985, algorithm R), so rare answers are kept where a plain sample would lose them. A
kept row stands for seen/kept rows of its stratum and block, which makes every weighted sum unbiased. When a block is
full a new one begins and the oldest is forgotten whole: recency is exact, and memory bounded whatever comes.
"""

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

import numpy as np

Row = TypeVar("Row")
OTHER = "other"


class Kept(NamedTuple, Generic[Row]):  # thousands are made for each report, and a dataclass takes four times as long
    """A row that stands for `weight` rows."""

    row: Row
    stratum: Hashable
    weight: float  # rows seen for each one kept, >= 1
    block: int  # 0 is the newest: the bucket of its age


@dataclass(kw_only=True)
class _Stratum(Generic[Row]):
    seen: int = 0
    rows: list[Row] = field(default_factory=list)


@dataclass(kw_only=True)
class ReplayBuffer(Generic[Row]):
    """At most about `capacity` rows of the last `blocks` blocks."""

    rng: np.random.Generator
    capacity: int = 1000  # rows over all blocks
    blocks: int = 10
    block_rows: int = 1000  # requests until a block is full
    most_strata: int = 32  # of one block; what comes later is `other`
    _blocks: deque[dict[Hashable, _Stratum[Row]]] = field(default_factory=deque)
    _in_block: int = 0

    def __post_init__(self) -> None:
        if self.capacity < self.blocks * 2 or self.block_rows < 1 or self.most_strata < 1:
            raise ValueError(
                f"expected room for 2 rows a block, found capacity={self.capacity}, blocks={self.blocks}, "
                f"block_rows={self.block_rows}, most_strata={self.most_strata}"
            )

    def add(self, rows: Sequence[Row], strata: Sequence[Hashable]) -> None:
        """Offer rows in their order, each with its stratum."""
        for row, stratum in zip(rows, strata, strict=True):
            if not self._blocks or self._in_block >= self.block_rows:
                self._blocks.appendleft({})
                self._in_block = 0
                while len(self._blocks) > self.blocks:
                    self._blocks.pop()
            self._in_block += 1
            self._offer(self._blocks[0], row, stratum)

    def kept(self) -> Iterator[Kept[Row]]:
        """Every row held, newest block first."""
        for number, block in enumerate(self._blocks):
            for stratum, one in block.items():
                weight = one.seen / len(one.rows)
                for row in one.rows:
                    yield Kept(row, stratum, weight, number)

    @property
    def seen(self) -> int:
        """Requests that the held rows stand for, count."""
        return sum(one.seen for block in self._blocks for one in block.values())

    def __len__(self) -> int:
        return sum(len(one.rows) for block in self._blocks for one in block.values())

    def _offer(self, block: dict[Hashable, _Stratum[Row]], row: Row, stratum: Hashable) -> None:
        if stratum not in block and len(block) >= self.most_strata:
            stratum = OTHER
        if stratum not in block:
            block[stratum] = _Stratum()
            self._shrink(block)
        one, room = block[stratum], self._room(block)
        one.seen += 1
        if len(one.rows) < room:  # never full so far: room only shrinks
            one.rows.append(row)
        elif (place := int(self.rng.integers(one.seen))) < len(one.rows):
            one.rows[place] = row

    def _room(self, block: dict[Hashable, _Stratum[Row]]) -> int:
        return max(1, self.capacity // self.blocks // len(block))

    def _shrink(self, block: dict[Hashable, _Stratum[Row]]) -> None:
        """A stratum more: the others give up places by lot, so what they keep is as fair as before."""
        room = self._room(block)
        for one in block.values():
            while len(one.rows) > room:
                one.rows.pop(int(self.rng.integers(len(one.rows))))
