"""A failed gate that two people let pass: what it takes, what ends it, and that no plan gets by without it."""

from datetime import timedelta

import pytest
from msgspec.structs import replace
from tests.control.check.test_rules import rules
from tests.control.loop import Loop, failing, healthy
from tests.control.world import FIRST, NAME, OPENED, SECOND, THIRD, release, service

from flyball.app import exceptions, rollouts
from flyball.app.people import Person, approve, freeze, reject
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision, Situation
from flyball.control.explain import explain, standing
from flyball.control.narrate import sentence
from flyball.control.plan import Plan, plan
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.errors import NotFound, Refused
from flyball.core.ids import Digest
from flyball.core.release import GateResult, TestResult
from flyball.core.service import (
    Approval,
    Autonomy,
    Canary,
    Exceptions,
    Gate,
    Metadata,
    Policy,
    Promote,
    Rollout,
    Rule,
    Service,
    Shadow,
    Step,
)

ADA, EVE, KIM, TOM = (Person(name=name, proof="os_user") for name in ("ada", "eve", "kim", "tom"))
LOW = GateResult(
    name="pr_auc >= 0.4", metric="pr_auc", passed=False, verdict="FAIL", reason="0.39 (0.37 to 0.41)", value=0.39
)
UNDECIDED = replace(LOW, name="mae <= 3.0", metric="mae", verdict="INCONCLUSIVE", value=3.1)
LEAK = TestResult(suite="data", name="target leak", dimension="data", verdict="FAIL", reason="'x' tells all")


LONG = (
    Step(shadow=Shadow(min_pairs=10)),
    Step(approval=Approval()),
    Step(canary=Canary(weight=0.1, min_requests=10, min_s=3600)),
    Step(promote=Promote()),
)


def declared(**changes: object) -> Service:
    base = service()
    people = {"ada": ("approver",), "eve": ("exception",), "kim": ("exception",), "tom": ("exception", "approver")}
    metadata = Metadata(name="fraud", owner="risk", people=people)  # type: ignore[arg-type]
    return replace(base, **{"metadata": metadata, **changes})


def failed(*gates: GateResult, tests: tuple[TestResult, ...] = (), by: str = "") -> list[e.AnyFact]:
    made = replace(release(SECOND, passed=False), gates=gates or (LOW,), tests=tests)
    return [
        e.ReleaseRegistered(service=NAME, release=made, by=by),
        e.GatesJudged(service=NAME, release=SECOND, passed=False, results=made.gates),
    ]


def loop_with(*facts: e.AnyFact, **changes: object) -> Loop:
    loop = Loop(declared(**changes))
    loop.gateways.seen = healthy()
    loop.tick()
    loop.write(*(facts or failed()))
    loop.tick()
    return loop


def ask(loop: Loop, person: Person = EVE, gate: str = "pr_auc", lasts_s: float | None = 3600.0) -> str:
    told = exceptions.request(
        *(loop.ledger, NAME, SECOND, gate, person, "a recall that we need"),
        declared=loop.service,
        now=loop.clock.now(),
        lasts_s=lasts_s,
    )
    fact = told[0].fact
    assert isinstance(fact, e.ExceptionRequested)
    return fact.exception


def confirm(loop: Loop, name: str, person: Person = KIM) -> None:
    exceptions.confirm(loop.ledger, NAME, name, person, "read it", declared=loop.service, now=loop.clock.now())


def slow(*facts: e.AnyFact) -> Loop:
    """A rollout that stays in its canary."""
    return loop_with(*facts, rollout=Rollout(steps=LONG))


def excepted(loop: Loop, **options: float) -> str:
    name = ask(loop, **options)  # type: ignore[arg-type]
    confirm(loop, name)
    return name


def until(loop: Loop, kind: str, ticks: int = 12) -> ServiceState:
    """Until the step of this kind is in force."""
    for _ in range(ticks):
        state = loop.tick()
        step = state.rollout.step if state.rollout is not None else None
        if step is not None and step.kind == kind and step.applied:
            return state
        if state.rollout is not None and state.rollout.asked is not None and state.rollout.approved is None:
            approve(loop.ledger, NAME, ADA)
    raise AssertionError(f"no step {kind}: {loop.types()}")


def test_two_people_let_one_gate_pass_and_everything_that_follows_names_it() -> None:
    loop = loop_with()
    name = ask(loop)
    assert loop.tick().rollout is None  # one word does nothing
    assert f"flyball exception confirm fraud {name}" in loop.reconciler.state.decisions["exception"].waiting_for[0]
    assert "by eve alone, not in force" in standing(loop.reconciler.state)
    confirm(loop, name)
    for _ in range(20):
        state = loop.tick()
        if state.rollout is not None and state.rollout.asked is not None and state.rollout.approved is None:
            assert state.rollout.asked.report["exceptions"][0]["asked_by"] == "eve"
            approve(loop.ledger, NAME, ADA)
    assert state.champion == SECOND
    (opened,) = loop.facts(e.RolloutOpened)
    assert isinstance(opened, e.RolloutOpened)
    assert opened.exceptions == (name,)
    assert "BY EXCEPTION" in sentence(opened)
    assert f"serves BY EXCEPTION {name}" in standing(state)
    assert state.exceptions.given == 1
    (ended,) = loop.facts(e.ExceptionEnded)
    assert isinstance(ended, e.ExceptionEnded)
    assert ended.how == "used"
    told = explain(name, loop.ledger.read(), {NAME: state})
    assert [line.type for line in told.events] == [
        *("exception.requested", "exception.confirmed", "rollout.opened", "exception.ended")
    ][: len(told.events)] or "rollout.opened" in [line.type for line in told.events]
    assert "FAILED and is let pass" in " ".join(line.text for line in told.events)


@pytest.mark.parametrize(
    ("person", "why"),
    [(EVE, "somebody else has to confirm"), (ADA, "has no role exception"), (TOM, "had this release trained")],
)
def test_the_second_is_another_with_the_role_and_not_the_trainer(person: Person, why: str) -> None:
    loop = loop_with(*failed(by="tom"))
    name = ask(loop)
    with pytest.raises(Refused, match=why):
        confirm(loop, name, person)
    assert loop.tick().rollout is None


def test_the_first_is_no_trainer_no_stranger_and_nobody_simulated() -> None:
    loop = loop_with(*failed(by="tom"))
    for person in (TOM, ADA, Person(name="zoe", proof="os_user"), Person(name="s", proof="simulated", every_role=True)):
        with pytest.raises(Refused):
            ask(loop, person)


def test_without_declared_people_nobody_has_the_role() -> None:
    loop = loop_with(metadata=Metadata(name="fraud", owner="risk"))
    with pytest.raises(Refused, match="no role exception"):
        ask(loop)


@pytest.mark.parametrize(
    ("facts", "gate", "why"),
    [
        (failed(LOW, tests=(LEAK,)), "pr_auc", "hard tests failed"),
        (failed(replace(LOW, name="suite deployment", metric="suite:deployment")), "suite deployment", "integrity"),
        (failed(replace(LOW, name='tests["finite"] == "PASS"', metric="")), 'tests["finite"] == "PASS"', "integrity"),
        (failed(replace(LOW, dimension="privacy")), "pr_auc", "integrity"),
        (failed(replace(LOW, value=None, reason="missing evidence: it was not measured")), "pr_auc", "no figure"),
        (failed(LOW, replace(UNDECIDED, value=None, reason="missing evidence: ?")), "pr_auc", "no figure"),
        (failed(replace(LOW, passed=True), UNDECIDED), "pr_auc >= 0.4", "it passed"),
    ],
)
def test_integrity_privacy_and_missing_figures_have_no_exception(facts: list[e.AnyFact], gate: str, why: str) -> None:
    loop = loop_with(*facts)
    with pytest.raises(Refused, match=why):
        ask(loop, gate=gate)


def test_an_exception_lasts_no_longer_than_the_policy_says_and_needs_an_approval_behind_it() -> None:
    with pytest.raises(Refused, match="at most 60 s"):
        ask(loop_with(policy=Policy(exceptions=Exceptions(longest_s=60))), lasts_s=61.0)
    alone = loop_with(
        autonomy=Autonomy(promote="auto"), rollout=replace(service().rollout, steps=(Step(promote=Promote()),))
    )
    with pytest.raises(Refused, match="promotes without a person"):
        ask(alone)
    with pytest.raises(NotFound, match="names 0 gates"):
        ask(loop_with(), gate="auc")


def test_each_failed_gate_needs_an_exception_of_its_own() -> None:
    loop = loop_with(*failed(LOW, UNDECIDED))
    excepted(loop)
    assert loop.tick().rollout is None
    assert loop.reconciler.state.waiting == ()
    with pytest.raises(Refused, match="has not passed its gates"):
        rollouts.want(loop.ledger, NAME, SECOND, ADA, "now")
    second = ask(loop, gate="mae")
    confirm(loop, second)
    state = loop.tick()
    assert state.rollout is not None
    assert len(state.rollout.exceptions) == 2


def test_an_exception_that_runs_out_under_way_takes_the_candidate_back_even_under_a_freeze() -> None:
    loop = slow()
    excepted(loop, lasts_s=600.0)
    until(loop, "canary")
    freeze(loop.ledger, NAME, ADA, "audit")
    state = loop.tick(600.0)
    state = loop.tick()
    assert state.rollout is None
    assert state.champion == FIRST
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.candidate is None
    closed = loop.facts(e.RolloutClosed)[-1]
    assert isinstance(closed, e.RolloutClosed)
    assert closed.outcome == "expired"
    assert "expired" in closed.reason
    assert SECOND in state.withdrawn
    assert state.exceptions.standing == {}


@pytest.mark.parametrize("ended", ["revoked", "policy", "gate"])
def test_a_word_another_policy_or_another_judgement_ends_it_before_its_time(ended: str) -> None:
    loop = loop_with()
    name = excepted(loop)
    match ended:
        case "revoked":
            exceptions.revoke(loop.ledger, NAME, name, ADA, "no")
        case "policy":
            before = loop.facts(e.ServiceDeclared)[-1]
            assert isinstance(before, e.ServiceDeclared)
            loop.write(replace(before, policy=Digest("sha256:" + "9" * 64)))
        case _:
            worse = replace(LOW, value=0.2)
            loop.write(e.GatesJudged(service=NAME, release=SECOND, passed=False, results=(worse,)))
    state = loop.tick()
    assert state.rollout is None
    assert state.exceptions.standing == {}
    assert state.waiting == ()


def test_revoking_under_way_takes_the_candidate_back() -> None:
    loop = slow()
    name = excepted(loop)
    until(loop, "canary")
    exceptions.revoke(loop.ledger, NAME, name, TOM, "second thoughts")
    loop.tick()
    assert loop.tick().rollout is None
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.candidate is None


def test_guardrails_and_vetoes_stop_it_as_any_other_and_then_it_is_used_up() -> None:
    for stop in ("guardrail", "veto"):
        loop = slow()
        excepted(loop)
        until(loop, "canary")
        if stop == "veto":
            reject(loop.ledger, NAME, ADA, "no")
        else:
            loop.gateways.seen = failing()
        loop.tick()
        state = loop.tick()
        assert state.rollout is None
        assert SECOND in state.withdrawn
        assert [fact.how for fact in loop.facts(e.ExceptionEnded) if isinstance(fact, e.ExceptionEnded)] == ["used"]


def test_a_gate_that_is_judged_again_and_passes_needs_no_exception() -> None:
    loop = loop_with()
    passed = replace(LOW, passed=True, verdict="PASS", value=0.41)
    loop.write(e.GatesJudged(service=NAME, release=SECOND, passed=True, results=(passed,)))
    assert loop.tick().rollout is not None


def before_canary(loop: Loop) -> tuple[ServiceState, e.StepStarted, str]:
    """The state in which the planner gave traffic to the excepted release, the fact, and when."""
    excepted(loop)
    until(loop, "canary")
    state = ServiceState(service=NAME)
    for entry in loop.ledger.read():
        if isinstance(entry.fact, e.StepStarted) and entry.fact.kind == "canary":
            return state, entry.fact, entry.at
        state = fold(state, entry)
    raise AssertionError("no canary")


def mutants(state: ServiceState) -> dict[str, ServiceState]:
    """The same facts with one part of the exception broken."""
    assert state.rollout is not None
    ((name, one),) = state.exceptions.standing.items()
    assert one.confirmed is not None

    def with_(**changes: object) -> ServiceState:
        held = replace(state.exceptions, standing={name: replace(one, **changes)})
        return replace(state, exceptions=held)

    asked, given = one.requested, one.confirmed
    made = state.releases[SECOND]
    return {
        "gone": replace(state, exceptions=replace(state.exceptions, standing={})),
        "not named": replace(state, rollout=replace(state.rollout, exceptions=())),
        "one person": with_(confirmed=None),
        "the same person": with_(confirmed=replace(given, by=asked.by)),
        "another gate": with_(requested=replace(asked, gate="mae <= 3.0")),
        "another release": with_(requested=replace(asked, release=THIRD)),
        "another figure": replace(
            state, releases=state.releases | {SECOND: replace(made, gates=(replace(LOW, value=0.1),))}
        ),
        "another policy": replace(state, policy="sha256:" + "9" * 64),
        "a word for something else": with_(confirmed=replace(given, evidence=Digest("sha256:" + "8" * 64))),
        "over": with_(requested=replace(asked, expires_at="2020-01-01T00:00:00.000000Z")),
        "a second failed gate": replace(
            state, releases=state.releases | {SECOND: replace(made, gates=(LOW, UNDECIDED))}
        ),
        "a failed hard test": replace(state, releases=state.releases | {SECOND: replace(made, tests=(LEAK,))}),
    }


def test_the_check_catches_every_plan_that_gives_traffic_without_a_live_exception() -> None:
    loop = slow()
    state, fact, at = before_canary(loop)

    def told(state: ServiceState, now: str = at) -> tuple[str, ...]:
        decision = Decision(action="rollout", what="", why="", facts=(fact,))
        made = Plan(service=NAME, parent=state.version, decisions=(decision,))
        return broken_rules(made, state, loop.service, now=now)

    assert told(state) == ()  # what the planner did was allowed
    for broken, mutant in mutants(state).items():
        assert told(mutant), broken
    late = (moment(at) + timedelta(days=8)).isoformat()
    assert any("is over" in rule for rule in told(state, late))
    assert told(state, "")  # nobody says what time it is


def test_no_mutant_of_an_exception_makes_the_planner_go_on() -> None:
    loop = slow()
    state, _, at = before_canary(loop)
    for broken, mutant in mutants(state).items():
        if broken in ("not named", "the same person"):
            continue  # states that no fold gives
        made = plan(Situation(state=mutant, service=loop.service, now=at))
        started = [fact for decision in made.decisions for fact in decision.facts if isinstance(fact, e.StepStarted)]
        assert not started, broken


def test_a_failed_release_is_not_opened_by_a_name_alone() -> None:
    loop = loop_with()
    state = loop.reconciler.state
    opened = replace(OPENED, policy=Digest(state.policy), exceptions=("ex-1",))
    assert any("no exception ex-1 stands" in rule for rule in rules(opened, state, loop.service))


def test_a_rule_forbids_an_exception_for_one_gate_to_both_who_would_say_yes() -> None:
    fair = Gate(metric="pr_auc", min=0.4, name="fairness")
    no = Rule(action="exception", when='gate == "fairness"', effect="never", reason="nobody waives it")
    found = replace(LOW, name="fairness: pr_auc >= 0.4")
    loop = loop_with(*failed(found), gates=(fair,), policy=Policy(rules=(no,)))
    with pytest.raises(Refused, match=r"nobody waives it \(policy.rules\[0\]"):
        ask(loop, gate="fairness: pr_auc >= 0.4")
    late = replace(no, when='gate == "fairness" && rollouts_this_week < 1')
    loop = loop_with(*failed(found), gates=(fair,), policy=Policy(rules=(late,)))
    loop.service = replace(loop.service, policy=Policy())  # as if it had not been asked with the first word
    name = ask(loop, gate="fairness: pr_auc >= 0.4")
    loop.service = replace(loop.service, policy=Policy(rules=(late,)))
    with pytest.raises(Refused, match="nobody waives it"):
        confirm(loop, name)
    other = loop_with(policy=Policy(rules=(no,)))
    confirm(other, ask(other))
    assert other.tick().rollout is not None
