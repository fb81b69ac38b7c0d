"""The candidate of a drill is tried on the drill's share, goes back by itself, and can become nothing."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, failing, healthy
from tests.control.world import FIRST, NAME, SECOND, registered

from flyball.app.rollouts import promote
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision, Situation
from flyball.control.plan import Plan
from flyball.control.rollout.drilled import plan_drilled
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.errors import Refused
from flyball.core.ids import ReleaseRoot
from flyball.core.routing import WHOLE, Verdict

COPY = ReleaseRoot("sha256:" + "c" * 64)
SHARE = 0.05


def drilled(loop: Loop, seconds: float = 600.0, fault: str = "bad_candidate", copy_of: str = FIRST) -> None:
    until = timestamp(loop.clock.now() + timedelta(seconds=seconds))
    begun = e.DrillBegun(service=NAME, drill="dr-1", fault=fault, share=SHARE, until=until, by="ada", proof="os_user")
    offered = e.DrillCandidate(service=NAME, drill="dr-1", release=COPY, copy_of=ReleaseRoot(copy_of))
    loop.write(begun, offered)


def tried(loop: Loop | None = None) -> Loop:
    """A loop whose drill has live traffic."""
    loop = loop or Loop()
    loop.gateways.seen = healthy()
    drilled(loop)
    for _ in range(3):
        loop.tick()
    return loop


def test_it_gets_the_share_of_the_drill_and_no_more_however_long_it_is_well() -> None:
    loop = tried()
    rollout = loop.reconciler.state.rollout
    assert rollout is not None
    assert (rollout.drill, rollout.release) == ("dr-1", COPY)
    routing = loop.gateways.routing
    assert routing is not None
    assert (routing.champion, routing.candidate, routing.weight) == (FIRST, COPY, round(SHARE * WHOLE))
    for _ in range(5):
        loop.clock.advance(60.0)
        loop.tick()
    assert loop.gateways.routing == routing
    assert [fact.kind for fact in loop.each(e.StepStarted)] == ["canary"]
    assert "dr-1" in loop.reconciler.state.decisions["rollout"].why


def test_with_the_end_of_the_drill_it_is_back_and_nothing_of_it_is_left() -> None:
    loop = tried()
    before = loop.reconciler.state.recent
    loop.write(e.DrillEnded(service=NAME, drill="dr-1", fault="bad_candidate", outcome="missed"))
    for _ in range(3):
        loop.tick()
    state, routing = loop.reconciler.state, loop.gateways.routing
    assert routing is not None
    assert (routing.candidate, routing.weight, routing.champion) == (None, 0, FIRST)
    assert (state.rollout, state.champion, state.waiting) == (None, FIRST, ())
    assert COPY not in state.withdrawn
    assert state.recent == before, "it is in no count that a rule or a budget asks"
    (closed,) = loop.each(e.RolloutClosed)
    assert closed.outcome == "expired"


def test_a_driver_that_was_killed_takes_it_back_by_the_clock() -> None:
    loop = tried()
    loop.clock.advance(601.0)
    for _ in range(4):
        loop.tick()
    assert [fact.outcome for fact in loop.each(e.DrillEnded)] == ["aborted"]
    assert loop.reconciler.state.rollout is None
    routing = loop.gateways.routing
    assert routing is not None
    assert routing.candidate is None


def test_what_fails_goes_back_by_the_evidence_and_the_next_release_is_tried_then() -> None:
    loop = tried()
    loop.write(*registered(SECOND))
    loop.tick()
    assert loop.each(e.RolledBack) == []
    loop.gateways.seen = lambda routing: (failing if routing.candidate == COPY else healthy)()(routing)
    for _ in range(3):
        loop.tick()
    (back,) = loop.each(e.RolledBack)
    assert (back.release, back.by) == (COPY, "controller")
    assert loop.reconciler.state.recent.rollbacks == ()
    rollout = loop.reconciler.state.rollout
    assert rollout is not None, "a release that waited goes on when the drill's candidate has gone back"
    assert (rollout.release, rollout.drill) == (SECOND, "")


def test_nothing_is_tried_beside_another_champion_another_fault_or_a_freeze() -> None:
    for fault, copy_of in (("latency", FIRST), ("bad_candidate", SECOND)):
        loop = Loop()
        drilled(loop, fault=fault, copy_of=copy_of)
        loop.tick()
        assert loop.each(e.RolloutOpened) == []
    loop = Loop()
    drilled(loop)
    loop.write(e.Frozen(service=NAME, by="ada", why="maintenance"))
    loop.tick()
    assert loop.each(e.RolloutOpened) == []


def test_no_person_promotes_it() -> None:
    loop = tried()
    with pytest.raises(Refused, match="candidate of drill dr-1"):
        promote(loop.ledger, NAME, ADA, "it looks well")


def broken(state: ServiceState, *facts: e.AnyFact, now: str, action: str = "rollout") -> tuple[str, ...]:
    decision = Decision(action=action, what="", why="", facts=facts)
    made = Plan(service=NAME, parent=state.version, decisions=(decision,))
    return broken_rules(made, state, Loop().service, now=now, verdict=Verdict(kind="PROMOTE", reason=""))


def test_the_check_lets_no_plan_make_more_of_it() -> None:
    loop = tried()
    state, now = loop.reconciler.state, timestamp(loop.clock.now())
    (opened,), (started,) = loop.each(e.RolloutOpened), loop.each(e.StepStarted)
    routing = replace(started.routing, epoch=state.epoch + 1)
    more = replace(started, routing=replace(routing, weight=WHOLE))
    assert any("may touch" in rule for rule in broken(state, more, now=now))
    promoted = replace(
        started, kind="promote", step=1, routing=replace(routing, champion=COPY, candidate=None, previous=FIRST)
    )
    assert any("more than a candidate" in rule for rule in broken(state, promoted, now=now))
    appointed = e.ChampionAppointed(service=NAME, release=COPY, previous=ReleaseRoot(FIRST))
    for action in ("rollout", "rollback"):
        assert any("of a drill is tried" in rule for rule in broken(state, appointed, now=now, action=action))
    fresh = replace(state, rollout=None)
    assert any("not what drill" in rule for rule in broken(fresh, opened, now=now)), "it was offered once"
    offered = e.DrillCandidate(service=NAME, drill="dr-1", release=ReleaseRoot(SECOND), copy_of=ReleaseRoot(FIRST))
    loop.write(*registered(SECOND))
    known = replace(
        loop.reconciler.state, rollout=None, healing=replace(state.healing, offered=offered),
        releases=loop.reconciler.catch_up().releases,
    )  # fmt: skip
    as_release = replace(opened, release=ReleaseRoot(SECOND))
    assert any("is a release" in rule for rule in broken(known, as_release, now=now))
    late = timestamp(loop.clock.now() + timedelta(hours=1))
    assert any("does not run" in rule for rule in broken(state, replace(started, routing=routing), now=late))


def test_what_came_between_the_offer_and_the_step_holds_it() -> None:
    """Red before: a pause between the opening and the step was not asked, and the copy went live."""
    loop = tried()
    state, now = loop.reconciler.state, timestamp(loop.clock.now())
    assert state.rollout is not None
    (started,) = loop.each(e.StepStarted)
    paused = e.RolloutPaused(service=NAME, rollout=started.rollout, by="ada", proof="os_user", why="wait")
    held = replace(state, rollout=replace(state.rollout, step=None, paused=paused))
    fact = replace(started, routing=replace(started.routing, epoch=state.epoch + 1))
    assert any("paused" in rule for rule in broken(held, fact, now=now))


RELIEF = e.RemedyBegun(
    service=NAME,
    remedy="re-1",
    kind="fall_back",
    cause="errors",
    number=0,
    why="errors",
    verify_by="2999-01-01T00:00:00.000000Z",
)
INCIDENT = e.IncidentOpened(service=NAME, incident="in-1", kind="health", reason="errors", cause="errors")


@pytest.mark.parametrize("came", [RELIEF, INCIDENT])
def test_what_came_since_the_drill_began_keeps_it_from_any_traffic(came: e.AnyFact) -> None:
    """Red before: beside a relief by which others answer for the champion, the copy gave clients its bytes."""
    loop = Loop()
    drilled(loop)
    for facts, held in (((), False), ((came,), True)):
        loop.write(*facts)
        state, now = loop.reconciler.catch_up(), timestamp(loop.clock.now())
        made = plan_drilled(Situation(state=state, service=loop.service, now=now))
        assert (made is None) is held
        if made is not None:
            (opened,) = made.facts
    loop.write(opened)
    state = loop.reconciler.catch_up()
    made = plan_drilled(Situation(state=state, service=loop.service, now=now))
    assert made is None or not any(isinstance(fact, e.StepStarted) for fact in made.facts)


def test_where_others_answer_for_the_champion_its_copy_goes_back() -> None:
    loop = tried()
    loop.write(RELIEF)
    loop.tick()
    (closed,) = loop.each(e.RolloutClosed)
    assert "re-1 stands in for the champion" in closed.reason
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.candidate is None


def test_a_declaration_that_nobody_has_read_yet_keeps_it_from_any_traffic() -> None:
    loop = Loop()
    drilled(loop)
    state = loop.reconciler.catch_up()
    for stale in (False, True):
        made = plan_drilled(Situation(state=state, service=loop.service, now=timestamp(loop.clock.now()), stale=stale))
        assert (made is None) is stale


@pytest.mark.parametrize("field", ["copy_of", "champion"])
def test_the_check_asks_whose_copy_it_is(field: str) -> None:
    loop = tried()
    (opened,), state = loop.each(e.RolloutOpened), loop.reconciler.state
    other, now = ReleaseRoot(SECOND), timestamp(loop.clock.now())
    offered = e.DrillCandidate(service=NAME, drill="dr-1", release=COPY, copy_of=ReleaseRoot(FIRST))
    if field == "copy_of":
        offered = replace(offered, copy_of=other)
    else:
        opened = replace(opened, champion=other)
    fresh = replace(state, rollout=None, healing=replace(state.healing, offered=offered))
    assert any("no copy of the champion" in rule for rule in broken(fresh, opened, now=now))
