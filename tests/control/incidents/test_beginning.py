"""When the fault began, from panes with a fault at a known time to the mean time to detect: not when it was told."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.control.reconcile.test_vitals import PANE_S, World, now, segment
from tests.control.world import FIRST, NAME, service

from flyball.control.decision import Situation
from flyball.control.incidents.figures import incident_figures
from flyball.control.incidents.planning import plan_incidents
from flyball.control.reconcile.beginnings import with_beginnings
from flyball.control.reconcile.tallies import _tally
from flyball.control.review.figures import detected
from flyball.control.review.reading import past_of
from flyball.control.state.fold import fold
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.health import Sign, SignKind
from flyball.core.ledger import Entry
from flyball.core.release import Estimate
from flyball.core.service import HealthRules
from flyball.core.surroundings import Probed, Surroundings
from flyball.core.watching import WindowReport
from flyball.decide.health import Counted, Reading, Readings, began_at

SLOWLY = [n % 20 == 19 for n in range(3600)]  # 5 % of the rows, evenly


class Watched(World):
    """Panes go through the watch, its signs through the planner, and all facts onto one ledger."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger: list[Entry] = []

    def write(self, fact: e.AnyFact) -> None:
        seq = self.state.version + 1
        entry = Entry(seq=seq, at=now(self.at), type="?", subject=NAME, fact=fact, prev_hash="", hash="")
        self.ledger.append(entry)
        self.state = fold(self.state, entry)

    def look(self, later_s: float = 0.0) -> str:
        called = super().look(later_s)
        decision = plan_incidents(Situation(state=self.state, service=service(), now=now(self.at)))
        for fact in decision.facts if decision else ():
            self.write(fact)
        return called

    def sign(self, kind: SignKind) -> Sign:
        return next(sign for sign in self.state.health.health.signs if sign.kind == kind)

    @property
    def opened(self) -> list[tuple[str, e.IncidentOpened]]:
        return [(each.at, each.fact) for each in self.ledger if isinstance(each.fact, e.IncidentOpened)]

    @property
    def closed(self) -> list[e.IncidentClosed]:
        return [each.fact for each in self.ledger if isinstance(each.fact, e.IncidentClosed)]


def slowly(world: Watched, rows: int = 10) -> Iterator[str]:
    """One row a second, 5 % of them with an error that is answered all the same."""
    for start in range(0, len(SLOWLY), rows):
        yield world.pane(rows=rows, errors=sum(SLOWLY[start : start + rows]), outcome="answered")


def test_the_time_until_a_slow_fault_is_sure_is_part_of_the_time_to_detect() -> None:
    world = Watched()
    list(world.panes(90, rows=10))
    fault = world.at
    next(called for called in slowly(world) if called == "UNHEALTHY")
    ((at, opened),) = world.opened
    sure_s = moment(at).timestamp() - fault
    assert sure_s > 200  # three errors a minute: the test takes minutes to be sure
    assert opened.began == now(fault + PANE_S)  # the first pane with an error
    list(world.panes(100, rows=10))
    (closed,) = world.closed
    told = closed.detected_s
    assert told is not None
    assert sure_s - 10 <= told <= sure_s
    assert incident_figures(world.ledger).mttd_s == told
    assert detected(past_of(world.ledger, NAME)).value == pytest.approx(told)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("errors", {"errors": 5, "outcome": "answered"}),
        ("availability", {"outcome": "failed"}),
        ("fallback", {"outcome": "fallback"}),
        ("latency", {"latency_ms": 900.0}),
    ],
)
def test_a_sign_of_counts_says_with_which_pane_it_began(kind: SignKind, what: dict[str, Any]) -> None:
    world = Watched()
    list(world.panes(40))
    fault = world.at
    for _ in range(8):
        world.pane(rows=3)  # hardly any traffic, none of it bad
    list(world.panes(1, **what))
    list(world.panes(20, **what))
    found = world.sign(kind)
    assert found.began == now(fault + 8 * PANE_S)
    assert found.began < found.since


def test_a_beginning_stays_as_it_was_when_the_sign_came() -> None:
    world = Watched()
    list(world.panes(30))
    fault = world.at
    list(world.panes(200, errors=10))
    assert world.sign("errors").severity == "failed"  # graver since, and the first panes are let go
    assert world.sign("errors").began == now(fault)


def test_probes_began_to_fail_with_the_first_of_the_row() -> None:
    found = Surroundings()
    world = Watched()
    world.watch._around = lambda: found
    list(world.panes(3))
    start = world.at
    for n in range(4):
        probe = Probed(endpoint="predict", at=start + 5 + 10 * n, ok=n == 0, latency_ms=2.0)
        found = Surroundings(probes=(*found.probes, probe), failing_since={"predict": start + 15} if n else {})
        world.pane()
    assert world.sign("availability").began == now(start + 15)


def window(index: int, loss: float, *, rows: tuple[int, int] | None = None) -> WindowReport:
    first = 100 * index
    return WindowReport(
        index=index,
        release=FIRST,
        first_row=first,
        last_row=first + 99,
        rows=100,
        loss=Estimate(value=loss, low=loss - 0.01, high=loss + 0.01, n=100, confidence=0.9),
        metric_rows=rows or (first, first + 99),
        start=1000.0 + 50.0 * index,
        end=1050.0 + 50.0 * index,
    )


def began(kind: SignKind, *reports: WindowReport) -> str:
    each = Reading(
        kind=kind, severity="critical", holds="critical", value=0.08, limit=0.05, why="-", clears="-", worse="-"
    )
    return with_beginnings(Readings(found=(each,)), (), (), reports, HealthRules(), {}).found[0].began


def test_a_loss_began_with_the_window_whose_rows_lost_first() -> None:
    losses = [window(0, 0.08), window(1, 0.01), window(2, 0.06), window(3, 0.08), window(4, 0.09)]
    assert began("quality", *losses) == now(1100.0)
    late = window(5, 0.08, rows=(120, 260))  # labels that came late: its rows are those of the windows before
    assert began("quality", window(1, 0.0), late) == now(1050.0)


def test_what_nothing_shows_has_no_beginning() -> None:
    assert began("quality") == ""  # estimated without labels
    assert began("freshness", window(0, 0.08)) == ""
    assert began("errors", window(0, 0.08)) == ""
    world = Watched()
    world.watch._around = lambda: Surroundings(disk_free=0.001)
    list(world.panes(3))
    ((_, opened),) = world.opened
    assert (opened.cause, opened.began) == ("resources/disk", "")


def test_no_beginning_lies_before_the_newest_act_of_healing() -> None:
    """What was counted before says nothing of now."""
    tally = _tally(segment(1000.0, errors=25).predictions, 990.0, 1000.0)
    reading = Reading(
        kind="errors", severity="critical", holds="critical", value=0.5, limit=0.01, why="-", clears="-", worse="-"
    )
    found = with_beginnings(Readings(found=(reading,)), (), [tally], (), HealthRules(), {})
    assert found.found[0].began == now(990.0)
    assert with_beginnings(found, (), [], (), HealthRules(), {}) == found
    assert with_beginnings(Readings(found=(reading,)), {"errors"}, [tally], (), HealthRules(), {}).found[0].began == ""


COUNTS = st.integers(1, 50).flatmap(lambda rows: st.builds(Counted, events=st.integers(0, rows), rows=st.just(rows)))


@given(st.lists(COUNTS, max_size=40), st.floats(0.001, 0.9))
def test_no_stretch_has_more_events_beyond_the_limit(counted: list[Counted], limit: float) -> None:
    panes = [(10.0 * n, each) for n, each in enumerate(counted)]
    found = began_at(panes, limit)

    def excess(start: float) -> float:
        return sum(each.events - limit * each.rows for at, each in panes if at >= start)

    assert all(excess(start) <= (0.0 if found is None else excess(found)) + 1e-9 for start, _ in panes)
    if found is not None:
        assert counted[round(found / 10.0)].rate > limit
        assert timestamp(moment(now(found))) == now(found)
