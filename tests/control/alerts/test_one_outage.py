"""One outage wakes somebody once: what only shows it waits as long as it does, and is told when it is more."""

import pytest
from tests.control.alerts.test_before_anybody import rested, told
from tests.control.alerts.watch import Watch, burning, healthy, remedy, sign
from tests.control.world import NAME

from flyball.control.plan import plan
from flyball.core import events as e
from flyball.core.routing import Observed

OUTAGE = (healthy(sign("availability"), sign("errors")), burning("availability"))


def watched(*, reachable: bool = True) -> Watch:
    """A service at rest. Reachable: whether the gateway takes orders, so that a remedy may be tried."""
    watch = Watch()
    rested(watch)
    if reachable:
        watch.observed = Observed(routing=watch.state.routing, counts=None)
    watch.say(e.RoutingApplied(service=NAME, key="route/fraud/1", epoch=watch.state.epoch))
    rested(watch)
    return watch


def test_symptoms_wait_with_the_outage_for_its_remedy_and_then_the_outage_alone_is_told() -> None:
    watch = watched()
    said = rested(watch.say(*OUTAGE))
    (begun,) = [fact for fact in said if isinstance(fact, e.RemedyBegun)]
    assert begun.cause == "availability"
    assert told(said) == [
        *("held availability healing", "held errors healing", "held budget/availability healing"),
    ]
    assert told(rested(watch.after(479))) == []
    after = told(rested(watch.after(2)))
    assert [each for each in after if each.startswith("raised")] == ["raised availability page"]
    for _ in range(30):  # further remedies, each against one of them
        assert not any(each.startswith("raised") for each in told(rested(watch.after(60))))
    assert {cause: one.by for cause, one in watch.state.alerts.held.items()} == {
        "errors": "inhibited",
        "budget/availability": "inhibited",
    }


@pytest.mark.parametrize("reachable", [True, False])
def test_an_outage_that_no_machine_heals_is_one_page(reachable: bool) -> None:
    """The last remedy is a person: the symptom was told while the outage waited for the line that says so."""
    watch = watched(reachable=reachable)
    watch.say(*(remedy("availability", "recycle_worker", watch.now, f"re-{number}") for number in range(20)))
    watch.say(*(e.RemedyVerified(service=NAME, remedy=f"re-{n}", helped="no", why="looked") for n in range(20)))
    said = rested(watch.say(*OUTAGE))
    assert "page" in [fact.kind for fact in said if isinstance(fact, e.RemedyBegun)]
    assert [each for each in told(said) if each.startswith("raised")] == ["raised availability page"]


def test_what_stays_when_the_outage_is_gone_is_told_at_once() -> None:
    watch = watched()
    rested(watch.say(*OUTAGE))
    said = told(rested(watch.after(60).say(healthy(sign("errors")))))
    assert "raised errors page" in said


def test_a_ticket_explains_no_page_however_busy_a_remedy_is_with_it() -> None:
    watch = Watch().say(healthy(sign("latency", "warning")), remedy("latency", "shed", "2026-11-21T11:00:00.000000Z"))
    assert watch.kinds() == ["held latency healing"]
    assert watch.say(burning("latency")).kinds() == ["raised budget/latency page"]


def test_symptoms_of_what_a_remedy_begins_against_wait_for_the_next_plan_of_the_round() -> None:
    watch = watched()
    watch.say(*OUTAGE)
    plans = []
    while facts := [fact for each in plan(watch.situation()).decisions for fact in each.facts]:
        watch.say(*facts)
        plans.append(facts)
    begins = next(place for place, facts in enumerate(plans) if any(isinstance(one, e.RemedyBegun) for one in facts))
    assert all(told(facts) == [] for facts in plans[: begins + 1])
