"""The check of plans asks the rules of the policy itself: a planner that is broken in one way or another is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.check.test_rules import rules
from tests.control.loop import Loop, healthy, wanting
from tests.control.world import FIRST, NAME, OPENED, SECOND, THIRD, registered, release, service

from flyball.app.people import Person, approve
from flyball.control import policing, retraining
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision, Situation
from flyball.control.plan import Plan
from flyball.control.rollout import approving, opening, rolling_out
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import FlyballError
from flyball.core.ids import Digest
from flyball.core.ledger import Command
from flyball.core.policy_facts import sample
from flyball.core.release import Estimate, GateResult
from flyball.core.service import (
    Approval,
    Canary,
    Gate,
    Metadata,
    Policy,
    Promote,
    Role,
    Rollout,
    Rule,
    Service,
    Soak,
    Step,
)
from flyball.decide.policy import Needed
from flyball.decide.step_plan import Traffic

SOAKED = (
    Step(approval=Approval()),
    Step(canary=Canary(weight=0.1, min_requests=10, min_s=0)),
    Step(soak=Soak(min_requests=10, min_s=0)),
    Step(promote=Promote()),
)
NEVER = {
    action: Rule(action=action, when="hour >= 0", effect="never", reason=f"no {action}")
    for action in ("rollout", "canary", "promote", "retrain")
}
TWICE = Rule(action="promote", when='reason == "first"', effect="needs", reason="not alone", quorum=2)
PASSED = GateResult(name="good enough: accuracy min 0.5", metric="accuracy", passed=True, verdict="PASS", reason="")


def declared(*asked: Rule, steps: tuple[Step, ...] = SOAKED) -> Service:
    roles: tuple[Role, ...] = ("approver", "operator")
    return replace(
        service(),
        policy=Policy(rules=asked),
        rollout=Rollout(steps=steps),
        metadata=Metadata(name="fraud", owner="risk", people=dict.fromkeys(("ada", "eve", "tom"), roles)),
    )


def plenty() -> Traffic:
    """With which each step above can answer."""
    return Traffic(requests_s=200.0, errors=0.001, slow=0.01, source="a log")


def begun(made: Service, *, by: str = "", traffic: Callable[[], Traffic] | None = None) -> Loop:
    loop = Loop(made, traffic=traffic)
    loop.gateways.seen = healthy()
    loop.tick()
    known = replace(
        release(SECOND), metrics={"roc_auc": Estimate(value=0.9, low=0.88, high=0.92, n=500)}, gates=(PASSED,)
    )
    known = replace(known, trained_rows=2000, holdout_rows=500)
    _, judged = registered(SECOND)
    loop.write(e.ReleaseRegistered(service=NAME, release=known, by=by), judged)
    return loop


def run(loop: Loop, *people: str, ticks: int = 12) -> None:
    for _ in range(ticks):
        rollout = loop.tick().rollout
        if rollout is not None and rollout.asked is not None and rollout.approved is None:
            for name in people:
                approve(loop.ledger, NAME, Person(name=name, proof="os_user"))


def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planner that asks no rule."""
    for place in (opening, rolling_out):
        monkeypatch.setattr(place, "barred", lambda *_: None)
    monkeypatch.setattr(retraining, "training_barred", lambda *_: ())
    monkeypatch.setattr(approving, "asked_of", lambda *_: Needed(quorum=1))


def test_a_planner_that_asks_no_rule_opens_promotes_and_trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    blind(monkeypatch)
    loop = begun(declared(NEVER["rollout"]))
    with pytest.raises(FlyballError, match=r"rollout: policy.rules\[0\] forbids it: no rollout"):
        loop.tick()
    assert not loop.facts(e.RolloutOpened)

    loop = begun(declared(NEVER["canary"]))
    with pytest.raises(FlyballError, match=r"canary: policy.rules\[0\] forbids it: no canary"):
        run(loop, "ada")
    assert [f.kind for f in loop.facts(e.StepStarted) if isinstance(f, e.StepStarted)] == ["approval"]

    loop = begun(declared(NEVER["promote"]))
    with pytest.raises(FlyballError, match=r"promote: policy.rules\[0\] forbids it: no promote"):
        run(loop, "ada")
    assert [f.kind for f in loop.facts(e.StepStarted) if isinstance(f, e.StepStarted)] == ["approval", "canary"]

    loop = Loop(declared(NEVER["retrain"]))
    loop.gateways.seen = healthy()
    loop.tick()
    loop.sensor.seen = wanting()
    with pytest.raises(FlyballError, match=r"retrain: policy.rules\[0\] forbids it: no retrain"):
        loop.tick()
    assert loop.learner.asked == []


def test_a_planner_that_asks_fewer_people_than_a_rule_needs_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    blind(monkeypatch)
    loop = begun(declared(TWICE))
    with pytest.raises(FlyballError, match="1 people are asked, where 2 are needed"):
        run(loop, "ada")
    assert not loop.facts(e.ApprovalRequested)


def test_nothing_is_refused_that_the_planner_may_do() -> None:
    loop = begun(declared(TWICE, replace(NEVER["promote"], when="metrics.roc_auc.low < 0.5")))
    run(loop, "ada", "eve")
    assert loop.reconciler.state.champion == SECOND


# What each fact is at the soak below, as a condition that is true: a rule that forbids it while it is.
TRUE = {
    "hour": "hour < 24",
    "weekday": "weekday > 0",
    "incident": "!incident",
    "drift": "!drift",
    "risk": "!risk",
    "rollouts_this_week": "rollouts_this_week == 1",
    "rolled_back_this_week": "rolled_back_this_week == 0",
    "retrains_this_week": "retrains_this_week == 0",
    "by_exception": "!by_exception",
    "by_person": "!by_person",
    "failed_rollouts": "failed_rollouts == 0",
    "underpowered": "!underpowered",
    "reason": 'reason == "first"',
    "trained_rows": "trained_rows == 2000",
    "holdout_rows": "holdout_rows == 500",
    "weight": "weight > 0.09 && weight < 0.11",
    "champion_age_h": "champion_age_h < 1.0",
    "metrics": "metrics.roc_auc.low > 0.8",
    "gates": 'gates["good enough"] == "PASS"',
}
WRONG: dict[str, Any] = {
    **dict.fromkeys(("weekday", "trained_rows", "holdout_rows", "failed_rollouts"), -1),
    **dict.fromkeys(("rollouts_this_week", "rolled_back_this_week", "retrains_this_week"), 9),
    **dict.fromkeys(("incident", "drift", "risk", "by_exception", "by_person", "underpowered"), True),
    "hour": 24,
    "reason": "drift",
    "weight": 0.0,
    "champion_age_h": 99.0,
    "metrics": {"roc_auc": {"value": 0.1, "low": 0.1, "high": 0.1, "n": 1}},
    "gates": {"good enough": "FAIL"},
}


def test_each_fact_of_the_policy_is_broken_below() -> None:
    assert TRUE.keys() == WRONG.keys() == sample("").keys()


@pytest.mark.parametrize("fact", sorted(TRUE))
def test_a_planner_that_is_told_one_fact_wrongly_is_refused(fact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = declared(replace(NEVER["promote"], when=TRUE[fact]))
    made = replace(made, gates=(Gate(metric="accuracy", min=0.5, name="good enough"),))
    sound = policing.facts_of

    def bent(situation: Situation, root: str) -> dict[str, Any]:
        return sound(situation, root) | {fact: WRONG[fact]}

    loop = begun(made, traffic=plenty if fact == "underpowered" else None)
    run(loop, "ada")
    state = loop.reconciler.state
    assert state.rollout is not None
    assert f"no promote (policy.rules[0]: {TRUE[fact]})" in state.decisions["rollout"].why  # a sound planner waits
    monkeypatch.setattr(policing, "facts_of", bent)
    with pytest.raises(FlyballError, match="no promote"):
        loop.tick()


ALONE = Rule(action="promote", when="!underpowered", effect="alone", reason="routine")
NOT_WEAK = Rule(action="promote", when="underpowered", effect="needs", reason="weak evidence", quorum=2)


def nothing_known() -> Traffic:
    return replace(plenty(), requests_s=None)


@pytest.mark.parametrize("traffic", [None, nothing_known])
def test_a_rule_that_asks_what_nobody_can_tell_binds_and_lets_nobody_go_alone(
    traffic: Callable[[], Traffic] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody looked, or nobody knows the traffic: that is not "no"."""

    def asked(*rules: Rule) -> e.ApprovalRequested:
        loop = begun(declared(*rules), traffic=traffic)
        run(loop)
        (fact,) = loop.facts(e.ApprovalRequested)
        assert isinstance(fact, e.ApprovalRequested)
        return fact

    assert asked(ALONE).alone == ""
    assert asked(NOT_WEAK).quorum == 2
    sound = policing.facts_of
    monkeypatch.setattr(policing, "facts_of", lambda *told: sound(*told) | {"underpowered": False})
    with pytest.raises(FlyballError, match="1 people are asked, where 2 are needed"):
        asked(NOT_WEAK)
    with pytest.raises(FlyballError, match="no rule of the policy lets it be promoted without a person"):
        asked(ALONE)


def test_a_rule_is_told_what_was_foretold() -> None:
    loop = begun(declared(ALONE, NOT_WEAK), traffic=plenty)
    run(loop)
    (fact,) = loop.facts(e.ApprovalRequested)
    assert isinstance(fact, e.ApprovalRequested)
    assert fact.alone.startswith("routine")


@pytest.mark.parametrize("when", ["metrics.pr_auc.value > 0.1", 'gates["fairness"] == "PASS"', "hour / 0 == 1"])
def test_a_rule_that_cannot_be_asked_refuses_the_plan(when: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blind(monkeypatch)
    with pytest.raises(FlyballError, match="no rollout"):
        begun(declared(replace(NEVER["rollout"], when=when))).tick()


def test_who_says_no_time_is_told_no_rule_about_it() -> None:
    made = declared(replace(NEVER["rollout"], when="hour == 25"))
    state = ServiceState(service=NAME)
    for entry in begun(made).ledger.read():
        state = fold(state, entry)
    opened = replace(OPENED, policy=Digest(state.policy))
    plan = Plan(service=NAME, parent=state.version, decisions=(decided(opened),))
    assert any("hour == 25" in told for told in broken_rules(plan, state, made))
    assert broken_rules(plan, state, made, now="2026-11-21T10:00:00Z") == ()


def decided(*facts: e.AnyFact, commands: tuple[Command, ...] = ()) -> Decision:
    return Decision(action="rollout", what="", why="", facts=facts, commands=commands)


def promoting(
    *asked: Rule, people: tuple[str, ...] = ("ada", "eve"), by: str = ""
) -> tuple[Service, ServiceState, Any]:
    """The state in which the planner started the soak, and the fact."""
    loop = begun(declared(*asked), by=by)
    run(loop, *people)
    state = ServiceState(service=NAME)
    for entry in loop.ledger.read():
        if isinstance(entry.fact, e.StepStarted) and entry.fact.kind == "soak":
            return loop.service, state, entry.fact
        state = fold(state, entry)
    raise AssertionError(f"no soak: {loop.types()}")


Change = Callable[[ServiceState], ServiceState]


def with_approvals(change: Callable[[tuple[e.ApprovalGiven, ...]], tuple[e.ApprovalGiven, ...]]) -> Change:
    def changed(state: ServiceState) -> ServiceState:
        assert state.rollout is not None
        return replace(state, rollout=replace(state.rollout, approvals=change(state.rollout.approvals)))

    return changed


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (with_approvals(lambda given: given[:1]), "1 of 2 approvals"),
        (with_approvals(lambda given: (given[0], replace(given[1], by=given[0].by))), "1 of 2 approvals"),
        (with_approvals(lambda given: (given[0], replace(given[1], model=THIRD))), "1 of 2 approvals"),
        (with_approvals(lambda given: (given[0], replace(given[1], evidence=Digest("sha256:0")))), "1 of 2 approvals"),
        (with_approvals(lambda given: (given[0], replace(given[1], policy=Digest("sha256:0")))), "1 of 2 approvals"),
    ],
)
def test_a_promotion_has_the_quorum_that_the_rules_asked(change: Change, rule: str) -> None:
    made, state, fact = promoting(TWICE)
    assert rules(fact, state, made) == ()
    assert rule in rules(fact, change(state), made)


def test_a_promotion_has_the_quorum_that_was_asked_and_the_one_that_the_rules_ask() -> None:
    """Each of the two is enough to refuse it: a request that was too small, and one that was larger than the rules."""
    made, state, fact = promoting(TWICE)
    assert state.rollout is not None
    assert state.rollout.asked is not None
    one = replace(state.rollout, approvals=state.rollout.approvals[:1])
    small = replace(state, rollout=replace(one, asked=replace(state.rollout.asked, quorum=1)))
    assert "1 of 2 approvals" in rules(fact, small, made)
    assert "1 of 2 approvals" in rules(fact, replace(state, rollout=one), replace(made, policy=Policy()))


def test_the_trainer_is_not_the_only_one_who_approved() -> None:
    made, state, fact = promoting(people=("eve",), by="ada")
    assert rules(fact, state, made) == ()
    mine = with_approvals(lambda given: tuple(replace(one, by="ada") for one in given))(state)
    assert "ada had it trained and approved it alone, where eve, tom could" in rules(fact, mine, made)
    alone = with_approvals(lambda given: tuple(replace(one, alone=True) for one in given))(mine)
    assert rules(fact, alone, made) == ()  # said when nobody else had the role


def test_a_promotion_is_of_the_release_that_was_tried() -> None:
    made, state, fact = promoting(people=("ada",))
    routing = replace(fact.routing, candidate=None, champion=THIRD, weight=0, guardrails=None, previous=FIRST)
    told = rules(replace(fact, kind="promote", routing=routing), state, made)
    assert any("which this rollout did not try" in rule for rule in told)


def test_a_training_has_its_order_beside_it() -> None:
    state = ServiceState(service=NAME)
    begin = Command(key="train/ti-1", kind="train", subject=NAME, body={})
    plan = Plan(service=NAME, parent=0, decisions=(decided(commands=(begin,)),))
    assert broken_rules(plan, state, declared()) == ("train/ti-1 begins a training that no fact orders",)


def test_people_who_are_declared_under_way_ask_for_a_second_pair_of_eyes_and_no_plan_is_refused() -> None:
    """On a laptop the trainer approved. Then others got the role: the rollout begins anew, and they are asked."""
    slow = (*SOAKED[:1], Step(canary=Canary(weight=0.1, min_requests=10, min_s=600)), *SOAKED[2:])
    made = declared(steps=slow)
    loop = begun(replace(made, metadata=Metadata(name="fraud", owner="risk")), by="ada")
    run(loop, "ada")
    state = loop.reconciler.state
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "canary"
    loop.service = made
    loop.reconciler.stop()
    loop.reconciler = loop.another("two")
    loop.tick()
    closed = loop.facts(e.RolloutClosed)[-1]
    assert isinstance(closed, e.RolloutClosed)
    assert closed.again
    assert closed.reason == "ada had the release trained and approved it alone, and eve, tom may approve it now"
    run(loop, ticks=3)
    state = loop.reconciler.state
    assert state.rollout is not None
    assert state.rollout.asked is not None
    assert state.rollout.approved is None
    assert state.recent.failed == {}
