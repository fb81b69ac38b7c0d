"""A spent error budget: nothing gets more traffic, whoever approved it; everything goes back as ever."""

from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, failing, healthy
from tests.control.rollout.test_holding import running, ticked
from tests.control.test_ab_testing import begun, weights
from tests.control.world import FIRST, NAME, OPENED, SECOND, registered, service

from flyball.app.ab_tests import stop, weigh
from flyball.app.people import roll_back
from flyball.control.check.budget import over_budget
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision
from flyball.control.plan import Plan
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import NotFound, Refused
from flyball.core.policy import policy_digest
from flyball.core.promised import freezes
from flyball.core.service import Objective, Service, Slo

SPENT = e.BudgetSpent(
    service=NAME, objective="availability", left=-0.2, target=0.999, window_s=2_419_200.0, why="120 of 100000 were bad"
)
RESTORED = e.BudgetRestored(service=NAME, objective="availability", left=0.1, why="old errors are gone")
UP = Objective(name="availability", sli="availability", target=0.9)
FROZEN = replace(service(), slo=Slo())


def canary(declared: Service = FROZEN) -> Loop:
    """A rollout at its first canary."""
    loop = running(declared)
    loop.gateways.seen = healthy(50)  # too few for a canary to advance
    loop.approve()
    for _ in range(4):
        rollout = loop.reconciler.state.rollout
        if rollout is not None and rollout.step is not None and rollout.step.kind == "canary":
            return loop
        loop.tick()
    raise AssertionError(loop.types())


def weight(loop: Loop) -> int:
    assert loop.gateways.routing is not None
    return loop.gateways.routing.weight


@pytest.mark.parametrize(
    ("declared", "binds"), [((), True), ((Objective(name="fast", sli="latency", target=0.9),), False)]
)
def test_planner_and_check_agree_on_a_budget_of_the_contract_that_is_declared_by_another_name(
    declared: tuple[Objective, ...], binds: bool
) -> None:
    asked, spent = replace(service(), slo=Slo(objectives=declared)), replace(SPENT, objective="latency")
    loop = Loop(asked)
    loop.write(spent)
    state = loop.tick()
    assert freezes(asked, "latency") == binds
    assert bool(over_budget(OPENED, state, asked)) == binds


def test_no_rollout_opens_and_it_is_said_what_is_waited_for() -> None:
    loop = Loop(FROZEN)
    loop.tick()
    loop.write(SPENT)
    loop.write(*registered(SECOND))
    ticked(loop, 3)
    state = loop.reconciler.state
    assert state.rollout is None
    decision = state.decisions["rollout"]
    assert "the error budget of availability is spent" in decision.why
    assert "flyball slo status fraud" in decision.waiting_for[0]
    loop.write(RESTORED)
    ticked(loop, 2)
    assert loop.reconciler.state.rollout is not None


def test_a_canary_stays_at_its_weight_and_goes_on_when_some_of_the_budget_is_back() -> None:
    loop = canary()
    before = weight(loop)
    assert before > 0
    loop.write(SPENT)
    loop.gateways.seen = healthy()
    ticked(loop, 10)
    assert weight(loop) == before
    assert loop.reconciler.state.rollout is not None
    loop.write(RESTORED)
    ticked(loop, 12)
    assert loop.reconciler.state.champion == SECOND


def test_a_bad_candidate_goes_back_under_a_spent_budget() -> None:
    loop = canary()
    loop.write(SPENT)
    loop.gateways.seen = failing()
    ticked(loop, 3)
    assert weight(loop) == 0
    assert SECOND in loop.reconciler.state.withdrawn


def test_a_person_takes_the_champion_back_under_a_spent_budget() -> None:
    loop = canary()
    loop.gateways.seen = healthy()
    ticked(loop, 14)
    assert loop.reconciler.state.champion == SECOND
    loop.write(SPENT)
    roll_back(loop.ledger, NAME, ADA, "worse")
    ticked(loop, 3)
    assert loop.reconciler.state.champion == FIRST


@pytest.mark.parametrize(
    ("slo", "stops"),
    [
        (None, False),
        (Slo(), True),
        (Slo(freeze=False), False),
        (Slo(objectives=(replace(UP, freeze=False),)), False),
        (Slo(freeze=False, objectives=(replace(UP, freeze=True),)), True),
        (Slo(objectives=(replace(UP, sli="quality"),)), False),  # a better release is its cure
    ],
)
def test_planner_and_check_agree_which_budgets_freeze(slo: Slo | None, stops: bool) -> None:
    declared = replace(service(), slo=slo)
    loop = canary(declared)
    state = fold_with(loop, SPENT)
    started = [fact for fact in loop.facts(e.StepStarted) if isinstance(fact, e.StepStarted)]
    raising = next(fact for fact in started if fact.kind == "canary")
    more = replace(raising, step=raising.step + 1, routing=replace(raising.routing, epoch=state.epoch + 1, weight=5000))
    told = broken(more, state, declared)
    assert any("gets more traffic while the error budget" in rule for rule in told) == stops
    loop.write(SPENT)
    before = weight(loop)
    loop.gateways.seen = healthy()
    ticked(loop, 10)
    assert (weight(loop) == before and loop.reconciler.state.champion == FIRST) == stops


def fold_with(loop: Loop, *facts: e.AnyFact) -> ServiceState:
    """The state of the loop with facts that are not on its ledger yet."""
    state = loop.reconciler.catch_up()
    (entry, *_) = loop.ledger.read()
    for number, fact in enumerate(facts, 1):
        state = fold(state, replace(entry, seq=state.version + number, fact=fact))
    return state


def broken(fact: e.AnyFact, state: ServiceState, declared: Service) -> tuple[str, ...]:
    decision = Decision(action="rollout", what="", why="", facts=(fact,))
    return broken_rules(Plan(service=NAME, parent=state.version, decisions=(decision,)), state, declared)


def test_the_check_refuses_an_opening_and_a_promotion_and_lets_less_weight_be() -> None:
    loop = canary()
    state = fold_with(loop, SPENT)
    assert state.rollout is not None
    running_step = state.rollout.step
    assert running_step is not None
    facts = [fact for fact in loop.facts(e.StepStarted) if isinstance(fact, e.StepStarted)]
    promote = replace(facts[-1], kind="promote", routing=replace(facts[-1].routing, epoch=state.epoch + 1))
    assert any("a promotion while the error budget" in rule for rule in broken(promote, state, FROZEN))
    opened = next(fact for fact in loop.facts(e.RolloutOpened) if isinstance(fact, e.RolloutOpened))
    assert any("a rollout opens while the error budget" in rule for rule in broken(opened, state, FROZEN))
    less = replace(facts[-1], routing=replace(running_step.routing, epoch=state.epoch + 1, weight=1))
    assert not any("error budget" in rule for rule in broken(less, state, FROZEN))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 14), st.lists(st.sampled_from(["tick", "approve", "failing", "spent", "restored"]), max_size=14))
def test_no_order_under_a_spent_budget_raises_a_weight(begin: int, story: list[str]) -> None:
    loop = running(FROZEN)
    for move in ("tick",) * begin + tuple(story):
        match move:
            case "approve":
                with suppress(NotFound, Refused):  # nothing asks, or somebody did
                    loop.approve()
            case "failing":
                loop.gateways.seen = failing()
            case "spent":
                loop.write(SPENT)
            case "restored":
                loop.write(RESTORED)
            case _:
                loop.tick()
    ticked(loop, 3)
    spent, had, champion = False, 0, FIRST
    for entry in loop.ledger.read():
        match entry.fact:
            case e.BudgetSpent():
                spent = True
            case e.BudgetRestored():
                spent = False
            case e.StepStarted(routing=routing) | e.RoutingOrdered(routing=routing):
                assert not (spent and routing.weight > had)
                assert not (spent and routing.champion != champion)
                had, champion = routing.weight, routing.champion
            case _:
                continue


def test_arms_of_a_test_get_no_more_and_may_get_less_or_end() -> None:
    declared = replace(service(), slo=Slo())
    loop = begun(declared=declared)
    loop.write(SPENT)
    before = weights(loop)
    weigh(loop.ledger, NAME, ADA, {"b": 3000, "c": 500})
    ticked(loop, 3)
    assert weights(loop) == before
    assert "error budget" in loop.reconciler.state.decisions["ab"].why
    weigh(loop.ledger, NAME, ADA, {"b": 1000, "c": 500})
    ticked(loop, 3)
    assert weights(loop)["b"] == 1000
    stop(loop.ledger, NAME, ADA)
    ticked(loop, 3)
    assert loop.gateways.routing is not None
    assert not loop.gateways.routing.arms


def test_objectives_belong_to_the_policy_and_a_service_without_them_keeps_its_digest() -> None:
    plain = service()
    assert policy_digest(plain) != policy_digest(FROZEN)
    assert policy_digest(FROZEN) != policy_digest(replace(plain, slo=Slo(freeze=False)))
    goals = replace(plain.serving.objectives, availability=0.9)
    other = replace(FROZEN, serving=replace(plain.serving, objectives=goals))
    assert policy_digest(other) != policy_digest(FROZEN), "what is promised decides, wherever it stands"
    assert policy_digest(replace(plain, serving=other.serving)) == policy_digest(plain)
