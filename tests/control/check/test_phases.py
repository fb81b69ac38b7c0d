"""The table of phases is what rollouts do, and the page is drawn from it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.control.loop import Loop, failing, healthy
from tests.control.rollout.test_holding import LIVE, running, ticked
from tests.control.world import NAME, THIRD, registered, service

from flyball.app import rollouts
from flyball.app.people import Person, roll_back
from flyball.control.check.phases import TABLE, allowed, drawing, phase_of
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "rollout-states.md"
ADA = Person(name="ada", proof="os_user")


def promoted() -> Loop:
    loop = running(service(steps=LIVE))
    loop.approve()
    ticked(loop)
    rollouts.resume(loop.ledger, NAME, ADA)
    ticked(loop)
    return loop


def taken_back() -> Loop:
    loop = running()
    loop.approve()
    ticked(loop, 2)
    loop.gateways.seen = failing()
    ticked(loop)
    return loop


def tried_again() -> Loop:
    loop = running()
    roll_back(loop.ledger, NAME, ADA, "smells")
    ticked(loop)
    rollouts.want(loop.ledger, NAME, None, ADA, "again")
    ticked(loop)
    return loop


def expired() -> Loop:
    loop = running()
    loop.tick(seconds=8 * 86_400)
    loop.gateways.seen = healthy()
    loop.write(*registered(THIRD))
    ticked(loop)
    return loop


@pytest.mark.parametrize("story", [promoted, taken_back, tried_again, expired])
def test_every_history_stays_on_the_table(story: Callable[[], Loop]) -> None:
    state, seen = ServiceState(service=NAME), set()
    for entry in story().ledger.read():
        before = phase_of(state.rollout)
        state = fold(state, entry)
        after = phase_of(state.rollout)
        assert allowed(before, entry.fact, after), (entry.type, before, after)
        if before != after:
            seen.add((before, entry.type))
    assert len(seen) >= 3
    assert seen <= set(TABLE)


def test_the_page_shows_the_table_as_it_is() -> None:
    # to renew it: put the text of `flyball.control.check.phases.drawing()` between the fences
    drawn = PAGE.read_text().split("```text\n")[1].split("\n```")[0]
    assert drawn == drawing()


def test_what_is_not_on_the_table_is_not_allowed() -> None:
    loop = running(service(steps=LIVE))
    (started, *_) = [entry.fact for entry in loop.ledger.read() if entry.type == "step.started"]
    assert not allowed("canary", started, "shadow")
    assert not allowed("approval", started, "approval")
    assert not allowed("opened", started, "none")
    assert allowed("canary", started, "promote")
