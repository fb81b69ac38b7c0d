"""Error budgets under the real loop: panes are counted once, facts are written once, and a new controller goes on."""

import pickle
from collections.abc import Iterator
from io import StringIO
from typing import Any

import polars as pl
from msgspec.structs import replace
from rich.console import Console, RenderableType
from tests.control.loop import Loop, healthy
from tests.control.plant import EMPTY
from tests.control.world import FIRST, NAME, SECOND, registered, service

from flyball.adapters.ledger.memory import EPOCH
from flyball.app.slo.standing import slo_standing
from flyball.app.slo.words import page
from flyball.control.reconcile import TelemetrySensor
from flyball.core import events as e
from flyball.core.budget_standing import BudgetsState
from flyball.core.clock import timestamp
from flyball.core.declared.objectives import Objective, Slo
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.release import Estimate
from flyball.core.routing import PairEvidence
from flyball.core.service import LiveMetric, Monitor, Service
from flyball.core.watching import Pane, WindowReport

DAY_S, PANE_S, ROWS = 86_400.0, 600.0, 1_000
BEGAN = EPOCH.timestamp() - DAY_S  # a day of panes is sealed when the loop begins
HALF = Objective(name="availability", sli="availability", target=0.99, window_s=DAY_S)


class Log:
    """Telemetry and a monitor without opinions: panes of ten minutes, of which the test says how many rows fail."""

    def __init__(self) -> None:
        self.failed: list[int] = []  # rows of each pane
        self.losses: dict[int, float] = {}  # pane -> loss that its window measured
        self.read = 0

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        for index in range(after + 1, len(self.failed)):
            self.read += 1
            failed = self.failed[index]
            outcomes = ["failed"] * failed + ["answered"] * (ROWS - failed)
            start = BEGAN + index * PANE_S
            pane = Pane(service=service, index=index, start=start, end=start + PANE_S, last_row=index, received=ROWS)
            columns: dict[str, Any] = {
                "arm": ["champion"] * ROWS,
                "release": [FIRST] * ROWS,
                "outcome": outcomes,
                "latency_ms": [1.0] * ROWS,
                "service_ms": [1.0] * ROWS,
                "at": [start] * ROWS,
                "error": [outcome == "failed" for outcome in outcomes],
                "slow": [False] * ROWS,
                "excluded": [False] * ROWS,
                "fallback": [None] * ROWS,
            }
            yield Segment(pane=pane, predictions=pl.DataFrame(columns), shadows=EMPTY, labels=EMPTY)

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        loss = self.losses.get(segment.pane.index)
        if loss is None:
            return []
        estimate = Estimate(value=0.8, low=0.7, high=0.9, n=ROWS)
        return [
            WindowReport(
                index=segment.pane.index, release=champion, first_row=0, last_row=1, rows=ROWS, metric=estimate,
                loss=replace(estimate, value=loss),
            )
        ]  # fmt: skip

    def captured(self, rows: int, since_row: int | None = None) -> None:
        return None

    def matured_rows(self, since_row: int) -> int:
        return 0

    def pairs(self, candidate: str) -> PairEvidence | None:
        return None

    def compare(self, trial: MetricTrial | None) -> None:
        """No metric is compared here."""

    def arm_metrics(self) -> tuple[MetricEvidence, ...]:
        return ()


def kept(declared: Service) -> tuple[Loop, Log, TelemetrySensor]:
    """A service that its loop keeps, with a day of good traffic behind it."""
    loop, log = Loop(declared), Log()
    loop.gateways.seen = healthy()
    sensor = TelemetrySensor(declared, log, log)
    loop.sensor = sensor  # type: ignore[assignment]
    loop.reconciler = loop.another("two")
    log.failed += [0] * 144
    loop.clock.advance(60.0)
    loop.tick()
    return loop, log, sensor


def state_of(sensor: TelemetrySensor) -> BudgetsState:
    found = sensor.budgets.state()
    assert found is not None
    return found


def test_an_outage_spends_the_budget_freezes_the_next_release_and_a_quiet_day_lets_it_go() -> None:
    loop, log, _ = kept(replace(service(), slo=Slo(objectives=(HALF,))))
    assert loop.reconciler.state.health.spent == {}
    log.failed += [900, 900]
    loop.tick()
    state = loop.reconciler.state
    assert state.health.spent["availability"].left < 0
    assert state.health.burning["availability"].urgency == "page"
    loop.write(*registered(SECOND))
    for _ in range(3):
        loop.tick()
    assert loop.reconciler.state.rollout is None
    log.failed += [0] * 160
    for _ in range(2):
        loop.tick()
    assert loop.reconciler.state.health.spent == {}
    assert loop.reconciler.state.health.burning == {}
    assert loop.reconciler.state.rollout is not None
    assert log.read == 306, "each pane is read once"
    assert [kind for kind in loop.types() if kind.startswith("budget.")] == [
        *("budget.spent", "budget.burning"),
        *("budget.restored", "budget.calm"),
    ]


def test_a_budget_calms_and_is_restored_by_time_alone_where_the_traffic_stops() -> None:
    loop, log, _ = kept(replace(service(), slo=Slo(objectives=(HALF,))))
    log.failed += [900, 900]
    loop.tick(2 * PANE_S)
    assert loop.reconciler.state.health.burning["availability"].urgency == "page"
    loop.tick(2 * 3600.0)
    assert loop.reconciler.state.health.burning == {}
    assert loop.reconciler.state.health.spent.keys() == {"availability"}
    loop.tick(DAY_S)
    assert loop.reconciler.state.health.spent == {}
    assert log.read == 146


def test_what_is_shown_and_what_the_ledger_says_speak_of_the_same_moment_where_no_pane_comes() -> None:
    loop, log, sensor = kept(replace(service(), slo=Slo(objectives=(HALF,))))
    log.failed += [900, 900]
    loop.tick(2 * PANE_S)
    before = state_of(sensor)
    loop.tick(DAY_S + PANE_S)
    assert loop.reconciler.state.health.spent == {}, "by the clock it is restored"
    shown = state_of(sensor)
    assert shown.as_of > before.as_of
    assert shown.as_of % 60 == 0
    assert 0 <= loop.clock.now().timestamp() - shown.as_of < 60
    standing = slo_standing(loop.service, loop.reconciler.state, shown)
    availability = next(each for each in standing.objectives if each.name == "availability")
    assert availability.spent is (availability.left is not None and availability.left <= 0) is False
    assert "as of " in _text(page(standing))


def _text(found: RenderableType) -> str:
    console = Console(width=160, record=True, file=StringIO())
    console.print(found)
    return console.export_text()


def test_a_controller_that_reads_the_log_again_and_one_that_reads_on_say_the_same_and_write_nothing_twice() -> None:
    declared = replace(service(), slo=Slo(objectives=(HALF,)))
    loop, log, sensor = kept(declared)
    log.failed += [900, 900]
    loop.tick()
    told = len(loop.facts(e.BudgetSpent))
    anew = TelemetrySensor(declared, log, log)
    loop.sensor = anew  # type: ignore[assignment]
    loop.reconciler = loop.another("three")
    loop.clock.advance(60.0)
    loop.tick()
    now = timestamp(loop.clock.now())
    sensor.look(loop.reconciler.state, now)
    assert state_of(anew) == state_of(sensor)
    assert len(loop.facts(e.BudgetSpent)) == told == 1
    on = TelemetrySensor(declared, log, log)
    on.recall(pickle.loads(pickle.dumps(sensor.memory())))
    on.look(loop.reconciler.state, now)
    assert state_of(on) == state_of(sensor)
    log.failed += [5]
    read = log.read
    on.look(loop.reconciler.state, timestamp(EPOCH))
    assert log.read == read + 1
    anew.look(loop.reconciler.state, timestamp(EPOCH))
    assert state_of(on) == state_of(anew)


def test_without_a_policy_for_budgets_they_are_counted_and_nothing_follows() -> None:
    loop, log, sensor = kept(service())
    log.failed += [900] * 10
    loop.tick()
    assert [kind for kind in loop.types() if kind.startswith("budget.")] == []
    (availability, _) = state_of(sensor).budgets
    assert availability.left is not None
    assert availability.left < 0
    assert not state_of(sensor).declared


def test_windows_that_lost_too_much_spend_the_budget_of_quality_and_freeze_nothing() -> None:
    quality = Objective(name="right", sli="quality", target=0.9, window_s=DAY_S)
    watched = Monitor(window_rows=100, live_metric=LiveMetric(name="accuracy", max_loss="10%"))
    loop, log, sensor = kept(replace(service(), monitor=watched, slo=Slo(objectives=(quality,))))
    first = loop.facts(e.ReleaseRegistered)[0]
    assert isinstance(first, e.ReleaseRegistered)
    promised = {"accuracy": Estimate(value=0.9, low=0.8, high=1.0, n=500)}
    loop.write(e.ReleaseRegistered(service=NAME, release=replace(first.release, metrics=promised)))
    loop.tick()
    log.failed += [0] * 4
    log.losses |= {144: 0.05, 145: 0.08, 146: 0.2, 147: 0.3}
    loop.clock.advance(4 * PANE_S)
    loop.write(*registered(SECOND))
    for _ in range(3):
        loop.tick()
    right = state_of(sensor).budgets[-1]
    assert (right.events.good, right.events.total) == (2 * ROWS, 4 * ROWS)
    assert loop.reconciler.state.health.spent.keys() == {"right"}
    assert loop.reconciler.state.rollout is not None


def test_a_look_without_a_new_pane_asks_no_budget_again() -> None:
    _, log, sensor = kept(replace(service(), slo=Slo(objectives=(HALF,))))
    state = sensor.budgets.state()
    assert state is not None
    before = state.budgets
    found = sensor.budgets.state()
    assert found is not None
    assert found.budgets is before
    assert log.read == 144


def test_a_clock_that_was_put_back_loses_no_error_and_new_panes_count_from_then_on() -> None:
    """Red before: until the clock had caught up the windows ended at the pane of its future, and new panes were old."""
    loop, log, sensor = kept(replace(service(), slo=Slo(objectives=(HALF,))))
    log.failed += [900] * 12  # two hours ahead of the clock
    loop.tick()
    now = loop.clock.now().timestamp()
    (up,) = (each for each in state_of(sensor).budgets if each.objective.name == "availability")
    assert abs(state_of(sensor).as_of - now) < 120
    assert up.events.bad == 12 * 900
    loop.clock.advance(2 * DAY_S)
    loop.tick()
    (up,) = (each for each in state_of(sensor).budgets if each.objective.name == "availability")
    assert up.events.total == 0, "what came of the future is over with the rest of that hour"
