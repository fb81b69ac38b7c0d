"""A rollout that a person holds, lets go on, hurries or tries again; and requests that expire."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, failing, healthy
from tests.control.world import FIRST, NAME, SECOND, registered, service

from flyball.app import rollouts
from flyball.app.people import Person, approve, roll_back
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision
from flyball.control.plan import Plan
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.errors import NotFound, Refused
from flyball.core.ids import RolloutId
from flyball.core.routing import Routing, StepCounts
from flyball.core.service import Approval, Canary, Metadata, Pause, Promote, Role, Service, Shadow, Step

BOB = Person(name="bob", proof="os_user")
EVE = Person(name="eve", proof="os_user")
LIVE = (
    Step(approval=Approval()),
    Step(canary=Canary(weight=0.1, min_requests=10, min_s=0)),
    Step(pause=Pause()),
    Step(promote=Promote()),
)


def running(declared: Service | None = None, *, by: str = "") -> Loop:
    """A second release on its way."""
    loop = Loop(declared)
    loop.gateways.seen = healthy()
    loop.tick()
    first, *others = registered(SECOND)
    assert isinstance(first, e.ReleaseRegistered)
    loop.write(replace(first, by=by), *others)
    for _ in range(3):
        loop.tick()
    return loop


def ticked(loop: Loop, times: int = 6) -> None:
    for _ in range(times):
        loop.tick()


def kinds(loop: Loop) -> list[str]:
    return [fact.kind for fact in loop.facts(e.StepStarted) if isinstance(fact, e.StepStarted)]


def test_a_paused_rollout_stays_where_it_is_and_goes_on_when_resumed() -> None:
    loop = running()
    rollouts.pause(loop.ledger, NAME, BOB, "a holiday")
    before = kinds(loop)
    loop.approve()
    ticked(loop)
    assert kinds(loop) == before
    assert loop.reconciler.state.decisions["rollout"].why == "wait: paused by bob: a holiday"
    rollouts.resume(loop.ledger, NAME, BOB)
    ticked(loop, 12)
    assert loop.reconciler.state.champion == SECOND


def test_a_paused_candidate_that_is_worse_goes_back() -> None:
    long = Step(canary=Canary(weight=0.1, min_requests=100_000))
    loop = running(service(steps=(LIVE[0], long, LIVE[3])))
    loop.approve()
    ticked(loop, 2)
    assert kinds(loop)[-1] == "canary"
    rollouts.pause(loop.ledger, NAME, BOB)
    loop.gateways.seen = failing()
    ticked(loop, 3)
    assert loop.reconciler.state.rollout is None
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.weight == 0
    assert SECOND in loop.reconciler.state.withdrawn


def test_a_pause_step_waits_for_a_person_with_its_traffic() -> None:
    loop = running(service(steps=LIVE))
    loop.approve()
    ticked(loop)
    assert kinds(loop) == ["approval", "canary", "pause"]
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.weight == 1000
    rollouts.resume(loop.ledger, NAME, BOB, "seen enough")
    ticked(loop)
    assert loop.reconciler.state.champion == SECOND


def test_a_pause_step_with_a_duration_ends_by_itself() -> None:
    steps = (*LIVE[:2], Step(pause=Pause(duration_s=30)), *LIVE[3:])
    loop = running(service(steps=steps))
    loop.approve()
    ticked(loop, 4)
    assert kinds(loop)[-1] == "pause"
    loop.clock.advance(30)
    ticked(loop, 3)
    assert loop.reconciler.state.champion == SECOND


def test_who_promotes_ends_one_wait_and_no_approval() -> None:
    steps = (Step(shadow=Shadow(min_pairs=10_000)), *LIVE[:2], Step(promote=Promote()))
    loop = running(service(steps=steps))
    assert kinds(loop) == ["shadow"]
    with pytest.raises(Refused, match="approver"):
        rollouts.promote(loop.ledger, NAME, BOB, "soon")
    rollouts.promote(loop.ledger, NAME, ADA, "seen by hand")
    assert rollouts.promote(loop.ledger, NAME, ADA, "again") == ()
    ticked(loop)
    assert kinds(loop) == ["shadow", "approval"]
    (judged,) = loop.facts(e.StepJudged)
    assert isinstance(judged, e.StepJudged)
    assert judged.verdict.kind == "INCONCLUSIVE"
    assert judged.verdict.reason.startswith("ada ended the step (seen by hand)")
    with pytest.raises(Refused, match="approval"):
        rollouts.promote(loop.ledger, NAME, ADA, "go")
    loop.approve()
    ticked(loop)
    assert loop.reconciler.state.champion == SECOND


def test_a_release_that_went_back_is_tried_again_for_a_reason_only() -> None:
    loop = running()
    roll_back(loop.ledger, NAME, BOB, "smells")
    ticked(loop)
    assert SECOND in loop.reconciler.state.withdrawn
    with pytest.raises(Refused, match="needs a reason"):
        rollouts.want(loop.ledger, NAME, None, ADA, "")
    with pytest.raises(NotFound, match="names 0 releases"):
        rollouts.want(loop.ledger, NAME, "f" * 8, ADA, "why")
    with pytest.raises(Refused, match="serves already"):
        rollouts.want(loop.ledger, NAME, FIRST, ADA, "why")
    rollouts.want(loop.ledger, NAME, SECOND.removeprefix("sha256:")[:8], ADA, "the gateway was at fault")
    ticked(loop)
    assert loop.reconciler.state.rollout is not None
    assert loop.reconciler.state.rollout.release == SECOND
    assert SECOND not in loop.reconciler.state.withdrawn


def test_what_does_not_run_cannot_be_held() -> None:
    loop = Loop()
    loop.tick()
    for word in (rollouts.pause, rollouts.resume):
        with pytest.raises(NotFound, match="no rollout"):
            word(loop.ledger, NAME, ADA)
    with pytest.raises(Refused, match="not paused"):
        rollouts.resume(running().ledger, NAME, ADA)


def test_who_had_a_release_trained_does_not_approve_it_where_somebody_else_may() -> None:
    declared = service(steps=LIVE)
    people: dict[str, tuple[Role, ...]] = {"ada": ("approver",), "eve": ("approver",)}
    both = replace(declared, metadata=Metadata(name="fraud", owner="risk", people=people))
    loop = running(both, by="ada")
    with pytest.raises(Refused, match=r"had this release trained: somebody else has to approve it \(eve\)"):
        approve(loop.ledger, NAME, ADA)
    approve(loop.ledger, NAME, EVE)
    (given,) = loop.facts(e.ApprovalGiven)
    assert isinstance(given, e.ApprovalGiven)
    assert not given.alone


def test_the_only_approver_may_and_the_ledger_says_that_it_was_one_pair_of_eyes() -> None:
    loop = running(service(steps=LIVE), by="ada")
    approve(loop.ledger, NAME, ADA)
    (given,) = loop.facts(e.ApprovalGiven)
    assert isinstance(given, e.ApprovalGiven)
    assert given.alone


def test_an_expired_request_is_not_approved_and_is_asked_anew_where_the_step_holds() -> None:
    steps = (Step(approval=Approval(timeout_s=60, on_timeout="hold")), *LIVE[1:])
    loop = running(service(steps=steps))
    (asked,) = loop.facts(e.ApprovalRequested)
    assert isinstance(asked, e.ApprovalRequested)
    with pytest.raises(Refused, match="expired"):
        approve(loop.ledger, NAME, ADA, now=datetime(2999, 1, 1, tzinfo=UTC))
    loop.clock.advance(120)
    approve(loop.ledger, NAME, ADA)  # by somebody who has no clock: it does nothing
    ticked(loop)
    assert kinds(loop) == ["approval"]
    again = loop.facts(e.ApprovalRequested)
    assert len(again) == 2
    assert isinstance(again[1], e.ApprovalRequested)
    assert moment(again[1].expires_at) > moment(asked.expires_at)
    loop.approve()
    ticked(loop)
    assert "canary" in kinds(loop)


def test_no_plan_may_start_a_step_of_a_paused_rollout_or_raise_the_weight_of_one_that_waits() -> None:
    loop = running(service(steps=LIVE))
    loop.approve()
    ticked(loop)
    state = loop.reconciler.state
    assert state.rollout is not None
    assert state.rollout.step is not None
    step = state.rollout.step
    raised = replace(step.routing, epoch=step.routing.epoch + 1, weight=2000)
    fact = e.StepStarted(
        service=NAME, rollout=RolloutId(state.rollout.rollout), step=2, kind="pause", key="k", routing=raised, why=""
    )
    decision = replace(loop_decision(), facts=(fact,))
    plan = Plan(service=NAME, parent=state.version, decisions=(decision,))
    assert any("raises the weight" in rule for rule in broken_rules(plan, state, loop.service))
    rollouts.pause(loop.ledger, NAME, BOB)
    loop.tick()
    paused = replace(plan, parent=loop.reconciler.state.version)
    assert any("paused" in rule for rule in broken_rules(paused, loop.reconciler.state, loop.service))


def loop_decision() -> Decision:
    return Decision(action="rollout", what="", why="")


def test_the_evidence_of_a_broken_split_is_carried_from_step_to_step() -> None:
    first, second = (Step(canary=Canary(weight=weight, min_requests=10, min_s=0)) for weight in (0.1, 0.5))
    loop = running(service(steps=(LIVE[0], first, second, LIVE[3])))

    def skewed(routing: Routing) -> StepCounts:
        base = healthy(10_000)(routing)
        more = 120 if routing.weight == 1000 else 200
        arms = [replace(arm, units=arm.units + by) for arm, by in ((base.champion, -more), (base.candidate, more))]
        return replace(base, champion=arms[0], candidate=arms[1])

    loop.gateways.seen = skewed
    loop.approve()
    ticked(loop)
    assert kinds(loop) == ["approval", "canary", "canary"]  # the first alone was believed
    verdict = loop.reconciler.state.decisions["rollout"].why
    assert verdict.startswith("invalid:")
    assert "with the steps before" in verdict


def test_a_quorum_is_of_different_people_and_begins_anew_with_other_evidence() -> None:
    steps = (Step(approval=Approval(quorum=2, timeout_s=60, on_timeout="hold")), *LIVE[1:])
    people: dict[str, tuple[Role, ...]] = {"ada": ("approver",), "eve": ("approver",), "bob": ("operator",)}
    declared = replace(service(steps=steps), metadata=Metadata(name="fraud", owner="risk", people=people))
    loop = running(declared)
    loop.approve()
    assert approve(loop.ledger, NAME, ADA) == ()  # once is once
    ticked(loop, 2)
    assert kinds(loop) == ["approval"]
    waits = loop.reconciler.state.decisions["rollout"].waiting_for
    assert waits == ("approval by 2 people with role approver (1 of 2 so far: ada): flyball approve fraud",)
    loop.clock.advance(120)  # the request expires, and is asked anew: ada has said nothing to that
    ticked(loop, 1)
    approve(loop.ledger, NAME, EVE)
    ticked(loop, 2)
    assert kinds(loop) == ["approval"]
    loop.approve()
    ticked(loop, 2)
    assert "canary" in kinds(loop)


def test_no_plan_may_raise_the_weight_on_less_than_the_declared_quorum() -> None:
    loop = running(service(steps=LIVE))
    loop.approve()
    ticked(loop, 1)
    state = loop.reconciler.state
    strict = service(steps=(Step(approval=Approval(quorum=2)), *LIVE[1:]))
    assert state.rollout is not None
    assert state.rollout.step is not None
    routing = replace(state.rollout.step.routing, epoch=state.epoch + 1, weight=1000)
    fact = e.StepStarted(
        service=NAME, rollout=RolloutId(state.rollout.rollout), step=1, kind="canary", key="k", routing=routing, why=""
    )
    plan = Plan(service=NAME, parent=state.version, decisions=(replace(loop_decision(), facts=(fact,)),))
    assert "1 of 2 approvals" in broken_rules(plan, state, strict)
    assert "1 of 2 approvals" not in broken_rules(plan, state, loop.service)


def test_a_release_that_was_taken_back_and_is_made_again_is_withdrawn_still_and_nobody_waits_for_it() -> None:
    loop = running()
    roll_back(loop.ledger, NAME, BOB, "smells")
    ticked(loop)
    loop.write(*registered(SECOND))  # another training came to the same bytes
    ticked(loop)
    state = loop.reconciler.state
    assert state.waiting == ()
    assert SECOND in state.withdrawn
    assert "rollout" not in state.decisions  # nor is told what the rollout had waited for


def test_with_a_quorum_the_trainer_may_say_yes_after_somebody_else() -> None:
    people: dict[str, tuple[Role, ...]] = {"ada": ("approver",), "eve": ("approver",)}
    steps = (Step(approval=Approval(quorum=2)), *LIVE[1:])
    declared = replace(service(steps=steps), metadata=Metadata(name="fraud", owner="risk", people=people))
    loop = running(declared, by="ada")
    with pytest.raises(Refused, match="somebody else"):
        approve(loop.ledger, NAME, ADA)
    approve(loop.ledger, NAME, EVE)
    approve(loop.ledger, NAME, ADA)
    ticked(loop, 2)
    assert "canary" in kinds(loop)
    assert not any(given.alone for given in loop.facts(e.ApprovalGiven) if isinstance(given, e.ApprovalGiven))


def test_a_paused_rollout_is_resumed_before_a_wait_is_ended() -> None:
    loop = running(service(steps=(Step(shadow=Shadow(min_pairs=10_000)), *LIVE)))
    rollouts.pause(loop.ledger, NAME, BOB)
    with pytest.raises(Refused, match="is paused by bob"):
        rollouts.promote(loop.ledger, NAME, ADA, "now")
