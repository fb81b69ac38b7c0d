"""A drill begins on a service that is well, and on no other."""

import pytest
from msgspec.structs import replace
from tests.control.world import NAME, OPENED, SECOND, first_champion, registered

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.drills.may import obstacles
from flyball.app.people import states_of
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.registry import chain

UNTIL = "2026-11-21T10:10:00.000000Z"
REMEDY = e.RemedyBegun(
    service=NAME,
    remedy="re-1",
    kind="fall_back",
    cause="errors",
    number=0,
    why="errors",
    verify_by="2999-01-01T00:00:00Z",
)
DRILL = e.DrillBegun(service=NAME, drill="dr-1", fault="latency", share=0.05, until=UNTIL, by="ada", proof="os_user")


def against(*facts: e.AnyFact, now: str = "2026-11-21T10:00:00.000000Z") -> tuple[str, ...]:
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    ledger.append([*first_champion(), *facts])
    return obstacles(states_of(ledger)[NAME], moment(now).timestamp())


def test_a_service_that_is_well_may_be_drilled() -> None:
    assert against() == ()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ([e.IncidentOpened(service=NAME, incident="in-1", kind="health", reason="errors")], "in-1 is open: errors"),
        (
            [e.BudgetSpent(service=NAME, objective="availability", left=0.0, target=0.99, window_s=1.0, why="x")],
            "budget of availability is spent",
        ),
        ([*registered(SECOND), OPENED], "rollout ro-1 runs"),
        ([REMEDY], "remedy re-1 (fall_back) against errors is under way"),
        ([DRILL], "drill dr-1 (latency) runs until"),
    ],
)
def test_one_that_is_ill_or_busy_is_left_alone(facts: list[e.AnyFact], words: str) -> None:
    found = against(*facts)
    assert len(found) == 1
    assert words in found[0]


def test_an_incident_of_a_drill_is_none_and_a_drill_whose_time_is_up_is_over() -> None:
    incident = e.IncidentOpened(service=NAME, incident="in-1", kind="drill", reason="a drill")
    assert against(incident, DRILL, now=UNTIL) == ()


def test_a_person_who_was_called_is_no_obstacle() -> None:
    assert against(replace(REMEDY, kind="page")) == ()


def test_each_obstacle_is_told() -> None:
    incident = e.IncidentOpened(service=NAME, incident="in-1", kind="health", reason="errors")
    assert len(against(incident, DRILL)) == 2


def test_a_disaster_is_made_under_a_spent_budget_since_it_sends_nothing() -> None:
    """Red before: an outage forbade for the rest of the window to try whether the backup can be restored."""
    ledger = MemoryLedger(sealer=chain, clock=SimulatedClock())
    spent = e.BudgetSpent(service=NAME, objective="availability", left=0.0, target=0.99, window_s=1.0, why="x")
    ledger.append([*first_champion(), spent])
    state = states_of(ledger)[NAME]
    assert obstacles(state, 0.0, strikes=False) == ()
    assert len(obstacles(state, 0.0)) == 1
