"""Rules of the policy: what never happens while a condition holds, and what no rule can stop."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from tests.control.loop import Loop, failing, healthy
from tests.control.world import NAME, SECOND, registered, service

from flyball.contracts.declaration.sense import of_policy
from flyball.core import events as e
from flyball.core.service import Policy, Rule


def loop_with(*rules: Rule) -> Loop:
    loop = Loop(replace(service(), policy=Policy(rules=rules)))
    loop.gateways.seen = healthy()
    loop.tick()
    loop.write(*registered(SECOND))
    return loop


def hour_now(loop: Loop) -> int:
    now: datetime = loop.clock.now().astimezone(UTC)
    return now.hour


def run(loop: Loop, ticks: int = 20) -> None:
    for _ in range(ticks):
        rollout = loop.tick().rollout
        if rollout is not None and rollout.asked is not None and rollout.approved is None:
            loop.approve()


def test_a_rule_holds_the_opening_for_as_long_as_it_is_true_and_is_named() -> None:
    loop = loop_with()
    late = Rule(action="rollout", when=f"hour == {hour_now(loop)}", effect="never", reason="not at this hour")
    loop = loop_with(late)
    run(loop, 3)
    assert not loop.facts(e.RolloutOpened)
    assert "not at this hour (policy.rules[0]" in loop.reconciler.state.decisions["rollout"].why
    loop.tick(3600.0)
    run(loop, 2)
    assert loop.facts(e.RolloutOpened)


def test_a_rule_holds_the_promotion_and_leaves_the_canary_where_it_is() -> None:
    loop = loop_with(Rule(action="promote", when='reason == "first"', effect="never", reason="no first"))
    run(loop)
    state = loop.reconciler.state
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "canary"
    assert "no first" in state.decisions["rollout"].why


@pytest.mark.parametrize("when", ["metrics.roc_auc.value < 0.5", 'gates["fairness"] != "PASS"'])
def test_what_a_rule_cannot_be_told_forbids(when: str) -> None:
    loop = loop_with(Rule(action="rollout", when=when, effect="never", reason="unknown"))
    run(loop, 3)
    assert not loop.facts(e.RolloutOpened)


def test_a_rule_of_another_action_or_that_is_false_changes_nothing() -> None:
    loop = loop_with(Rule(action="rollout", when="incident", effect="never", reason="an incident"))
    run(loop)
    assert loop.reconciler.state.champion == SECOND


@pytest.mark.parametrize(
    ("when", "wrong"),
    [
        ("weekend", "there is no variable weekend"),
        ('hour > "noon"', "different types"),
        ("hour + 1", "it gives int"),
        ("true", "it reads no evidence"),
        ("hour >", "Syntax error"),
        ("metrics.roc_auc > 0.5", "metrics.roc_auc.low"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_a_fault_of_the_file(when: str, wrong: str) -> None:
    policy = Policy(rules=(Rule(action="promote", when=when, effect="never", reason="?"),))
    ((path, _, found, _),) = of_policy(policy)
    assert path == ("policy", "rules", 0, "when")
    assert wrong in found


def test_no_rule_stops_the_way_back() -> None:
    loop = loop_with(Rule(action="promote", when="hour >= 0", effect="never", reason="never"))
    run(loop)
    loop.gateways.seen = failing()
    loop.tick()
    assert loop.tick().rollout is None
    assert any(isinstance(fact, e.RolledBack) for fact in loop.facts(e.RolledBack))
    assert loop.reconciler.state.service == NAME
