"""The check of plans: what the planner makes passes, and each rule stops the plan that breaks it and nothing else."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from tests.control.loop import Loop
from tests.control.rollout.test_holding import LIVE, running, ticked
from tests.control.world import FIRST, NAME, OPENED, SECOND, THIRD, service

from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision
from flyball.control.plan import Plan
from flyball.control.state.fold import fold
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.ids import Digest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.service import Autonomy, Service

Broken = Callable[[e.StepStarted], e.StepStarted]
Change = Callable[[ServiceState, RolloutState], ServiceState]


def before(kind: str) -> tuple[Loop, ServiceState, e.StepStarted]:
    """The state in which the planner started the step of this kind, and the fact."""
    loop = running(service(steps=LIVE))
    loop.approve()
    ticked(loop, 6)
    rollout = loop.reconciler.state.rollout
    assert rollout is not None
    skip = e.StepSkipped(service=NAME, rollout=RolloutId(rollout.rollout), step=2, by="ada", proof="os_user")
    loop.write(skip)
    ticked(loop, 3)
    state = ServiceState(service=NAME)
    for entry in loop.ledger.read():
        if isinstance(entry.fact, e.StepStarted) and entry.fact.kind == kind:
            return loop, state, entry.fact
        state = fold(state, entry)
    raise AssertionError(f"no step {kind}")


def rules(fact: e.AnyFact, state: ServiceState, declared: Service) -> tuple[str, ...]:
    decision = Decision(action="rollout", what="", why="", facts=(fact,))
    return broken_rules(Plan(service=NAME, parent=state.version, decisions=(decision,)), state, declared)


@pytest.mark.parametrize("kind", ["approval", "canary", "pause", "promote"])
def test_what_the_planner_did_was_allowed(kind: str) -> None:
    loop, state, fact = before(kind)
    assert rules(fact, state, loop.service) == ()


@pytest.mark.parametrize(
    ("kind", "broken", "rule"),
    [
        ("canary", lambda f: replace(f, routing=replace(f.routing, epoch=1)), "is not above"),
        ("canary", lambda f: replace(f, routing=replace(f.routing, weight=10_001)), "weight 10001"),
        ("canary", lambda f: replace(f, routing=replace(f.routing, candidate=f.routing.champion)), "is the champion"),
        ("canary", lambda f: replace(f, routing=replace(f.routing, guardrails=None)), "without guardrails"),
        ("canary", lambda f: replace(f, routing=replace(f.routing, candidate=THIRD)), "has not passed its gates"),
        ("approval", lambda f: replace(f, routing=replace(f.routing, weight=1)), "raises the weight"),
        ("pause", lambda f: replace(f, routing=replace(f.routing, weight=1001)), "raises the weight"),
        ("pause", lambda f: replace(f, kind="shadow"), "a step shadow after canary"),
        ("promote", lambda f: replace(f, routing=replace(f.routing, previous=None)), "no way back"),
        ("promote", lambda f: replace(f, step=4), "was never judged"),
    ],
)
def test_each_rule_about_steps_stops_the_plan_that_breaks_it(kind: str, broken: Broken, rule: str) -> None:
    loop, state, fact = before(kind)
    assert any(rule in told for told in rules(broken(fact), state, loop.service))


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda s, r: replace(s, rollout=replace(r, approved=None)), "without an approval"),
        (lambda s, r: replace(s, rollout=replace(r, approvals=())), "0 of 1 approvals"),
        (lambda s, _: replace(s, policy="sha256:" + "9" * 64), "another model, evidence or policy"),
        (lambda s, _: replace(s, withdrawn=frozenset({SECOND})), "rolled back or rejected"),
        (lambda s, _: replace(s, frozen=e.Frozen(service=NAME, by="ada", why="audit")), "while the service is frozen"),
        (lambda s, r: replace(s, rollout=replace(r, paused=paused(r))), "paused"),
        (lambda s, _: replace(s, releases=s.releases | {SECOND: replace(s.releases[SECOND], passed=False)}), "passed"),
    ],
)
def test_each_rule_about_the_facts_stops_a_canary(change: Change, rule: str) -> None:
    loop, state, fact = before("canary")
    assert state.rollout is not None
    assert any(rule in told for told in rules(fact, change(state, state.rollout), loop.service))


def paused(rollout: RolloutState) -> e.RolloutPaused:
    return e.RolloutPaused(service=NAME, rollout=RolloutId(rollout.rollout), by="ada", proof="os_user")


def test_a_plan_is_of_the_facts_as_they_stand_of_its_service_and_of_one_routing() -> None:
    loop, state, fact = before("canary")
    old = Plan(service=NAME, parent=state.version - 1)
    assert "the facts are at" in broken_rules(old, state, loop.service)[0]
    foreign = replace(fact, service=ServiceName("other"))
    assert any("a fact of other" in told for told in rules(foreign, state, loop.service))
    twice = Decision(action="rollout", what="", why="", facts=(fact, replace(fact, key="again")))
    plan = Plan(service=NAME, parent=state.version, decisions=(twice,))
    assert any("2 routings in one plan" in told for told in broken_rules(plan, state, loop.service))


def test_a_way_back_leads_to_who_serves_or_served_last_and_gives_a_candidate_nothing() -> None:
    loop, state, fact = before("canary")
    assert state.champion == FIRST
    routing = replace(fact.routing, candidate=None, weight=0, guardrails=None, rollout=None, step=None)
    back = e.RoutingOrdered(service=NAME, key="k", routing=routing, why="")
    assert rules(back, state, loop.service) == ()
    elsewhere = replace(back, routing=replace(routing, champion=ReleaseRoot("sha256:" + "e" * 64)))
    assert any("neither serves nor served last" in told for told in rules(elsewhere, state, loop.service))
    sneaking = replace(back, routing=fact.routing)
    assert any("only a step may give traffic" in told for told in rules(sneaking, state, loop.service))
    other = e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST)
    assert any("the newest routing does not name" in told for told in rules(other, state, loop.service))


def test_a_withdrawn_release_is_not_opened_and_nothing_is_trained_beside_a_rollout_or_an_incident() -> None:
    loop, state, _ = before("canary")
    opened = replace(OPENED, policy=Digest(state.policy))
    gone = replace(state, rollout=None, withdrawn=frozenset({SECOND}))
    assert any("nobody wants it tried again" in told for told in rules(opened, gone, loop.service))
    order = e.RetrainOrdered(service=NAME, ticket="ti-1", key="k", by="policy", proof="policy", reason="drift")
    assert any("training while a rollout runs" in told for told in rules(order, state, loop.service))
    incident = e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="")
    assert any(
        "quality incident" in told
        for told in rules(order, replace(state, rollout=None, incident=incident), loop.service)
    )
    watching = service(autonomy=Autonomy(retrain="observe"))
    assert any("without a person" in told for told in rules(order, replace(state, rollout=None), watching))
