"""What the newest panes of one champion count: rows, errors, answers of others, latency; and when rows and labels came.

A fold over the sealed panes, as the rest of what the sensor remembers: feeding them again gives the same.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.arms import CHAMPION
from flyball.core.contract import ServiceLevel
from flyball.core.ports import Segment
from flyball.core.prediction import NO_ANSWER
from flyball.decide.health import Counted, Late
from flyball.monitor.panes import LATENCY_EDGES_MS

P95 = 0.95
REFUSED = ("quarantined", "rejected")  # outcomes of rows that the data contract kept from the model
ASKED = ("answered", "fallback", "failed")  # outcomes of rows that were put to a release

Counts = npt.NDArray[np.int64]


class PaneTally(NamedTuple):
    start: float  # seconds since the epoch
    end: float
    rows: int  # of the champion, put to it
    errors: int
    asked: int  # of all arms, sheds too
    unanswered: int
    fallbacks: int
    refused: int  # of all rows that came: rejected by the data contract, or left by it to the fallback chain
    latency: Counts  # of `rows`, on LATENCY_EDGES_MS


class Tallies:
    """Of one champion; when rows and labels came is of the service and outlives it."""

    def __init__(self) -> None:
        self.panes: deque[PaneTally] = deque()
        self.first: Counts = np.zeros(len(LATENCY_EDGES_MS) + 1, dtype=np.int64)  # latency of its first rows
        self.rows_at: float | None = None  # end of the newest pane that has rows
        self.labels = 0
        self.labelled_at: float | None = None  # end of the newest pane that has labels
        self.waiting_at: float | None = None  # end of the first pane with rows since then
        self.longest_s = 0.0  # that a label made one wait after the one before, with rows in between
        self.late: tuple[Late, ...] = ()

    def begin(self) -> None:
        """Another champion serves."""
        self.panes.clear()
        self.first = np.zeros_like(self.first)

    def take(self, segment: Segment, *, keep_s: float, first_rows: int, levels: Sequence[ServiceLevel]) -> None:
        """One pane. Args: keep_s: older panes are let go. first_rows: that the usual latency is learned from."""
        end = segment.pane.end
        if segment.labels.height:
            self._labelled(end, segment.labels.height)
        rows = segment.as_it_came
        if "excluded" in rows.columns:
            rows = rows.filter(~pl.col("excluded"))
        if rows.height:
            self.rows_at = max(end, self.rows_at or end)
            self.waiting_at = self.waiting_at or end
            if "outcome" not in rows.columns:  # of a record of windows: who was asked is all that is known
                return
            tally = _tally(rows, segment.pane.start, end)
            if self.first.sum() < first_rows:
                self.first = self.first + tally.latency
            self.panes.append(tally)
            self.late = tuple(_late(rows, end, levels))
        self.drop(end - keep_s)

    def drop(self, before: float) -> None:
        """Panes that ended no later."""
        while self.panes and self.panes[0].end <= before:
            self.panes.popleft()

    def within(self, start: float, end: float) -> "list[PaneTally]":
        return [pane for pane in self.panes if start < pane.end <= end]

    def baseline_ms(self, least_rows: int) -> float | None:
        """p95 of the first rows; None: there were too few."""
        return quantile_ms(self.first, P95) if self.first.sum() >= least_rows else None

    def _labelled(self, end: float, labels: int) -> None:
        if self.waiting_at is not None and self.labelled_at is not None:
            self.longest_s = max(self.longest_s, end - self.waiting_at)
        self.labels, self.labelled_at, self.waiting_at = self.labels + labels, end, None


def errors(panes: Sequence[PaneTally]) -> Counted:
    return Counted(events=sum(pane.errors for pane in panes), rows=sum(pane.rows for pane in panes))


def unanswered(panes: Sequence[PaneTally]) -> Counted:
    return Counted(events=sum(pane.unanswered for pane in panes), rows=sum(pane.asked for pane in panes))


def fallbacks(panes: Sequence[PaneTally]) -> Counted:
    return Counted(events=sum(pane.fallbacks for pane in panes), rows=sum(pane.asked for pane in panes))


def refused(panes: Sequence[PaneTally]) -> Counted:
    """Of all rows that came, those that the data contract kept from the model."""
    found = sum(pane.refused for pane in panes)
    return Counted(events=found, rows=found + sum(pane.asked for pane in panes))


def latency(panes: Sequence[PaneTally]) -> Counts:
    found: Counts = np.stack([pane.latency for pane in panes]).sum(axis=0)
    return found


def slower(counts: Counts, limit_ms: float) -> Counted:
    """Rows that surely took longer: those of the bin that holds the limit do not count.

    >>> counts = np.bincount([10, 40], minlength=len(LATENCY_EDGES_MS) + 1)
    >>> slower(counts, LATENCY_EDGES_MS[20]).events
    1
    """
    at = int(np.searchsorted(LATENCY_EDGES_MS, limit_ms))
    return Counted(events=int(counts[at + 1 :].sum()), rows=int(counts.sum()))


def quantile_ms(counts: Counts, q: float) -> float:
    """Upper edge of the bin that holds it, ms: up to a tenth above it. Of at least one row."""
    at = int(np.searchsorted(np.cumsum(counts), q * counts.sum()))
    return LATENCY_EDGES_MS[min(at, len(LATENCY_EDGES_MS) - 1)]


def _tally(rows: pl.DataFrame, start: float, end: float) -> PaneTally:
    asked = rows["outcome"].is_in(ASKED)
    mine = rows.filter(asked & (rows["arm"] == CHAMPION) & ~_unasked(rows))
    unanswered = int(rows["outcome"].is_in(NO_ANSWER).sum())
    place = np.searchsorted(LATENCY_EDGES_MS, mine["latency_ms"].to_numpy())
    return PaneTally(
        start=start,
        end=end,
        rows=mine.height,
        errors=int(mine["error"].sum()),
        asked=int(asked.sum()) + int((rows["outcome"] == "shed").sum()),
        unanswered=unanswered,
        fallbacks=int((rows["outcome"] == "fallback").sum()),
        refused=int(rows["outcome"].is_in(REFUSED).sum()),
        latency=np.bincount(place, minlength=len(LATENCY_EDGES_MS) + 1),
    )


def _unasked(rows: pl.DataFrame) -> pl.Series:
    """Rows that the champion had no room for and that its fallback chain answered: they say nothing of how it answers,
    and where it hangs they would hide that, since there are many of them."""
    if "reason" not in rows.columns:
        return pl.repeat(False, rows.height, eager=True)
    return (rows["reason"] == "shed").fill_null(False)


def _late(rows: pl.DataFrame, end: float, levels: Sequence[ServiceLevel]) -> Iterator[Late]:
    """How old the freshest value is of each column whose age the data contract promises."""
    for level in levels:
        name = f"x.{level.column}"
        if name not in rows.columns or not rows[name].dtype.is_temporal():
            continue
        newest = rows[name].cast(pl.Datetime("us")).dt.epoch("us").max()
        if isinstance(newest, int):
            yield Late(column=str(level.column), late_s=max(0.0, end - newest / 1e6), limit_s=level.limit)
