"""Slices: which rows of a pane belong to which group of the declared columns and conditions, at most MOST in all.

A number is cut at about the quartiles of the first champion's baseline, so that a slice means the same rows for every
release. A text is its own group as long as there is room; later values share the group `other` of their column.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl

from flyball.core import row_condition
from flyball.core.contract import DataContract
from flyball.core.release import Baseline, Reference
from flyball.core.service import Slice
from flyball.monitor.panes import numbers
from flyball.monitor.realised.tally import Ints

MOST = 50  # groups of all slices together: each is a test of its own
MOST_OF_ONE = 20  # groups of one column
_PREFIX = "x."


@dataclass(kw_only=True)
class Slicer:
    """The declared slices of one service."""

    declared: Sequence[str | Slice]
    kinds: Mapping[str, str]  # of the columns
    names: list[str] = field(default_factory=list)  # of the groups, by number
    _place: dict[tuple[int, Any], int] = field(default_factory=dict)
    _edges: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def codes(self, frame: pl.DataFrame, baseline: Baseline) -> tuple[Ints, ...]:
        """Of each declared slice the group of each row, -1: none; shape [n] each."""
        return tuple(self._codes(number, one, frame, baseline) for number, one in enumerate(self.declared))

    def _codes(self, number: int, one: str | Slice, frame: pl.DataFrame, baseline: Baseline) -> Ints:
        if not isinstance(one, str):
            return self._fitting(number, one, frame)
        name = _PREFIX + one
        if name not in frame.columns:
            return np.full(frame.height, -1, dtype=np.int64)
        reference = baseline.features.get(one)
        if one not in self._edges and reference is not None and reference.kind == "numeric":
            self._edges[one] = quartiles(reference)
        if one in self._edges:
            edges = self._edges[one]
            values = numbers(frame[name])
            at = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right"))
            keys = _ranges(one, edges)
            return np.array([self._group(number, keys[place]) for place in at.tolist()], dtype=np.int64)
        texts = frame[name].cast(pl.String).to_list()
        return np.array(
            [self._group(number, f"{one}={'missing' if text is None else text}") for text in texts], dtype=np.int64
        )

    def _fitting(self, number: int, one: Slice, frame: pl.DataFrame) -> Ints:
        inputs = [f"{_PREFIX}{name}" for name in row_condition.columns_of(one.when) if name in self.kinds]
        there = [name for name in inputs if name in frame.columns]
        rows = frame.select(there).to_dicts()
        inside = [
            row_condition.holds(
                one.when,
                {"row": row_condition.typed({k.removeprefix(_PREFIX): v for k, v in row.items()}, self.kinds)},
            )
            for row in rows
        ]
        group = self._group(number, one.name)
        return np.where(np.array(inside, dtype=bool), group, -1).astype(np.int64)

    def _group(self, number: int, name: str) -> int:
        """Number of a group, a new one if there is room."""
        found = self._place.get((number, name))
        if found is not None:
            return found
        of_this = sum(1 for at, _ in self._place if at == number)
        one = self.declared[number]
        # each declared slice keeps a place for its `other`
        if isinstance(one, str) and (of_this >= MOST_OF_ONE or len(self.names) >= MOST - len(self.declared)):
            name = f"{one}: other"
            if (number, name) in self._place:
                return self._place[number, name]
        self._place[number, name] = len(self.names)
        self.names.append(name)
        return len(self.names) - 1


def slicer(declared: Sequence[str | Slice], contract: DataContract) -> Slicer:
    """For a service with this contract."""
    return Slicer(declared=declared, kinds={column.name: column.kind for column in contract.columns})


def quartiles(reference: Reference) -> tuple[float, ...]:
    """The baseline's edges that lie nearest to its quartiles, each once.

    >>> quartiles(Reference(kind="numeric", edges=(1.0, 2.0, 3.0), counts=(25, 25, 25, 25, 0)))
    (1.0, 2.0, 3.0)
    """
    if not reference.edges:
        return ()
    below = np.cumsum(reference.counts[: len(reference.edges)])[::-1]  # of edges with nothing between, the upper one
    total = max(1, sum(reference.counts[: len(reference.edges) + 1]))
    edges = reference.edges[::-1]
    return tuple(sorted({edges[int(np.argmin(np.abs(below / total - share)))] for share in (0.25, 0.5, 0.75)}))


def _ranges(name: str, edges: tuple[float, ...]) -> list[str]:
    ends = (-math.inf, *edges, math.inf)
    told = []
    for low, high in pairwise(ends):
        if math.isinf(low) and math.isinf(high):
            told.append(f"{name}=any")
        elif math.isinf(low):
            told.append(f"{name}<{high:.4g}")
        elif math.isinf(high):
            told.append(f"{name}>={low:.4g}")
        else:
            told.append(f"{low:.4g}<={name}<{high:.4g}")
    return [*told, f"{name}=missing"]
