"""A rollout that cannot answer begins only where its steps are accepted by name, and nobody opens it all the same."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop
from tests.control.world import NAME, OPENED, POLICY, SECOND, registered, service

from flyball.app import rollouts
from flyball.app.people import Person
from flyball.app.waivers import waive
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision
from flyball.control.plan import Plan
from flyball.control.reconcile.foretelling import AGAIN_S
from flyball.core import events as e
from flyball.core.errors import BadInput, NotAllowed, Unavailable
from flyball.core.ids import Digest
from flyball.core.rollout_power import RolloutPower, WeakStep
from flyball.core.service import Canary, Service, Shadow, Step
from flyball.decide.step_plan import Traffic

BOB = Person(name="bob", proof="os_user")
THIN = service(
    steps=(
        Step(shadow=Shadow(min_pairs=10)),
        Step(canary=Canary(weight=0.01, min_s=0, timeout_s=3600)),
        Step(canary=Canary(weight=0.5, min_s=0, timeout_s=86_400)),
    )
)


def traffic(requests_s: float | None = 2.0) -> Traffic:
    return Traffic(requests_s=requests_s, errors=0.001, slow=0.01, source="a log")


def waiting(declared: Service = THIN, seen: Callable[[], Traffic] = traffic) -> Loop:
    loop = Loop(declared, traffic=seen)
    loop.tick()
    loop.write(*registered(SECOND))
    loop.tick()
    return loop


def opened(loop: Loop) -> e.RolloutOpened:
    (fact,) = loop.facts(e.RolloutOpened)
    assert isinstance(fact, e.RolloutOpened)
    return fact


def test_an_underpowered_rollout_waits_and_says_why_and_what_would_help() -> None:
    loop = waiting()
    assert loop.facts(e.RolloutOpened) == []
    told = loop.reconciler.state.decisions["rollout"]
    assert "canary-1% is underpowered: 300 requests of the candidate take 15,000 s" in told.why
    assert f"flyball rollout waive {NAME} canary-1% --why" in told.waiting_for[0]
    said = loop.types()
    for _ in range(5):
        loop.tick()
    assert loop.types() == said  # told once


def test_a_word_that_accepts_the_step_lets_it_begin_and_stands_in_the_opening() -> None:
    loop = waiting()
    waive(loop.ledger, NAME, ["canary-1%"], ADA, "the next step looks again")
    loop.tick()
    power = opened(loop).power
    assert power is not None
    assert (power.verdict, [(weak.step, weak.waived) for weak in power.steps]) == (
        "POWERED",
        [("canary-1%", "ada: the next step looks again")],
    )


def test_it_begins_with_the_traffic_that_it_needs_and_not_before_somebody_looks_again() -> None:
    rate = [2.0]
    loop = waiting(seen=lambda: traffic(rate[0]))
    rate[0] = 200.0
    loop.tick(AGAIN_S / 2)
    assert loop.facts(e.RolloutOpened) == []
    loop.tick(AGAIN_S)
    power = opened(loop).power
    assert power is not None
    assert (power.verdict, power.steps, power.traffic) == ("POWERED", (), "200 requests a second (a log)")


def test_what_nobody_can_tell_holds_nothing_and_is_on_record() -> None:
    def gone() -> Traffic:
        raise Unavailable("no log")

    for seen, words in ((lambda: traffic(None), "nobody can tell"), (gone, "nobody can tell: no log")):
        power = opened(waiting(seen=seen)).power
        assert power is not None
        assert (power.verdict, power.traffic) == ("UNKNOWN", words)


def test_a_moment_without_a_log_does_not_open_what_was_refused() -> None:
    there = [True, False, False, True]

    def flaky() -> Traffic:
        if not there.pop(0):
            raise Unavailable("the log is rotating")
        return traffic(200.0) if not there else traffic()

    loop = waiting(seen=flaky)
    for _ in range(2):
        loop.tick(AGAIN_S)
        assert loop.facts(e.RolloutOpened) == []
        assert "as of before: the log is rotating" in loop.reconciler.state.decisions["rollout"].why
        asked = len(there)
        loop.tick()
        assert len(there) == asked  # a log that cannot be read is not asked at each look
    loop.tick(AGAIN_S)
    assert opened(loop).release == SECOND
    assert there == []


def test_a_step_is_accepted_in_the_declaration_too() -> None:
    declared = replace(THIN, rollout=replace(THIN.rollout, waive={"canary-1%": "a smoke test"}))
    power = opened(waiting(declared)).power
    assert power is not None
    assert power.steps[0].waived == "service.yaml: a smoke test"


def test_a_word_is_void_under_another_policy() -> None:
    loop = waiting()
    waive(loop.ledger, NAME, ["canary-1%"], ADA, "so")
    (declared,) = loop.facts(e.ServiceDeclared)
    assert isinstance(declared, e.ServiceDeclared)
    loop.write(replace(declared, policy=Digest("sha256:" + "9" * 64)))
    assert loop.reconciler.catch_up().waived == {}
    late = e.StepWaived(service=NAME, step="canary-1%", policy=POLICY, by="ada", proof="os_user", why="so")
    loop.write(late)
    assert loop.reconciler.catch_up().waived == {}


def test_only_an_approver_accepts_only_steps_that_are_there_and_each_once() -> None:
    loop = waiting()
    with pytest.raises(NotAllowed):
        waive(loop.ledger, NAME, ["canary-1%"], BOB, "so")
    with pytest.raises(BadInput) as wrong:
        waive(loop.ledger, NAME, ["canary-2%", "promote", "canary-1%"], ADA, "so")
    assert [fault.found for fault in wrong.value.faults] == ["canary-2%", "promote"]
    waive(loop.ledger, NAME, ["canary-1%", "canary-1%"], ADA, "so")
    waive(loop.ledger, NAME, ["canary-1%"], ADA, "again")
    assert len(loop.facts(e.StepWaived)) == 1


def test_a_start_may_bring_the_word() -> None:
    loop = waiting()
    with pytest.raises(NotAllowed):
        rollouts.want(loop.ledger, NAME, None, BOB, "now", waive=["canary-1%"])
    rollouts.want(loop.ledger, NAME, None, ADA, "now", waive=["canary-1%"])
    loop.tick()
    assert opened(loop).release == SECOND


WEAK = RolloutPower(verdict="UNDERPOWERED", traffic="t", steps=(WeakStep(step="canary-1%", reasons=("r",)),))


@pytest.mark.parametrize(
    ("told", "made", "rule"),
    [
        (WEAK, WEAK, "canary-1% is underpowered, and nobody has waived it"),
        (None, WEAK, "another forecast"),
        (replace(WEAK, verdict="POWERED"), WEAK, "another forecast"),
        (replace(WEAK, verdict="POWERED"), replace(WEAK, verdict="POWERED"), "nobody has waived it"),
        (replace(WEAK, steps=()), replace(WEAK, steps=()), "found underpowered"),
    ],
)
def test_a_planner_that_opens_it_all_the_same_is_stopped(
    told: RolloutPower | None, made: RolloutPower | None, rule: str
) -> None:
    loop = waiting()
    state = loop.reconciler.state
    fact = replace(OPENED, policy=Digest(state.policy), power=told)
    plan = Plan(
        service=NAME, parent=state.version, decisions=(Decision(action="rollout", what="", why="", facts=(fact,)),)
    )
    assert any(rule in each for each in broken_rules(plan, state, loop.service, power=made))
    accepted = replace(loop.service, rollout=replace(loop.service.rollout, waive={"canary-1%": "so"}))
    ok = replace(WEAK, verdict="POWERED", steps=(replace(WEAK.steps[0], waived="service.yaml: so"),))
    passed = replace(plan, decisions=(replace(plan.decisions[0], facts=(replace(fact, power=ok),)),))
    assert broken_rules(passed, state, accepted, power=ok) == ()
