"""Each invariant can fail: a loop that is broken on purpose is caught by the one that watches over it.

The check of plans is switched off as well, so that nothing but the rehearsal stands in the way.
"""

import random
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace
from tests.simulation.small import SERVICE, cast_of, declared, drifting, scenario
from tests.simulation.stories import CALM, EXCEPTED, FAILED, STORIES, cast
from tests.simulation.stories import GOOD as OFFERED

import flyball.control.plan as plan_file
import flyball.decide.rollout as rollout_judge
from flyball.adapters.ledger.memory import MemoryLedger
from flyball.app.rehearse.scenario import Candidate, Scenario, Word
from flyball.app.wiring.rehearse.cast import Cast
from flyball.app.wiring.rehearse.gateway import GatewayProcess
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.control.decision import Decision, Situation
from flyball.control.plan import Plan
from flyball.control.plan import plan as sound
from flyball.control.policing import facts_of
from flyball.control.reconcile import checking, loop, outlook
from flyball.control.reconcile.loop import Reconciler
from flyball.control.rollout import approving, opening, rolling_out
from flyball.control.state.exception_state import ExceptionsState
from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.routing import Routing, Verdict
from flyball.core.service import Policy, Rule, Service
from flyball.decide.policy import alone as rule_alone
from flyball.decide.triggers import Wish, wish
from flyball.registry import chain
from flyball.serving import gateway

BAD = scenario(days=0.15, candidates=(Candidate(at=60, error_ratio=200),))
GOOD = scenario(days=0.15, candidates=(Candidate(at=60, error_ratio=0, slow_ratio=0),))
TWO = replace(GOOD, candidates=(*GOOD.candidates, replace(GOOD.candidates[0], at=7000.0)), days=0.25)


@pytest.fixture(autouse=True)
def nobody_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "broken_rules", lambda *_, **__: ())


def caught(told: Scenario, of: Cast | None = None, **options: object) -> set[str]:
    """Names of the invariants that complain."""
    run = Rehearsal(of or cast_of(told), 5, **options).run()  # type: ignore[arg-type]
    return {each.invariant for each in run.violations}


def bent(monkeypatch: pytest.MonkeyPatch, bend: Callable[[e.AnyFact], e.AnyFact | None]) -> None:
    """A planner whose facts are changed, or left out."""

    def plan(situation: Situation) -> Plan:
        made = sound(situation)
        decisions = [
            replace(each, facts=tuple(fact for old in each.facts if (fact := bend(old)) is not None))
            for each in made.decisions
        ]
        return replace(made, decisions=tuple(decisions))

    monkeypatch.setattr(loop, "plan", plan)


def hold(*_: object, **__: object) -> Verdict:
    return Verdict(kind="HOLD", reason="a judge that sees nothing")


def test_a_sound_loop_is_not_caught() -> None:
    assert caught(BAD) == caught(TWO) == set()


def test_a_judge_that_sees_nothing_is_caught_by_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "advance", hold)
    assert caught(BAD, judge=hold) == {"exposure"}


def test_a_controller_that_promotes_whatever_comes_is_caught_by_exposure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlook, "advance", lambda *_, **__: Verdict(kind="PROMOTE", reason="why not"))
    assert "exposure" in caught(BAD, judge=hold)


def test_a_step_that_makes_the_candidate_champion_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def bend(fact: e.AnyFact) -> e.AnyFact:
        if isinstance(fact, e.StepStarted) and fact.kind == "canary":
            assert fact.routing.candidate is not None
            return replace(fact, routing=replace(fact.routing, champion=fact.routing.candidate))
        return fact

    bent(monkeypatch, bend)
    assert "one champion" in caught(GOOD)


def test_a_promotion_that_forgets_who_served_is_caught_by_two_invariants(monkeypatch: pytest.MonkeyPatch) -> None:
    def bend(fact: e.AnyFact) -> e.AnyFact:
        match fact:
            case e.ChampionAppointed():
                return replace(fact, previous=None)
            case e.StepStarted(kind="promote"):
                return replace(fact, routing=replace(fact.routing, previous=None))
            case _:
                return fact

    bent(monkeypatch, bend)
    assert {"one champion", "rollback target"} <= caught(TWO)


def test_a_gateway_that_lets_the_last_release_go_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = GatewayProcess._loaded
    monkeypatch.setattr(GatewayProcess, "_loaded", lambda self, routing: loaded(self, replace(routing, previous=None)))
    assert caught(GOOD) == {"rollback target"}


def test_an_order_that_is_not_the_one_on_the_ledger_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    give = Reconciler._give

    def more(self: Reconciler, key: str, routing: Routing) -> list[e.AnyFact]:
        return give(self, key, replace(routing, weight=2 * routing.weight))

    monkeypatch.setattr(Reconciler, "_give", more)
    assert caught(GOOD) == {"intent"}


def test_a_training_without_an_order_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    bent(monkeypatch, lambda fact: None if isinstance(fact, e.RetrainOrdered) else fact)
    assert "intent" in caught(drifting())


def test_a_planner_that_asks_nobody_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def impatient(situation: Situation, rollout: object, step: object) -> Decision:
        open_ = situation.state.rollout
        assert open_ is not None
        assert open_.step is not None
        return rolling_out._start(situation, open_, open_.step.index + 1, "nobody is there")

    monkeypatch.setattr(rolling_out, "_approval", impatient)
    assert caught(GOOD) == {"approval"}


class Forgetful(MemoryLedger):
    """Loses what it has acknowledged."""

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]:
        if len(self._entries) == 40 and self._tip.size == 40:
            del self._entries[-1]
        return super().read(after, subject=subject)


def test_a_ledger_that_loses_what_it_acknowledged_is_caught() -> None:
    found = caught(GOOD, make_ledger=lambda clock: Forgetful(sealer=chain, clock=clock))
    assert "survival" in found


def test_a_trigger_without_dead_time_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(*told: object, **named: object) -> Wish:
        found = wish(*told, **named)  # type: ignore[arg-type]
        return replace(found, fired="drift", waiting_for=())

    monkeypatch.setattr("flyball.control.reconcile.sensing.wish", hasty)
    service = replace(SERVICE, retrain=replace(SERVICE.retrain, min_new_rows=10))
    told = scenario(days=0.4, candidates=())
    assert caught(told, Cast(declared(service), told)) == {"oscillation"}


def test_a_plan_that_its_own_check_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "broken_rules", lambda *_, **__: ("a rule",))
    assert "controller" in caught(GOOD)


def test_a_planner_that_raises_is_told_and_not_taken_for_one_with_nothing_to_say(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raises(_: Situation) -> Decision | None:
        raise KeyError("nobody knows")

    monkeypatch.setattr(plan_file, "plan_healing", raises)
    assert "controller" in caught(GOOD)


def of_story(name: str) -> set[str]:
    """Names of the invariants that complain in the story's own scenario."""
    return {each.invariant for each in Rehearsal(STORIES[name], 1).run().violations}


@pytest.mark.parametrize("story", STORIES)
def test_a_sound_loop_is_not_caught_in_a_story_without_its_check(story: str) -> None:
    assert of_story(story) == set()


def test_a_loop_that_asks_no_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rolling_out, "barred", lambda *_, **__: None)
    monkeypatch.setattr(opening, "barred", lambda *_, **__: None)
    assert of_story("rules") == {"policy"}


def test_a_loop_that_is_content_with_one_person_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    bent(monkeypatch, lambda fact: replace(fact, quorum=1) if isinstance(fact, e.ApprovalRequested) else fact)
    assert of_story("rules") == {"approval"}


def test_a_policy_that_speaks_where_no_rule_lets_it_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    for asker in (approving, rolling_out):
        monkeypatch.setattr(asker, "goes_alone", lambda *_: "because")
    assert of_story("a soak with a metric") == {"approval"}


def alone(service: Service, **told: object) -> Cast:
    """A rule lets everything go alone."""
    rule = Rule(action="promote", when="!incident", effect="alone", reason="routine")
    return cast(replace(service, policy=Policy(rules=(rule,))), scenario(**({"days": 0.03} | told)))


EYES = {
    "a person ended a step": alone(CALM, candidates=(OFFERED,), words=(Word(at=70, say="promote"),)),
    "a person had it trained": alone(CALM, candidates=(), words=(Word(at=900, say="retrain"),)),
    "a step cannot answer": alone(
        replace(CALM, rollout=replace(CALM.rollout, waive={"canary-50%": "so"})),
        candidates=(OFFERED,),
        traffic_rps=0.005,
        days=0.1,
    ),
    "it failed a gate": alone(
        EXCEPTED,
        candidates=(FAILED,),
        words=(Word(at=100, say="except", by="ada", lasts_s=3600.0), Word(at=160, say="confirm", by="ben")),
    ),
}


@pytest.mark.parametrize("why", EYES)
def test_a_policy_that_speaks_for_a_release_that_a_person_looks_at_is_caught(
    why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = Rehearsal(EYES[why], 1)
    assert sound.run().violations == ()
    assert "policy" not in {fact.proof for fact in approvals(sound)}
    for asker in (approving, rolling_out):
        monkeypatch.setattr(asker, "goes_alone", lambda of, root: rule_alone(of.service.policy, facts_of(of, root)))
    broken = Rehearsal(EYES[why], 1)
    assert {each.invariant for each in broken.run().violations} == {"approval"}
    assert "policy" in {fact.proof for fact in approvals(broken)}


def approvals(of: Rehearsal) -> list[e.ApprovalGiven]:
    return [entry.fact for entry in of.world.ledger.read() if isinstance(entry.fact, e.ApprovalGiven)]


def test_an_exception_without_an_end_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_file, "plan_exceptions", lambda _: None)
    assert "exception" in of_story("exceptions")


def test_a_release_that_failed_its_gate_and_that_nobody_let_pass_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExceptionsState, "lets_on", lambda *_, **__: True)
    assert "approval" in of_story("exceptions")


def test_a_gateway_that_throws_dice_for_each_request_is_caught_by_the_holdback(monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(1)
    monkeypatch.setattr(gateway, "unit_hash", lambda salt, unit: dice.getrandbits(64))
    assert "holdback" in of_story("a soak with a metric")


def test_a_canary_that_does_not_wait_for_labels_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollout_judge, "with_metrics", lambda found, *_, **__: found)
    assert "metric evidence" in of_story("a soak with a metric")


def test_an_order_that_nobody_gives_again_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_file, "plan_given_up", lambda _: None)
    monkeypatch.setattr(plan_file, "repeat", lambda *_: None)
    assert "arrival" in of_story("a gateway that takes no order")
