"""A monitor whose windows are written down as they close, for `flyball monitor` and the gateway's metrics."""

from collections.abc import Callable

import polars as pl

from flyball.control.reconcile.sensing import Watching
from flyball.core.errors import Unavailable
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.routing import PairEvidence
from flyball.core.seen_windows import SeenWindow, WindowBook
from flyball.core.watching import WindowReport

BATCH = 200  # windows written in one transaction, while a history is fed


class Remembering:
    """`Watching` around a watcher. That nothing can be written is told once, and keeps no decision waiting."""

    def __init__(self, watching: Watching, book: WindowBook, complain: Callable[[str], None]) -> None:
        self._watching, self._book, self._complain = watching, book, complain
        self._start: float | None = None  # of the window that runs
        self._champion: str | None = None
        self._waiting: list[SeenWindow] = []
        self._told = ""

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        if self._start is None or champion != self._champion:
            self._start, self._champion = segment.pane.start, champion
        found = self._watching.feed(segment, champion=champion)
        for report in found:
            self._waiting.append(SeenWindow(start=self._start, end=segment.pane.end, report=report))
            self._start = segment.pane.end
        if len(self._waiting) >= BATCH:
            self.write()
        return found

    def write(self) -> None:
        """What has closed since the last time; it waits, within a bound, where the book refuses."""
        try:
            self._book.keep(self._waiting)
        except Unavailable as error:
            if str(error) != self._told:
                self._complain(f"windows are not written down now: {error}")
            self._told = str(error)
            self._waiting = self._waiting[-BATCH:]
            return
        self._told, self._waiting = "", []

    def captured(self, rows: int, since_row: int | None = None) -> pl.DataFrame | None:
        return self._watching.captured(rows, since_row)

    def matured_rows(self, since_row: int) -> int:
        return self._watching.matured_rows(since_row)

    def pairs(self, candidate: str) -> PairEvidence | None:
        return self._watching.pairs(candidate)

    def compare(self, trial: MetricTrial | None) -> None:
        self._watching.compare(trial)

    def arm_metrics(self) -> tuple[MetricEvidence, ...]:
        return self._watching.arm_metrics()
