"""What stands between a record and the production sensor: segments handed over tick by tick, reports overheard."""

from collections.abc import Iterable

import polars as pl

from flyball.control.reconcile.sensing import Watching
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.routing import PairEvidence
from flyball.core.watching import WindowReport


class Feed:
    """`core.ports.Telemetry` of what was fed and not yet read."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    def sealed(self, service: str, after: int) -> Iterable[Segment]:  # noqa: ARG002 -- there is one service, in order
        segments, self.segments = self.segments, []
        return segments


class Overheard:
    """`Watching` whose reports are kept."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching
        self.reports: list[WindowReport] = []

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        found = self._watching.feed(segment, champion=champion)
        self.reports += found
        return found

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
