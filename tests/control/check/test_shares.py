"""The check of plans holds a step that goes on with other shares to what was declared, and to its evidence."""

import pytest
from msgspec.structs import replace
from tests.control.check.test_policy import declared
from tests.control.loop import Loop, healthy
from tests.control.rollout.test_sharing import WIDE, pause
from tests.control.rollout.test_soak import DAY, NAME, rates, soaking
from tests.control.world import FIRST, SECOND, registered

from flyball.control.check.rules import broken_rules
from flyball.control.check.shares import lowers
from flyball.control.decision import Decision
from flyball.control.plan import Plan
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import RolloutId
from flyball.core.routing import Routing, Verdict

HOLD = Verdict(kind="HOLD", reason="nothing speaks against the candidate so far")
INVALID = Verdict(kind="INVALID", reason="the comparison is broken", cause="ratio_mismatch")
LOST = Verdict(kind="INCONCLUSIVE", reason="rows lack a record")


def again(state: ServiceState, **change: object) -> e.StepStarted:
    """The running step once more, its routing changed."""
    assert state.rollout is not None
    assert state.rollout.step is not None
    running = state.rollout.step
    routing: Routing = replace(running.routing, epoch=state.epoch + 1, **change)
    rollout, kind = RolloutId(state.rollout.rollout), running.routing.step
    assert kind == running.index
    return e.StepStarted(
        service=NAME,
        rollout=rollout,
        step=running.index,
        kind="canary" if running.kind == "canary" else "soak",
        key="k",
        routing=routing,
        why="w",
    )


def broken(fact: e.StepStarted, loop: Loop, state: ServiceState, verdict: Verdict | None) -> str:
    made = Plan(
        service=NAME, parent=state.version, decisions=(Decision(action="rollout", what="", why="", facts=(fact,)),)
    )
    return "; ".join(broken_rules(made, state, loop.service, verdict=verdict))


def in_canary() -> tuple[Loop, ServiceState]:
    loop = Loop(declared(steps=WIDE))
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    return loop, loop.tick()


@pytest.mark.parametrize("begin", [soaking, in_canary])
@pytest.mark.parametrize("verdict", [None, HOLD, INVALID, LOST])
def test_a_step_is_raised_with_evidence_that_has_no_objection_and_lowered_with_any(
    begin: type, verdict: Verdict | None
) -> None:
    loop, state = begin()
    full = state.routing.weight
    assert broken(again(state, weight=5000), loop, state, verdict) == ""
    loop.gateways.seen = rates(risen=8.0)
    state = loop.tick(DAY / 2 if full == 9500 else 10)
    told = broken(again(state, weight=full), loop, state, verdict)
    assert ("more weight against its evidence" in told) == (verdict is not HOLD)
    assert told == "" or verdict is not HOLD
    assert "which nobody declared" in broken(again(state, weight=full + 1), loop, state, HOLD)


def test_a_step_never_gets_more_than_it_began_with_whatever_others_may_have() -> None:
    loop, state = in_canary()
    assert state.rollout is not None
    assert state.rollout.step is not None
    first, small = state.rollout.step.first_epoch, replace(state.rollout.step.routing, weight=6000)
    running = replace(state.rollout.step, routing=replace(small, weight=5000))
    weights = (*state.rollout.weights, (first, 6000))
    state = replace(state, rollout=replace(state.rollout, step=running, weights=weights))
    assert broken(again(state, weight=6000), loop, state, HOLD) == ""
    assert "which nobody declared" in broken(again(state, weight=8000), loop, state, HOLD)


def test_a_step_that_begins_has_a_declared_weight() -> None:
    loop, state = in_canary()
    fact = again(state, weight=8001)
    assert "which nobody declared" in broken(replace(fact, step=fact.step + 1), loop, state, HOLD)


def test_while_a_person_holds_the_rollout_only_less_weight_is_let_through() -> None:
    loop, state = soaking()
    pause(loop, state)
    state = loop.tick()
    assert broken(again(state, weight=5000), loop, state, HOLD) == ""
    assert "while the rollout is paused" in broken(again(state, weight=9500), loop, state, HOLD)
    for more in ({"candidate": FIRST, "champion": SECOND}, {"guardrails": None}, {"salt": "another"}, {"shadow": 0.5}):
        fact = again(state, weight=5000, **more)
        assert not lowers(fact, state)
        assert "while the rollout is paused" in broken(fact, loop, state, HOLD)


def test_less_weight_needs_no_approval_and_more_does() -> None:
    loop, state = soaking()
    assert state.rollout is not None
    lost = replace(state, rollout=replace(state.rollout, approvals=()))
    assert broken(again(lost, weight=5000), loop, lost, HOLD) == ""
    assert "0 of 1 approvals" in broken(again(lost, weight=9500), loop, lost, HOLD)
