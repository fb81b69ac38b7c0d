"""Rules of the policy: what never happens while a condition holds, and what no rule can stop."""

from datetime import UTC, datetime
from typing import Literal

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, failing, healthy, wanting
from tests.control.world import FIRST, NAME, SECOND, THIRD, registered, service

from flyball.app.people import approve
from flyball.contracts.declaration.policy_sense import of_names, of_needed, of_policy
from flyball.control import policing
from flyball.core import events as e
from flyball.core.errors import FlyballError
from flyball.core.release import GateResult
from flyball.core.service import Autonomy, Gate, Metadata, Policy, Promote, Rollout, Rule, Step
from flyball.core.watching import Signal, SignalKind

Level = Literal["warn", "act"]


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


def approving(loop: Loop) -> e.ApprovalRequested:
    run_until_asked(loop)
    rollout = loop.reconciler.state.rollout
    assert rollout is not None
    assert rollout.asked is not None
    return rollout.asked


def run_until_asked(loop: Loop) -> None:
    for _ in range(10):
        rollout = loop.tick().rollout
        if rollout is not None and rollout.asked is not None:
            return


def needs_two(when: str) -> Rule:
    return Rule(action="promote", when=when, effect="needs", reason="it was not shown", quorum=2)


def test_a_rule_may_need_more_people_than_the_step_and_says_so_in_the_report() -> None:
    loop = loop_with(needs_two('reason == "first"'))
    asked = approving(loop)
    assert (asked.role, asked.quorum) == ("approver", 2)
    assert asked.report["policy"] == ['it was not shown (policy.rules[0]: reason == "first")']
    loop.approve()
    assert loop.tick().rollout is not None
    assert loop.reconciler.state.champion != SECOND
    assert "2 people" in loop.reconciler.state.decisions["rollout"].waiting_for[0]


@pytest.mark.parametrize(
    "when",
    [
        *("hour >= 15", "weight > 0.05", "incident", "champion_age_h < 24.0", "drift || risk"),
        *("rollouts_this_week > 3", "rolled_back_this_week > 0", "retrains_this_week > 2"),
    ],
)
def test_a_need_may_read_only_what_stays_for_it_is_asked_once(when: str) -> None:
    ((path, _, found, _),) = of_policy(Policy(rules=(needs_two(when),)))
    assert path == ("policy", "rules", 0, "when")
    assert "there is no variable" in found


def test_a_rule_that_is_false_needs_nobody_else() -> None:
    assert approving(loop_with(needs_two("by_exception"))).quorum == 1


def test_a_training_may_be_forbidden_and_the_ticket_says_by_which_rule() -> None:
    made = replace(
        service(),
        policy=Policy(rules=(Rule(action="retrain", when="hour >= 0", effect="never", reason="frozen year"),)),
    )
    loop = Loop(made)
    loop.gateways.seen = healthy()
    loop.tick()
    loop.sensor.seen = wanting()
    state = loop.tick()
    assert not loop.facts(e.RetrainOrdered)
    assert any("frozen year (policy.rules[0]" in wait for wait in state.decisions["retrain"].waiting_for)


def test_needs_that_nobody_can_meet_are_faults_of_the_file() -> None:
    people = Metadata(name="s", owner="o", people={"ada": ("approver",)})
    rules = (
        Rule(action="rollout", when="by_exception", effect="needs", reason="r", quorum=2),
        Rule(action="promote", when="by_exception", effect="needs", reason="r"),
        Rule(action="promote", when="incident", effect="never", reason="r", quorum=2),
        Rule(action="promote", when="by_exception", effect="needs", reason="r", quorum=2),
    )
    found = [(path[2:], expected) for path, expected, _, _ in of_policy(Policy(rules=rules))]
    assert found == [
        ((0, "effect"), "never, for rollout"),
        ((1, "quorum"), "how many people it needs"),
        ((2, "effect"), "needs, beside quorum"),
    ]
    one = Rule(action="retrain", when='trigger == "drift"', effect="needs", reason="r")
    assert not list(of_policy(Policy(rules=(one,))))
    ((path, *_),) = of_policy(Policy(rules=(replace(one, quorum=2),)))
    assert path == ("policy", "rules", 0, "quorum")
    (unmet,) = of_needed(Policy(rules=rules[3:]), Rollout(), people, Autonomy())
    assert unmet[1] == "at most the 1 who hold the role approver"
    nobody = Rollout(steps=(Step(promote=Promote()),))
    (asks,) = of_needed(Policy(rules=rules[3:]), nobody, None, Autonomy(promote="auto"))
    assert asks[1] == "an approval step, which asks"


@pytest.mark.parametrize(
    ("when", "what"),
    [
        ('weekday == "Friday"', "it compares the number weekday with a text"),
        ('gates["fairness"] != "PAS"', "never 'PAS'"),
        ('reason == "drfit"', "reason is one of first, drift,"),
        ('rollouts_this_week == "3"', "it compares the number rollouts_this_week with a text"),
        ('failed_rollouts != "0"', "it compares the number failed_rollouts with a text"),
        ('trigger == "drift"', "there is no variable trigger"),
        ('gate == "fairness"', "there is no variable gate"),
        ("metrics.roc_auc.lwo > 0.5", "a metric has value, low, high, n"),
    ],
)
def test_a_rule_that_can_never_be_true_or_never_be_told_is_a_fault_of_the_file(when: str, what: str) -> None:
    ((_, _, found, _),) = of_policy(Policy(rules=(Rule(action="rollout", when=when, effect="never", reason="r"),)))
    assert what in found


def test_gates_and_metrics_that_nobody_has_are_faults_of_the_file() -> None:
    when = 'gates["fairnes"] != "PASS" || metrics["roc_auk"].low < 0.5'
    rule = Rule(action="rollout", when=when, effect="never", reason="r")
    found = list(of_names(Policy(rules=(rule,)), (Gate(metric="accuracy", min=0.5, name="fairness"),)))
    assert [(what, fix) for _, _, what, fix in found] == [
        ("fairnes", "did you mean fairness?"),
        ("roc_auk", "did you mean roc_auc?"),
    ]


def test_a_gate_is_named_as_its_owner_named_it() -> None:
    """Its result carries the condition behind the name; the rule need not repeat it."""
    named = Gate(metric="accuracy", min=0.5, name="good enough")
    rule = Rule(action="rollout", when='gates["good enough"] != "PASS"', effect="never", reason="not shown")
    loop = Loop(replace(service(), gates=(named,), policy=Policy(rules=(rule,))))
    loop.gateways.seen = healthy()
    loop.tick()
    facts = registered(SECOND)
    assert isinstance(facts[0], e.ReleaseRegistered)
    passed = GateResult(name="good enough: accuracy min 0.5", metric="accuracy", passed=True, verdict="PASS", reason="")
    loop.write(replace(facts[0], release=replace(facts[0].release, gates=(passed,))), facts[1])
    loop.tick()
    assert loop.facts(e.RolloutOpened)


def test_a_rule_holds_the_canary_and_what_was_asked_stays_asked() -> None:
    loop = loop_with(Rule(action="canary", when="rollouts_this_week < 2", effect="never", reason="wait"))
    run(loop)
    state = loop.reconciler.state
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "approval"
    assert state.rollout.approved is not None
    assert "the policy forbids to give live traffic to a candidate: wait" in state.decisions["rollout"].why


def test_rules_count_what_happened_in_seven_days() -> None:
    most = Rule(action="rollout", when="rolled_back_this_week >= 1", effect="never", reason="a quiet week first")
    loop = loop_with(most)
    for _ in range(4):  # until live traffic
        loop.tick()
    loop.approve()
    loop.gateways.seen = failing()
    run(loop, 3)
    assert loop.facts(e.RolledBack)
    loop.gateways.seen = healthy()
    loop.write(*registered(THIRD))
    run(loop, 3)
    assert "a quiet week first" in loop.reconciler.state.decisions["rollout"].why
    loop.tick(7 * 86_400.0)
    run(loop)
    assert loop.reconciler.state.champion == THIRD


@pytest.mark.parametrize(
    ("kind", "level", "holds"), [("psi", "act", True), ("psi", "warn", False), ("risk", "act", True)]
)
def test_rules_hear_of_drift_and_of_risk_at_their_act_limits(kind: SignalKind, level: Level, *, holds: bool) -> None:
    loop = loop_with(Rule(action="rollout", when="drift || risk", effect="never", reason="the ground moves"))
    raised = Signal(signal=kind, level=level, value=0.3, limit=0.25, release=FIRST, window=3, first_row=0, last_row=9)
    loop.write(e.SignalRaised(service=NAME, signal=raised))
    run(loop, 3)
    assert bool(loop.facts(e.RolloutOpened)) is not holds
    loop.write(e.SignalCleared(service=NAME, signal=kind))
    run(loop, 3)
    assert loop.facts(e.RolloutOpened)


def wants_training(*rules: Rule) -> Loop:
    loop = Loop(replace(service(), policy=Policy(rules=rules)))
    loop.gateways.seen = healthy()
    loop.tick()
    loop.sensor.seen = wanting()
    loop.tick()
    return loop


def test_a_training_may_need_an_approver_for_one_trigger_where_it_goes_alone_for_others() -> None:
    look = Rule(action="retrain", when='trigger == "drift"', effect="needs", reason="look at it")
    loop = wants_training(look)
    assert loop.learner.asked == []
    (opened,) = loop.facts(e.TicketOpened)
    assert isinstance(opened, e.TicketOpened)
    assert opened.rung == "approval"
    assert "an approver to agree" in loop.reconciler.state.decisions["retrain"].waiting_for[0]
    ticket = loop.reconciler.state.ticket
    assert ticket is not None
    approve(loop.ledger, ticket.ticket, ADA)
    loop.tick()
    (order,) = loop.facts(e.RetrainOrdered)
    assert isinstance(order, e.RetrainOrdered)
    assert order.by == "policy"  # who agreed is not who trained
    alone = wants_training(replace(look, when='trigger == "webhook"'))
    assert len(alone.learner.asked) == 1


def test_a_planner_that_needs_no_approver_for_a_training_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policing, "agreement", lambda *_: None)
    with pytest.raises(FlyballError, match="a training without a person"):
        wants_training(Rule(action="retrain", when='trigger == "drift"', effect="needs", reason="look at it"))
