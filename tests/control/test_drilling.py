"""A drill whose driver was killed is over at its time, and no plan says anything else of drills."""

from datetime import timedelta

from msgspec.structs import replace
from tests.control.loop import Loop, wanting
from tests.control.world import NAME

from flyball.control.check.drills import wrong_about_drills
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp

BEGUN = e.DrillBegun(service=NAME, drill="dr-1", fault="latency", share=0.05, until="", by="ada", proof="os_user")


def drilled(loop: Loop, seconds: float) -> e.DrillBegun:
    until = timestamp(loop.clock.now() + timedelta(seconds=seconds))
    begun = replace(BEGUN, until=until)
    loop.write(begun)
    return begun


def ends(loop: Loop) -> list[str]:
    return [entry.fact.outcome for entry in loop.ledger.read() if isinstance(entry.fact, e.DrillEnded)]


def test_a_drill_is_its_drivers_until_its_time_is_up_and_over_then_once() -> None:
    loop = Loop()
    drilled(loop, 60)
    loop.tick()
    assert ends(loop) == []
    loop.clock.advance(60)
    assert loop.tick().healing.drill is None
    loop.tick()
    assert ends(loop) == ["aborted"]


def test_a_freeze_does_not_keep_a_drill_open() -> None:
    loop = Loop()
    drilled(loop, 1)
    loop.write(e.Frozen(service=NAME, by="ada", why="maintenance"))
    loop.clock.advance(2)
    loop.tick()
    assert ends(loop) == ["aborted"]


def test_nothing_is_trained_on_what_a_drill_shows() -> None:
    loop = Loop()
    loop.sensor.seen = wanting()
    begun = drilled(loop, 600)
    decision = loop.tick().decisions["retrain"]
    assert f"drill {begun.drill} (latency) to end" in decision.waiting_for
    assert loop.learner.asked == []
    loop.write(e.DrillEnded(service=NAME, drill=begun.drill, fault="latency", outcome="passed"))
    loop.tick()
    assert len(loop.learner.asked) == 1


def test_the_check_lets_no_plan_begin_a_drill_or_end_one_early_or_with_an_outcome() -> None:
    now, later = "2026-11-21T10:00:00.000000Z", "2026-11-21T10:00:01.000000Z"
    state = ServiceState(service=NAME)
    runs = replace(state, healing=replace(state.healing, drill=replace(BEGUN, until=later)))
    ended = e.DrillEnded(service=NAME, drill="dr-1", fault="latency", outcome="aborted")
    assert wrong_about_drills(ended, runs, later) == []
    assert wrong_about_drills(ended, runs, now)
    assert wrong_about_drills(ended, runs, "")
    assert wrong_about_drills(ended, state, later)
    assert wrong_about_drills(replace(ended, drill="dr-2"), runs, later)
    assert wrong_about_drills(replace(ended, outcome="passed"), runs, later)
    assert wrong_about_drills(replace(BEGUN, until=later), state, now)
