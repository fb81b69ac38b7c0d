"""A monitor behind something that listens: everything is passed on, and whoever listens says what it hears."""

import polars as pl

from flyball.control.reconcile.sensing import Watching
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.routing import PairEvidence
from flyball.core.watching import WindowReport


class PassedOn:
    """`Watching` of another one; a subclass takes part in what it has something to do with."""

    def __init__(self, watching: Watching) -> None:
        self._watching = watching

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        return self._watching.feed(segment, champion=champion)

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
