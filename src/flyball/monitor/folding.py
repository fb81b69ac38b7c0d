"""Panes wait here until some thousand rows can be worked on at once: what a small pane costs is hardly its rows.

Only panes of one schema are put together, so no value changes its type by the company it is in. Memory: FOLD_ROWS rows
and a pane, which the rows that wait for their labels hold anyway.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import polars as pl

FOLD_ROWS = 4096


@dataclass(kw_only=True)
class Pending:
    """Panes in the order in which they came."""

    _frames: list[pl.DataFrame] = field(default_factory=list)
    _rows: int = 0

    def add(self, frame: pl.DataFrame) -> bool:
        """A pane more; returns whether enough wait now."""
        self._frames.append(frame)
        self._rows += frame.height
        return self._rows >= FOLD_ROWS

    def taken(self) -> Iterator[tuple[pl.DataFrame, list[int]]]:
        """The waiting panes, which then wait no more: stretches of one schema, with the rows of each pane."""
        frames, self._frames, self._rows = self._frames, [], 0
        start = 0
        for at in range(1, len(frames) + 1):
            if at == len(frames) or frames[at].schema != frames[start].schema:
                run, start = frames[start:at], at
                yield pl.concat(run, rechunk=True) if len(run) > 1 else run[0], [frame.height for frame in run]
