"""Shares of a running step: down on a suspicion whatever else stands, up only where nothing speaks against it."""

from collections.abc import Callable
from typing import Literal

import pytest
from msgspec.structs import replace
from tests.control.check.test_policy import declared
from tests.control.loop import Loop, healthy
from tests.control.rollout.test_soak import DAY, NAME, counting, rates, soaking, step, weight
from tests.control.world import SECOND, registered

from flyball.control.state.rollout_state import trial_of
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import RolloutId
from flyball.core.routing import ArmCounts, OwnRates, Routing, StepCounts, TestSums
from flyball.core.service import Approval, Canary, Promote, Rule, Step

WIDE = (
    Step(approval=Approval()),
    Step(canary=Canary(weight=0.8, min_requests=10**9, min_s=0)),
    Step(promote=Promote()),
)
Counts = Callable[[Routing], StepCounts]


def lowered() -> Loop:
    loop, _ = soaking()
    loop.gateways.seen = rates(risen=8.0)
    loop.tick(DAY / 2)
    assert weight(loop) == 5000
    return loop


def settled(**change: object) -> Counts:
    """What had risen is over, and the counts are otherwise as the test wants them."""
    arm = ArmCounts(requests=5000, units=5000, errors=5)
    told = {"candidate": arm, "champion": arm, "rollout_candidate": arm, "own_rates_": OwnRates(still=SETTLED)} | change
    return counting(lambda seen: replace(seen, **told))


SETTLED = TestSums(errors=-2.5)
MISMATCH = settled(
    candidate=ArmCounts(requests=5000, units=9000, errors=5), champion=ArmCounts(requests=5000, units=1000, errors=5)
)
LOST = settled(received=10_000, written=5000, dropped=5000)


@pytest.mark.parametrize("doubtful", [MISMATCH, LOST], ids=["sample ratio mismatch", "lost records"])
def test_counts_that_cannot_be_believed_raise_no_weight_and_may_lower_it(doubtful: Counts) -> None:
    loop = lowered()
    loop.gateways.seen = doubtful
    assert (step(loop.tick(60)), weight(loop)) == ("soak", 5000)
    loop.gateways.seen = settled()
    assert (step(loop.tick(60)), weight(loop)) == ("soak", 9500)
    risen = OwnRates(risen=TestSums(errors=8.0))
    loop.gateways.seen = lambda routing: replace(doubtful(routing), own_rates_=risen)
    assert (step(loop.tick(60)), weight(loop)) == ("soak", 5000)


def test_a_step_whose_time_is_over_is_given_no_more_weight() -> None:
    loop = lowered()
    loop.gateways.seen = settled(dropped=5000, received=10_000)
    loop.tick(30 * DAY)
    assert weight(loop) == 5000


def pause(loop: Loop, state: ServiceState) -> None:
    assert state.rollout is not None
    name = RolloutId(state.rollout.rollout)
    loop.write(e.RolloutPaused(service=NAME, rollout=name, by="ann", proof="os_user", why="a holiday"))


def test_a_rollout_that_a_person_holds_is_lowered_and_raised_only_when_it_goes_on() -> None:
    loop, state = soaking()
    pause(loop, state)
    loop.gateways.seen = rates(risen=8.0)
    state = loop.tick(60)
    assert (step(state), weight(loop)) == ("soak", 5000)
    assert state.rollout is not None
    assert state.rollout.paused is not None
    assert state.decisions["rollout"].why == "wait: paused by ann: a holiday"
    loop.gateways.seen = rates(still=-2.5)
    loop.tick(60)
    assert weight(loop) == 5000
    resumed = e.RolloutResumed(service=NAME, rollout=RolloutId(state.rollout.rollout), by="ann", proof="os_user")
    loop.write(resumed)
    loop.tick(60)
    assert weight(loop) == 9500


def wide(action: Literal["canary", "promote"]) -> Loop:
    """A canary of 80 %, lowered; the rule binds while the candidate has any traffic."""
    rule = Rule(action=action, when="weight > 0.0", effect="never", reason=f"no {action} now")
    loop = Loop(declared(rule, steps=WIDE))
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    loop.tick()
    assert weight(loop) == 8000
    loop.gateways.seen = rates(risen=8.0)
    loop.tick(10)
    assert weight(loop) == 5000
    loop.gateways.seen = rates(still=-2.5)
    return loop


def test_a_canary_is_raised_by_the_rules_about_canaries() -> None:
    loop = wide("canary")
    assert step(loop.tick(10)) == "canary"  # the planner waits, and the check of plans refuses nothing
    assert weight(loop) == 5000
    loop = wide("promote")
    loop.tick(10)
    assert weight(loop) == 8000


def test_the_monitor_is_told_that_it_is_the_same_step() -> None:
    loop, state = soaking()
    before = trial_of(state.rollout)
    loop.gateways.seen = rates(risen=8.0)
    after = trial_of(loop.tick(DAY / 2).rollout)
    assert before is not None
    assert after is not None
    assert after.epoch == before.epoch
    assert [after.weights[epoch] for epoch in sorted(after.weights)][-2:] == [9500, 5000]
