"""A machine that can do something about it goes first: who is on call is told when it did not help."""

from tests.control.alerts.watch import Watch, brief, healthy, later, sign
from tests.control.world import NAME

from flyball.control.plan import plan
from flyball.core import events as e
from flyball.core.routing import Observed


def rested(watch: Watch) -> list[e.AnyFact]:
    """What the whole planner says until it rests."""
    said: list[e.AnyFact] = []
    for _ in range(20):
        facts = [fact for each in plan(watch.situation()).decisions for fact in each.facts]
        if not facts:
            return said
        watch.say(*facts)
        said += facts
    raise AssertionError(f"no rest: {said[-3:]}")


def told(said: list[e.AnyFact]) -> list[str]:
    return [brief(fact) for fact in said if isinstance(fact, e.AlertRaised | e.AlertHeld)]


def test_a_page_waits_for_the_remedy_that_begins_in_the_same_round() -> None:
    watch = Watch()
    rested(watch)
    applied = e.RoutingApplied(service=NAME, key="route/fraud/1", epoch=watch.state.epoch)
    watch.observed = Observed(routing=watch.state.routing, counts=None)
    said = rested(watch.say(applied, healthy(sign("errors"))))
    (begun,) = [fact for fact in said if isinstance(fact, e.RemedyBegun)]
    assert begun.cause == "errors"
    assert told(said) == ["held errors healing"]
    assert begun.verify_by > later(0)
