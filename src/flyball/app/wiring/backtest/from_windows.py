"""A record of windows as ticks of a driver, where the rows themselves are gone: `Watching` that repeats what was seen.

Between two windows the planner was asked too, whenever a pane was sealed: a cool-down may have ended there, or labels
may have come. So there are ticks between them. How many rows had a label is known at the end of each window, and taken
as a straight line in between; where labels come in the order of their rows that is what the loop saw.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import polars as pl

from flyball.app.backtest.rejudged import Rejudge
from flyball.app.wiring.backtest.driving import Tick
from flyball.core.clock import timestamp
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.routing import PairEvidence
from flyball.core.seen_windows import SeenWindow
from flyball.core.watching import Pane, WindowReport

TICK_ROWS = 100  # as long as a replay's pane
MOST_TICKS = 200  # of one window
_NOBODY = pl.DataFrame()


class Repeated:
    """`Watching` over recorded windows, judged under other limits where they are others."""

    def __init__(self, windows: Sequence[SeenWindow], rejudge: Rejudge) -> None:
        self._reports = {each.report.last_row: each.report for each in windows}
        self._rejudge = rejudge
        first = windows[0].report.first_row
        self._first, self._row = first, first
        labelled = [0 if each.report.labels is None else each.report.labels.new for each in windows]
        self._rows_at = np.array([first - 1, *(each.report.last_row for each in windows)], dtype=np.float64)
        self._labels_at = np.array([0, *labelled], dtype=np.float64)

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:  # noqa: ARG002 -- each knows its release
        self._row = segment.pane.last_row
        found = self._reports.get(self._row) if segment.predictions.height else None
        return [] if found is None else [self._rejudge.report(found)]

    def captured(self, rows: int, since_row: int | None = None) -> pl.DataFrame | None:  # noqa: ARG002 -- none is kept
        return None

    def matured_rows(self, since_row: int) -> int:
        """As if labels came in the order of their rows."""
        labelled = int(np.interp(self._row, self._rows_at, self._labels_at))
        return max(0, self._first + labelled - max(since_row, self._first))

    def pairs(self, candidate: str) -> PairEvidence | None:  # noqa: ARG002 -- they are on no window
        return None

    def compare(self, trial: MetricTrial | None) -> None:
        """What a trial measured on labels is on no window."""

    def arm_metrics(self) -> tuple[MetricEvidence, ...]:
        return ()


def ticks(service: str, windows: Sequence[SeenWindow]) -> Iterator[Tick]:
    """In order; the last of each window completes it."""
    before: SeenWindow | None = None
    index = 0
    for each in windows:
        report = each.report
        row_s = max(each.end - each.start, 0.0) / max(report.rows, 1)
        since_row, since = (
            (report.first_row - 1, each.start) if before is None else (before.report.last_row, before.end)
        )
        for row in _stops(since_row, report.last_row):
            at = float(np.interp(row, [since_row, report.last_row], [since, each.end]))
            whole = row == report.last_row
            pane = Pane(
                service=service,
                index=index,
                start=since,
                end=at,
                first_row=report.first_row if whole else row,
                last_row=row,
                received=report.rows,
                written=report.rows,
            )
            rows = pl.DataFrame({"arm": ["champion"], "release": [report.release]}) if whole else _NOBODY
            segment = Segment(pane=pane, predictions=rows, shadows=_NOBODY, labels=_NOBODY)
            # the controller looks when the pane is sealed: with the next row, not with its last
            now = datetime.fromtimestamp(at + 1.5 * row_s, UTC)
            yield Tick(segment=segment, now=timestamp(now), whole=whole)
            index += 1
        before = each


def _stops(after: int, last: int) -> Iterator[int]:
    """Rows at which the planner is asked, the last one included."""
    step = max(TICK_ROWS, -(-(last - after) // MOST_TICKS))
    yield from range(after + step, last, step)
    yield last
