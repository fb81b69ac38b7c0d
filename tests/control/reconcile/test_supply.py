"""Incidents of the data's quality from windows to the ledger: the sensor says them, the fold keeps them."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace
from tests.control.world import NAME, service
from tests.decide.test_incident import Kind, story
from tests.decide.windows import START, report

from flyball.control.incidents.closing import closed_by_hand
from flyball.control.incidents.figures import incident_figures
from flyball.control.reconcile import TelemetrySensor
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ids import ReleaseRoot
from flyball.core.ledger import Entry
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.watching import Pane, QualityFinding, WindowReport

WINDOW_S = 1000.0


class Windowed:
    """A log of empty panes, and a monitor that reads one window out of each."""

    def __init__(self, reports: Iterable[WindowReport] = ()) -> None:
        self.reports = list(reports)

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        for each in self.reports[after + 1 :]:
            pane = Pane(service=service, index=each.index, start=each.start, end=each.end)
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
        self.log = Windowed()
        log: Any = self.log
        self.sensor = TelemetrySensor(service(), log, log)
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
        for each in reports:
            self.log.reports.append(each)
            self.now_s = each.end + late_s
            self.look()


def test_broken_data_are_part_of_the_mean_time_to_detect_from_the_window_that_shows_it() -> None:
    world = Supplied()
    world.comes(*story(0))
    (fact,) = [one.fact for one in world.entries if isinstance(one.fact, e.IncidentOpened)]
    assert (fact.kind, fact.row) == ("data_quality", 2000)
    assert fact.began == timestamp(datetime.fromtimestamp(START + 2000, UTC))
    world.comes(*story(5)[3:])
    (closed,) = [one.fact for one in world.entries if isinstance(one.fact, e.IncidentClosed)]
    assert (closed.how, closed.detected_s) == ("new_normal", WINDOW_S + 1.0)
    assert incident_figures(world.entries).mttd_s == WINDOW_S + 1.0


def test_what_is_repaired_has_its_time_and_what_came_before_it_is_learned_from() -> None:
    world = Supplied()
    world.comes(*story(1), *(report(4 + n) for n in range(5)))
    (closed,) = [one.fact for one in world.entries if isinstance(one.fact, e.IncidentClosed)]
    assert (closed.how, closed.detected_s, closed.recovered_s) == ("recovered", WINDOW_S + 1.0, WINDOW_S - 1.0)
    state = world.state
    assert (state.incident, state.accepted, state.normal_since_row) == (None, None, 0)
    (kept_out,) = state.healing.kept_out.values()
    assert (kept_out.first, kept_out.last) == (2000, 3999)
    world.comes(window(9, found("was_constant", "a"), a=0.01))
    assert len(opened(world)) == 2, "nobody has accepted it"


def test_a_champion_that_came_meanwhile_has_another_reference_and_its_windows_say_what_is_normal_now() -> None:
    world = Supplied()
    world.comes(*story(0))
    world.now_s += 1.0
    world.write(e.ChampionAppointed(service=NAME, release=ReleaseRoot("r2"), previous=ReleaseRoot("r"), rollout=None))
    world.sensor = TelemetrySensor(service(), world.log, world.log)  # type: ignore[arg-type]
    world.log.reports = [replace(report(20 + n), index=n, release="r2") for n in range(5)]
    world.look()
    (closed,) = [one.fact for one in world.entries if isinstance(one.fact, e.IncidentClosed)]
    assert (closed.how, closed.row, world.state.normal_since_row) == ("new_normal", 20_000, 20_000)


def found(kind: Kind, feature: str | None, value: float = 1.0) -> QualityFinding:
    return QualityFinding(kind=kind, feature=feature, value=value, limit=0.05, detail=f"{feature}: {kind}")


def window(index: int, *findings: QualityFinding, **versus_last: float) -> WindowReport:
    psi = dict.fromkeys(versus_last, 16.0)
    return report(index, psi=psi, quality=findings, versus_last=versus_last)


def opened(world: Supplied) -> list[str]:
    return [one.fact.incident for one in world.entries if isinstance(one.fact, e.IncidentOpened)]


def closed_by_a_person(world: Supplied) -> None:
    (one,) = world.state.incidents.open.values()
    world.write(closed_by_hand(one, "ada: known"))


STANDS: list[tuple[QualityFinding, dict[str, float]]] = [
    (found("was_constant", "a"), {"a": 0.01}),
    (found("columns_mixed", "a"), {"a": 0.01}),
    (found("violations", None, 0.3), {}),  # of no feature, so there is nothing to be near to
    (found("missing", "a"), {}),  # nothing is left of it to compare
]


@pytest.mark.parametrize(("cause", "versus"), STANDS)
@pytest.mark.parametrize("later", [0, 1, 3])
def test_what_a_person_closed_stays_closed_while_its_cause_stands(
    cause: QualityFinding, versus: dict[str, float], later: int
) -> None:
    world = Supplied()
    world.comes(window(0), window(1), window(2, cause))
    world.comes(*(window(3 + n, cause, **versus) for n in range(later)))
    assert len(opened(world)) == 1
    closed_by_a_person(world)
    world.now_s += 1.0
    assert world.look() == []
    world.comes(*(window(3 + later + n, cause, **versus) for n in range(9)))
    assert len(opened(world)) == 1
    assert world.state.incident is None


@pytest.mark.parametrize(("cause", "versus"), STANDS)
def test_what_was_gone_once_opens_another_one_when_it_is_back(cause: QualityFinding, versus: dict[str, float]) -> None:
    world = Supplied()
    world.comes(window(0), window(1), window(2, cause))
    closed_by_a_person(world)
    world.comes(window(3, cause, **versus), window(4, **dict.fromkeys(versus, 4.0)), window(5))
    assert len(opened(world)) == 1
    world.comes(window(6, cause, **dict.fromkeys(versus, 4.0)))
    assert len(opened(world)) == 2


def test_what_is_graver_than_what_a_person_closed_opens_another_one() -> None:
    world = Supplied()
    world.comes(window(0), window(1), window(2, found("violations", None, 0.2)))
    closed_by_a_person(world)
    world.comes(*(window(3 + n, found("violations", None, 0.25)) for n in range(3)))
    assert len(opened(world)) == 1
    world.comes(window(6, found("violations", None, 0.7)))
    assert len(opened(world)) == 2


def test_what_breaks_beside_it_after_the_word_opens_another_one_and_what_broke_before_it_does_not() -> None:
    world = Supplied()
    a, b, c = (found("was_constant", name) for name in "abc")
    world.comes(window(0), window(1), window(2, a), window(3, a, b, a=3.0, b=4.0), window(4, a, b, a=0.01, b=0.01))
    closed_by_a_person(world)  # a jumped, and b joined it, before the word
    world.comes(window(5, a, b, a=0.01, b=0.01))
    assert len(opened(world)) == 1
    world.comes(window(6, a, b, c, a=0.01, b=0.01, c=4.0))
    assert len(opened(world)) == 2
