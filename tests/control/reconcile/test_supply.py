"""Incidents of the data's quality from windows to the ledger: the sensor says them, the fold keeps them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
from tests.control.world import NAME, service
from tests.decide.test_incident import story
from tests.decide.windows import START

from flyball.control.incidents.figures import incident_figures
from flyball.control.reconcile import TelemetrySensor
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ledger import Entry
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.watching import Pane, WindowReport

WINDOW_S = 1000.0


class Windowed:
    """A log of empty panes, and a monitor that reads one window out of each."""

    def __init__(self, reports: Iterable[WindowReport] = ()) -> None:
        self.reports = list(reports)

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        for report in self.reports[after + 1 :]:
            pane = Pane(service=service, index=report.index, start=report.start, end=report.end)
            empty = pl.DataFrame()
            yield Segment(pane=pane, predictions=empty, shadows=empty, labels=empty)

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        return [self.reports[segment.pane.index]]

    def matured_rows(self, _: int) -> int:
        return 0

    def compare(self, trial: MetricTrial | None) -> None:
        assert trial is None

    def arm_metrics(self) -> tuple[MetricEvidence, ...]:
        return ()


class Supplied:
    """A champion whose windows come one after the other, and the ledger of what is said of them."""

    def __init__(self) -> None:
        self.log: Any = Windowed()
        self.sensor = TelemetrySensor(service(), self.log, self.log)
        self.state = ServiceState(service=NAME, champion="r")
        self.entries: list[Entry] = []
        self.now_s = START

    def write(self, fact: e.AnyFact) -> None:
        at = timestamp(datetime.fromtimestamp(self.now_s, UTC))
        seq = self.state.version + 1
        entry = Entry(seq=seq, at=at, type="?", subject=NAME, fact=fact, prev_hash="", hash="")
        self.entries.append(entry)
        self.state = fold(self.state, entry)

    def look(self) -> list[e.AnyFact]:
        """A round of the loop: what the windows say that the ledger lacks goes to it."""
        at = timestamp(datetime.fromtimestamp(self.now_s, UTC))
        told = list(self.sensor.look(self.state, at).watched)
        for fact in told:
            self.write(fact)
        return told

    def comes(self, *reports: WindowReport, late_s: float = 1.0) -> None:
        """Windows, each looked at when it is sealed."""
        for report in reports:
            self.log.reports.append(report)
            self.now_s = report.end + late_s
            self.look()


def test_broken_data_are_part_of_the_mean_time_to_detect_from_the_window_that_shows_it() -> None:
    world = Supplied()
    world.comes(*story(0))
    (opened,) = [one.fact for one in world.entries if isinstance(one.fact, e.IncidentOpened)]
    assert (opened.kind, opened.row) == ("data_quality", 2000)
    assert opened.began == timestamp(datetime.fromtimestamp(START + 2000, UTC))
    world.comes(*story(5)[3:])
    (closed,) = [one.fact for one in world.entries if isinstance(one.fact, e.IncidentClosed)]
    assert (closed.how, closed.detected_s) == ("new_normal", WINDOW_S + 1.0)
    assert incident_figures(world.entries).mttd_s == WINDOW_S + 1.0
