"""How often people are asked for an approval in a day: a rollout that would ask once more waits, nothing is lost."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.control.check.test_policy import declared
from tests.control.loop import ADA, Loop, failing, healthy
from tests.control.rollout.test_approving import ALONE
from tests.control.world import NAME, SECOND, THIRD, registered, release

from flyball.app import rollouts
from flyball.app.people import roll_back
from flyball.control.explain import explain
from flyball.core import events as e
from flyball.core.ids import ReleaseRoot
from flyball.core.release import Estimate
from flyball.core.service import Autonomy, Canary, Policy, Rule, Step
from flyball.decide.step_plan import Traffic

FOURTH = ReleaseRoot("sha256:" + "d" * 64)
DAY_S = 86_400.0


def loop_with(most: int | None, *asked: Rule, steps: Sequence[Step] = (), promote: str = "approval") -> Loop:
    made = declared(*asked)
    made = replace(made, policy=Policy(rules=asked, approvals_per_day=most))
    if steps:
        made = replace(made, rollout=replace(made.rollout, steps=tuple(steps)))
    if promote == "auto":
        made = replace(made, autonomy=Autonomy(promote="auto"))
    loop = Loop(made)
    loop.gateways.seen = healthy()
    loop.tick()
    return loop


def new(loop: Loop, root: ReleaseRoot) -> None:
    known = replace(release(root), metrics={"roc_auc": Estimate(value=0.9, low=0.88, high=0.92, n=500)})
    loop.write(e.ReleaseRegistered(service=NAME, release=known), registered(root)[1])


def run(loop: Loop) -> None:
    for _ in range(12):
        rollout = loop.tick().rollout
        if rollout is not None and rollout.asked is not None and rollout.approved is None:
            loop.approve()


def requests(loop: Loop) -> int:
    return len(loop.facts(e.ApprovalRequested))


def test_a_rollout_over_the_budget_waits_until_the_oldest_question_is_a_day_old() -> None:
    loop = loop_with(1)
    new(loop, SECOND)
    run(loop)
    assert loop.reconciler.state.champion == SECOND
    new(loop, THIRD)
    run(loop)
    state = loop.reconciler.state
    assert (state.champion, requests(loop)) == (SECOND, 1)
    (wait,) = state.decisions["rollout"].waiting_for
    assert wait.startswith("the attention of people: 1 of 1 approvals asked in 24 hours, free again ")
    assert wait in explain(NAME, loop.ledger.read(), {NAME: state}).waiting_for  # and so in `flyball status`
    loop.tick(DAY_S)
    run(loop)
    assert (loop.reconciler.state.champion, requests(loop)) == (THIRD, 2)


def test_the_newest_overtakes_what_waits_and_is_asked_about_once() -> None:
    loop = loop_with(1)
    for root in (SECOND, THIRD, FOURTH):
        new(loop, root)
        run(loop)
    assert requests(loop) == 1
    loop.tick(DAY_S)
    run(loop)
    assert (loop.reconciler.state.champion, requests(loop)) == (FOURTH, 2)


def test_none_a_day_is_no_rollout_that_asks() -> None:
    loop = loop_with(0)
    new(loop, SECOND)
    run(loop)
    assert not loop.facts(e.RolloutOpened)
    assert "0 of 0 approvals" in loop.reconciler.state.decisions["rollout"].waiting_for[0]


@pytest.mark.parametrize("asks", ["nobody", "the policy"])
def test_what_asks_nobody_waits_for_nobody(asks: str) -> None:
    steps = [Step(canary=Canary(weight=0.1, min_requests=10, min_s=0))]
    loop = loop_with(0, steps=steps, promote="auto") if asks == "nobody" else loop_with(0, ALONE)
    new(loop, SECOND)
    run(loop)
    assert loop.reconciler.state.champion == SECOND
    assert loop.reconciler.state.recent.asked == ()


def test_a_persons_order_is_not_bound() -> None:
    loop = loop_with(0)
    new(loop, SECOND)
    run(loop)
    rollouts.want(loop.ledger, NAME, SECOND, ADA, "today")
    run(loop)
    assert loop.reconciler.state.champion == SECOND


def test_no_way_back_and_no_incident_waits_for_it() -> None:
    steps = (*declared().rollout.steps[:1], Step(canary=Canary(weight=0.1, min_requests=10, min_s=9000)))
    loop = loop_with(1, steps=steps)
    new(loop, SECOND)
    run(loop)
    assert loop.reconciler.state.rollout is not None
    loop.gateways.seen = failing()
    loop.tick()
    assert loop.tick().rollout is None
    assert loop.facts(e.RolledBack)

    loop = loop_with(1)
    new(loop, SECOND)
    run(loop)
    roll_back(loop.ledger, NAME, ADA, "bad")
    loop.tick()
    assert loop.tick().champion != SECOND


def test_without_the_key_nobody_is_spared() -> None:
    loop = loop_with(None)
    for root in (SECOND, THIRD, FOURTH):
        new(loop, root)
        run(loop)
    assert requests(loop) == 3


@pytest.mark.parametrize(("requests_s", "opens"), [(500.0, True), (None, False)])
def test_a_rule_about_power_is_told_what_is_foretold_before_anybody_is_asked(
    requests_s: float | None, opens: bool
) -> None:
    """With the attention of people used up only what surely asks nobody may begin."""
    rule = replace(ALONE, when=f"!underpowered && {ALONE.when}")
    made = replace(declared(rule), policy=Policy(rules=(rule,), approvals_per_day=0))
    loop = Loop(made, traffic=lambda: Traffic(requests_s=requests_s, errors=0.001, slow=0.01, source="a log"))
    loop.gateways.seen = healthy()
    loop.tick()
    new(loop, SECOND)
    loop.tick()
    assert bool(loop.facts(e.RolloutOpened)) == opens
