"""Categories that the reference never had: how many, in how many rows, and the most frequent of them by name.

They are tallied only in batches that hold a value without a bin, and up to a bound: beyond it the rarer half is let go,
and how many there are is a lower bound.
"""

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from flyball.app.drift.pair import New

MOST_VALUES = 50_000
NAMED = 5


@dataclass(kw_only=True)
class Newcomers:
    """Of one column while its table is read."""

    known: frozenset[str] | None  # all values of the reference; None: too many to keep, so nobody can say
    tally: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    pruned: bool = False

    def take(self, texts: pl.Series) -> None:
        """A batch of which some values have no bin."""
        if self.known is None:
            return
        counted = texts.cast(pl.String).drop_nulls().value_counts()
        for value, rows in counted.iter_rows():
            if value not in self.known:
                self.tally[value] += rows
                self.rows += rows
        if len(self.tally) > MOST_VALUES:
            self.pruned = True
            self.tally = Counter(dict(self._ranked()[: MOST_VALUES // 2]))

    def told(self) -> New | None:
        """What was found; None: nothing."""
        if not self.rows:
            return None
        return New(count=len(self.tally), more=self.pruned, rows=self.rows, named=tuple(self._ranked()[:NAMED]))

    def _ranked(self) -> list[tuple[str, int]]:
        return sorted(self.tally.items(), key=lambda item: (-item[1], item[0]))
