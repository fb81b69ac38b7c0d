"""What a rule lets be promoted without a person, what no rule lets, and that a planner that bends it is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.check.test_policy import NEVER, TWICE, begun, declared, run
from tests.control.check.test_rules import rules
from tests.control.loop import ADA, Loop, failing, healthy
from tests.control.world import FIRST, NAME, SECOND, THIRD, registered, service

from flyball.app import rollouts
from flyball.app.people import Person, reject
from flyball.app.rollout_history import rollouts_of
from flyball.app.rollout_standing import in_words, rollout_standing
from flyball.contracts.declaration.policy_sense import of_needed, of_policy
from flyball.control.decision import Outlook, Situation
from flyball.control.explain import explain, standing
from flyball.control.narrate import sentence
from flyball.control.policing import goes_alone
from flyball.control.rollout import approving, rolling_out
from flyball.control.state.fold import fold
from flyball.control.state.rollout_state import advanced
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.errors import FlyballError
from flyball.core.ids import Digest, RolloutId
from flyball.core.rollout_power import RolloutPower, WeakStep
from flyball.core.service import Approval, Autonomy, Canary, Policy, Promote, Rollout, Rule, Shadow, Step

ALONE = Rule(action="promote", when="metrics.roc_auc.low > 0.8", effect="alone", reason="routine")
SAID = "routine (policy.rules[0]: metrics.roc_auc.low > 0.8)"
SHORT = (
    Step(shadow=Shadow(min_pairs=10)),
    Step(approval=Approval(quorum=2)),
    Step(canary=Canary(weight=0.1, min_requests=10, min_s=900)),
    Step(promote=Promote()),
)


def asked(loop: Loop) -> e.ApprovalRequested:
    """What was asked for first."""
    for _ in range(12):
        if found := [fact for fact in loop.facts(e.ApprovalRequested) if isinstance(fact, e.ApprovalRequested)]:
            return found[0]
        loop.tick()
    raise AssertionError(f"nothing was asked: {loop.types()}")


def test_a_rule_promotes_without_a_person_and_everything_that_is_told_says_so() -> None:
    loop = begun(declared(ALONE, steps=SHORT))
    told = asked(loop)
    assert (told.alone, told.quorum) == (SAID, 2)  # of nobody, where the step asks two
    assert told.report["policy"] == [SAID]
    assert told.report["told"]["failed_rollouts"] == 0  # what the rule was told, for whoever asks later
    running = in_words(rollout_standing(loop.reconciler.catch_up(), loop.service))
    assert f"NOBODY was asked, BY THE POLICY ALONE: {SAID}" in running
    assert "NOBODY was asked about it, BY THE POLICY ALONE" in standing(loop.reconciler.state)
    loop.tick(1000.0)
    state = loop.tick()
    assert state.champion == SECOND
    (given,) = loop.facts(e.ApprovalGiven)
    assert isinstance(given, e.ApprovalGiven)
    assert (given.by, given.proof, given.why) == ("policy", "policy", SAID)
    assert (given.model, given.evidence, given.policy) == (told.model, told.evidence, told.policy)
    appointed = loop.facts(e.ChampionAppointed)[-1]
    assert isinstance(appointed, e.ChampionAppointed)
    assert (appointed.by, appointed.alone) == ("policy", SAID)
    assert f"the champion was promoted BY THE POLICY ALONE: {SAID}" in standing(state)
    (past,) = rollouts_of(loop.ledger.read())
    assert (past.alone, past.people) == (SAID, ())
    lines = " ".join(line.text for line in explain(NAME, loop.ledger.read(), {NAME: state}).events)
    assert f"the policy ALONE approved release {SECOND[7:19]}, nobody was asked: {SAID}" in lines
    assert f"by the policy ALONE, nobody was asked: {SAID}" in sentence(appointed)
    assert "asked of NOBODY" in sentence(told)


def test_what_a_person_took_back_stays_back_and_is_never_promoted_alone_again() -> None:
    """An undone champion was not withdrawn: judged again by changed gates it came back with nobody asked."""
    loop = begun(declared(ALONE, steps=SHORT))
    asked(loop)
    loop.tick(1000.0)
    assert loop.tick().champion == SECOND
    rollouts.undo(loop.ledger, NAME, ADA, "it broke everything")
    for _ in range(3):
        state = loop.tick()
    assert state.champion == FIRST
    assert state.withdrawn == {SECOND}
    assert state.recent.failed == {str(SECOND): 1}
    loop.write(e.GatesJudged(service=NAME, release=SECOND, passed=True, results=()))
    assert loop.tick().waiting == ()
    rollouts.want(loop.ledger, NAME, None, ADA, "the client is mended")
    for _ in range(12):
        loop.tick()
    last = loop.facts(e.ApprovalRequested)[-1]
    assert isinstance(last, e.ApprovalRequested)
    assert (last.model, last.alone, last.quorum) == (SECOND, "", 2)


@pytest.mark.parametrize(
    "others",
    [
        (replace(ALONE, when="metrics.roc_auc.low > 0.99"),),  # it is false
        (replace(ALONE, when="metrics.pr_auc.low > 0.1"),),  # it cannot be asked
        (replace(ALONE, action="retrain"),),  # of another action: `flyball check` refuses it
        (ALONE, TWICE),  # a rule needs people
        (ALONE, replace(NEVER["promote"], when="hour >= 0")),  # a rule forbids it now
        (ALONE, replace(NEVER["promote"], when="metrics.pr_auc.low < 0.1")),  # nobody knows whether one does
    ],
)
def test_a_person_is_asked_where_no_rule_plainly_holds_or_another_one_binds(others: tuple[Rule, ...]) -> None:
    loop = begun(declared(*others))
    assert asked(loop).alone == ""
    assert not loop.facts(e.ApprovalGiven)


def test_a_person_is_asked_about_what_a_person_had_trained() -> None:
    assert asked(begun(declared(ALONE), by="ada")).alone == ""


def test_a_person_is_asked_about_what_a_person_hurried() -> None:
    loop = begun(declared(ALONE, steps=(Step(shadow=Shadow(min_pairs=10_000)), *SHORT[1:])))
    loop.tick()
    rollouts.promote(loop.ledger, NAME, Person(name="ada", proof="os_user"), "no time")
    assert asked(loop).alone == ""


def test_a_person_is_asked_about_what_went_back_before() -> None:
    loop = begun(declared(ALONE))
    loop.gateways.seen = failing()
    loop.tick()
    state = loop.tick()
    assert SECOND in state.withdrawn
    assert state.recent.failed == {SECOND: 1}
    loop.gateways.seen = healthy()
    rollouts.want(loop.ledger, NAME, SECOND, Person(name="ada", proof="os_user"), "the network was down")
    loop.tick()
    loop.tick()
    again = [fact for fact in loop.facts(e.ApprovalRequested) if isinstance(fact, e.ApprovalRequested)]
    assert [bool(one.alone) for one in again] == [True, False]


def test_a_person_may_still_say_no() -> None:
    loop = begun(declared(ALONE, steps=SHORT))
    asked(loop)
    loop.tick()
    reject(loop.ledger, NAME, Person(name="ada", proof="os_user"), "no")
    loop.tick()
    assert loop.tick().rollout is None
    assert SECOND in loop.reconciler.state.withdrawn


def test_another_policy_voids_its_word_as_a_persons() -> None:
    loop = begun(declared(ALONE, steps=SHORT))
    asked(loop)
    loop.tick()
    before = loop.facts(e.ServiceDeclared)[-1]
    assert isinstance(before, e.ServiceDeclared)
    loop.write(replace(before, policy=Digest("sha256:" + "9" * 64)))
    state = loop.reconciler.catch_up()
    assert state.rollout is not None
    started = [fact for fact in loop.facts(e.StepStarted) if isinstance(fact, e.StepStarted)][-1]
    higher = replace(started, kind="promote", routing=replace(started.routing, epoch=99))
    assert "the approval is of another model, evidence or policy" in rules(higher, state, loop.service)


# The check: a planner that gives the policy's word where it may not.


@pytest.mark.parametrize(
    ("others", "by", "why"),
    [
        ((replace(ALONE, when="metrics.roc_auc.low > 0.99"),), "", "no rule of the policy lets it"),
        ((replace(ALONE, when="metrics.pr_auc.low > 0.1"),), "", "no rule of the policy lets it"),
        ((), "", "no rule of the policy lets it"),
        ((ALONE, TWICE), "", "it asks nobody, and a rule binds: not alone"),
        ((ALONE, replace(NEVER["promote"], when="hour >= 0")), "", "it asks nobody, and a rule binds: no promote"),
        ((ALONE,), "ada", "ada had sha256"),
    ],
)
def test_a_planner_that_asks_nobody_without_a_rule_is_refused(
    others: tuple[Rule, ...], by: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(approving, "goes_alone", lambda *_: SAID)
    loop = begun(declared(*others), by=by)
    with pytest.raises(FlyballError, match=why):
        run(loop)
    assert not loop.facts(e.ApprovalGiven)


def word(loop: Loop) -> tuple[ServiceState, tuple[e.AnyFact, ...], str]:
    """The state in which the policy gave its word, the facts that it gave it with, and when."""
    asked(loop)
    state, entries = ServiceState(service=NAME), list(loop.ledger.read())
    place = next(place for place, entry in enumerate(entries) if isinstance(entry.fact, e.ApprovalRequested))
    for entry in entries[: place - 1]:
        state = fold(state, entry)
    return state, tuple(entry.fact for entry in entries[place : place + 2]), entries[place].at


def excepted(state: ServiceState) -> ServiceState:
    assert state.rollout is not None
    return replace(state, rollout=replace(state.rollout, exceptions=("ex-1",)))


def weak(state: ServiceState) -> ServiceState:
    assert state.rollout is not None
    return replace(state, rollout=replace(state.rollout, weak=("canary-1",)))


def hurried(state: ServiceState) -> ServiceState:
    assert state.rollout is not None
    skip = e.StepSkipped(service=NAME, rollout=RolloutId(state.rollout.rollout), step=0, by="ada", proof="os_user")
    return replace(state, rollout=replace(state.rollout, skipped=(skip,)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (excepted, "failed a gate"),
        (hurried, "ada ended a step"),
        (weak, "cannot answer"),
        (lambda s: replace(s, recent=replace(s.recent, failed={SECOND: 1})), "ended without a promotion"),
        (lambda s: replace(s, proposed={SECOND: "tom"}), "tom had"),
        (lambda s: replace(s, releases=s.releases | {SECOND: replace(s.releases[SECOND], passed=False)}), "failed a"),
        (lambda s: replace(s, releases={}), "failed a gate"),
    ],
)
def test_each_thing_that_asks_for_a_person_stops_the_policys_word(
    change: Callable[[ServiceState], ServiceState], why: str
) -> None:
    loop = begun(declared(ALONE))
    state, facts, at = word(loop)
    for fact in facts:
        assert not [rule for rule in told(fact, state, loop, at) if "policy" in rule]
        assert any(why in rule for rule in told(fact, change(state), loop, at))


def told(fact: e.AnyFact, state: ServiceState, loop: Loop, at: str) -> tuple[str, ...]:
    from flyball.control.check.rules import broken_rules
    from flyball.control.decision import Decision
    from flyball.control.plan import Plan

    decision = Decision(action="rollout", what="", why="", facts=(fact,))
    return broken_rules(Plan(service=NAME, parent=state.version, decisions=(decision,)), state, loop.service, now=at)


def test_no_plan_speaks_for_a_person_and_the_policy_approves_nothing_that_people_were_asked_for() -> None:
    loop = begun(declared(ALONE))
    state, (_, given), at = word(loop)
    assert isinstance(given, e.ApprovalGiven)
    forged = replace(given, by="ada", proof="os_user")
    assert any("only a person gives" in rule for rule in told(forged, state, loop, at))

    people = begun(declared())
    wanted = asked(people)
    people.write(replace(given, evidence=wanted.evidence, policy=wanted.policy, rollout=wanted.rollout))
    held = people.reconciler.catch_up()
    assert held.rollout is not None
    assert held.rollout.approved is None  # it counts for nothing where people are asked
    bent = replace(held, rollout=replace(held.rollout, approved=given_of(wanted), approvals=()))
    canary = e.StepStarted(
        service=NAME,
        rollout=wanted.rollout,
        step=1,
        kind="canary",
        key="k",
        routing=replace(held.rollout.step.routing, epoch=99, weight=1000) if held.rollout.step else None,  # type: ignore[arg-type]
        why="",
    )
    assert "the policy approved what people were asked for" in told(canary, bent, people, at)


def given_of(wanted: e.ApprovalRequested) -> e.ApprovalGiven:
    return e.ApprovalGiven(
        service=NAME,
        rollout=wanted.rollout,
        model=wanted.model,
        evidence=wanted.evidence,
        policy=wanted.policy,
        by="policy",
        proof="policy",
    )


def test_a_rule_that_lets_go_alone_is_of_a_promotion_that_asks_and_of_no_number_of_people() -> None:
    wrong: tuple[Any, ...] = (
        replace(ALONE, action="retrain"),
        replace(ALONE, action="rollout"),
        replace(ALONE, quorum=2),
        replace(ALONE, when="1 < 2"),
    )
    found = [(path[2:], expected) for path, expected, _, _ in of_policy(Policy(rules=wrong))]
    assert found == [
        ((0, "effect"), "never or needs, for retrain"),
        ((1, "effect"), "never, for rollout"),
        ((2, "effect"), "needs, beside quorum"),
        ((3, "when"), "a CEL condition over the facts of the policy"),
    ]
    (asks,) = of_needed(
        Policy(rules=(ALONE,)), Rollout(steps=(Step(promote=Promote()),)), None, Autonomy(promote="auto")
    )
    assert asks[1] == "an approval step, which asks"
    assert not list(of_needed(Policy(rules=(ALONE,)), service().rollout, service().metadata, Autonomy()))


def test_a_newer_release_is_asked_about_anew() -> None:
    """The word of the policy is about one release: the next one has no such figure."""
    loop = begun(declared(ALONE))
    run(loop)
    loop.write(*registered(THIRD))
    run(loop)
    assert [bool(f.alone) for f in loop.facts(e.ApprovalRequested) if isinstance(f, e.ApprovalRequested)] == [
        True,
        False,
    ]
    assert loop.reconciler.state.champion == SECOND


def test_a_person_is_asked_where_a_step_cannot_answer_from_the_opening_on() -> None:
    """Accepted by somebody or not: whoever looks at the release knows that the canary will tell little."""
    loop = begun(declared(ALONE))
    state = loop.reconciler.catch_up()
    accepted = WeakStep(step="canary-1", reasons=("too little traffic",), waived="ada: it is a small shop")
    power = RolloutPower(verdict="POWERED", traffic="2 rows a day", steps=(accepted,))
    before = Situation(state=state, service=loop.service, now="2026-11-21T10:00:00Z")
    assert goes_alone(before, SECOND) == SAID
    assert goes_alone(replace(before, outlook=Outlook(power=power)), SECOND) is None
    loop.tick()
    (opened,) = loop.facts(e.RolloutOpened)
    assert isinstance(opened, e.RolloutOpened)
    running = advanced(None, replace(opened, power=power), "2026-11-21T10:00:00Z")
    assert running is not None
    assert running.weak == ("canary-1",)
    assert goes_alone(replace(before, state=replace(state, rollout=running)), SECOND) is None


def held_alone() -> Loop:
    """The policy has given its word on a Friday evening, and a rule holds the canary; then an incident opens."""
    hour = Loop().clock.now().hour
    late = Rule(action="canary", when=f"hour == {hour}", effect="never", reason="nobody is here")
    loop = begun(declared(replace(ALONE, when="!incident"), late))
    run(loop, ticks=3)
    state = loop.reconciler.state
    assert state.rollout is not None
    assert state.rollout.approved is not None
    assert state.rollout.approved.by == "policy"
    assert "nobody is here" in state.decisions["rollout"].why
    loop.write(e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="nulls"))
    return loop


def test_a_word_of_the_policy_that_holds_no_longer_when_traffic_would_begin_is_asked_of_people() -> None:
    loop = held_alone()
    loop.tick(3600.0)
    state = loop.reconciler.state
    assert state.rollout is not None
    assert state.rollout.asked is not None
    assert state.rollout.asked.alone == ""
    assert state.rollout.approved is None
    assert state.routing is not None
    assert state.routing.weight == 0
    assert not loop.facts(e.RolledBack)
    run(loop, "ada")
    assert loop.reconciler.state.champion == SECOND
    assert loop.reconciler.state.recent.alone == {}


def test_a_planner_that_does_not_ask_again_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = held_alone()
    monkeypatch.setattr(rolling_out, "goes_alone", lambda *_: SAID)
    with pytest.raises(FlyballError, match="no rule of the policy lets it be promoted without a person"):
        loop.tick(3600.0)
    assert [fact.kind for fact in loop.facts(e.StepStarted) if isinstance(fact, e.StepStarted)] == ["approval"]


@pytest.mark.parametrize(
    ("action", "effect", "when", "told"),
    [
        ("promote", "never", 'drift == "yes"', "true or false, with a text"),
        ("rollout", "never", "weekday == 8", "weekday is 1 to 7, never 8"),
        ("rollout", "never", "hour >= 24", "hour is 0 to 23, never 24"),
        ("promote", "never", "weight > 50", "weight is 0 to 1, never 50"),
    ],
)
def test_a_rule_that_can_never_bind_is_a_fault_of_the_file(action: Any, effect: Any, when: str, told: str) -> None:
    ((path, _, found, _),) = of_policy(Policy(rules=(Rule(action=action, effect=effect, when=when, reason="r"),)))
    assert path == ("policy", "rules", 0, "when")
    assert told in found


def test_a_wrong_effect_is_told_without_a_second_fault_that_follows_from_it() -> None:
    rule = Rule(action="canary", effect="needs", when="hour > 15", reason="r", quorum=2)
    assert [path for path, *_ in of_policy(Policy(rules=(rule,)))] == [("policy", "rules", 0, "effect")]
