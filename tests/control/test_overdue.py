"""What a service owes by its own facts and its own declaration."""

from datetime import timedelta

from msgspec.structs import replace
from tests.control.alerts.watch import Watch
from tests.control.loop import Loop
from tests.control.world import NAME, service

from flyball.control.overdue import links, overdue
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.serving import Constant, FallbackLink, Serving

CHAIN = Serving(fallback=("previous", FallbackLink(constant=Constant(prediction=0))))
DECLARED = replace(service(), serving=CHAIN, drills={"disaster": "quarterly", "fallback": "weekly"})


def owed(loop: Loop, days: float) -> list[str]:
    now = timestamp(loop.clock.now() + timedelta(days=days))
    return [each.cause for each in overdue(loop.reconciler.catch_up(), DECLARED, now)]


def test_drills_and_links_are_owed_until_they_are_done() -> None:
    loop = Loop(DECLARED)
    assert owed(loop, 1) == []
    assert owed(loop, 95) == [
        "overdue/drill-fallback-constant",
        "overdue/drill-fallback-previous",
        "overdue/drill-disaster",
    ]
    loop.write(e.FallbackExercised(service=NAME, link="constant", period=1, rows=20, answered=20, agreed=0))
    loop.write(e.DrillEnded(service=NAME, drill="dr-1", fault="disaster", outcome="passed"))
    assert owed(loop, 13) == []
    assert set(owed(loop, 15)) == {"overdue/drill-fallback-previous", "overdue/drill-fallback-constant"}


def test_a_drill_that_was_aborted_is_still_owed() -> None:
    loop = Loop(DECLARED)
    loop.write(e.DrillEnded(service=NAME, drill="dr-1", fault="disaster", outcome="aborted"))
    assert "overdue/drill-disaster" in owed(loop, 95)


def test_the_links_of_a_chain_have_the_names_of_their_exercises() -> None:
    assert links(DECLARED.serving) == ("previous", "constant")


def test_an_overdue_drill_is_a_ticket_until_it_is_made() -> None:
    watch = Watch()
    watch.service = replace(watch.service, drills={"disaster": "weekly"})
    assert watch.kinds() == []
    assert watch.after(8 * 86_400).kinds() == ["raised overdue/drill-disaster ticket"]
    made = e.DrillEnded(service=NAME, drill="dr-1", fault="disaster", outcome="passed")
    assert watch.say(made).kinds() == ["resolved"]
