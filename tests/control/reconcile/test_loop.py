"""Stories of the loop, told by the facts that it leaves."""

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, failing, healthy, stopped, wanting
from tests.control.world import FIRST, NAME, SECOND, THIRD, registered, service

from flyball.app.people import Person, approve, freeze, reject, roll_back, thaw
from flyball.control.reconcile import Seen
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.errors import NotFound, Refused
from flyball.core.policy import policy_digest
from flyball.core.release import GateResult
from flyball.core.routing import PairEvidence, Routing
from flyball.core.service import Autonomy, Canary, Service, Shadow, Step


def rolled_out(loop: Loop) -> None:
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    loop.tick()


def test_the_first_champion_gets_all_traffic() -> None:
    loop = Loop()
    state = loop.tick()
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.champion == FIRST
    assert state.applied == state.epoch == 1


def test_a_candidate_goes_through_shadow_approval_and_canary_to_champion() -> None:
    loop = Loop()
    loop.tick()
    rolled_out(loop)
    state = loop.reconciler.state
    assert (state.champion, state.previous, state.rollout) == (SECOND, FIRST, None)
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.champion == SECOND
    assert loop.gateways.routing.weight == 0
    kinds = [fact.kind for fact in loop.facts(e.StepStarted) if isinstance(fact, e.StepStarted)]
    assert kinds == ["shadow", "approval", "canary", "canary", "promote"]


def test_without_the_approval_nothing_gets_live_traffic() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    for _ in range(5):
        state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "approval"
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.weight == 0
    assert state.decisions["rollout"].waiting_for == ("approval by a person with role approver: flyball approve fraud",)


def test_a_step_waits_while_its_evidence_is_thin() -> None:
    loop = Loop()
    loop.gateways.seen = healthy(0)
    loop.write(*registered(SECOND))
    loop.gateways.seen = None
    state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.index == 0


def test_what_the_gateway_stopped_is_rolled_back_on_the_ledger_once() -> None:
    loop = Loop()
    loop.gateways.seen = healthy(20)
    loop.write(*registered(SECOND))
    loop.tick()
    loop.gateways.seen = healthy()
    loop.tick()
    loop.approve()
    loop.gateways.seen = healthy(20)
    loop.tick()
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.weight == 1000
    loop.gateways.stopped = stopped(loop.gateways.routing)
    for _ in range(3):
        state = loop.tick()
    (rolled,) = loop.facts(e.RolledBack)
    assert isinstance(rolled, e.RolledBack)
    assert (rolled.by, rolled.to, rolled.seconds) == ("gateway", FIRST, 2.5)
    assert state.champion == FIRST
    assert SECOND in state.withdrawn
    assert loop.gateways.routing.candidate is None


def test_the_controller_rolls_back_by_itself_when_the_gateway_did_not() -> None:
    loop = Loop()
    loop.gateways.seen = healthy(20)
    loop.write(*registered(SECOND))
    loop.tick()
    loop.gateways.seen = failing()
    loop.tick()
    (rolled,) = loop.facts(e.RolledBack)
    assert isinstance(rolled, e.RolledBack)
    assert rolled.by == "controller"


def test_a_release_that_was_rolled_back_is_not_rolled_out_again() -> None:
    loop = Loop()
    test = loop
    test.gateways.seen = failing()
    test.write(*registered(SECOND))
    for _ in range(4):
        test.tick()
    assert len(test.facts(e.RolloutOpened)) == 1


def test_a_freeze_stops_everything_but_the_way_back() -> None:
    loop = Loop()
    loop.tick()
    loop.write(*registered(SECOND))
    loop.tick()
    freeze(loop.ledger, NAME, ADA, "audit")
    loop.gateways.seen = healthy()
    state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.index == 0
    loop.gateways.seen = failing()
    state = loop.tick()
    assert state.rollout is None
    assert loop.facts(e.RolledBack) != []
    thaw(loop.ledger, NAME, ADA, "done")
    assert loop.tick().frozen is None


def test_a_freeze_holds_back_what_was_ordered_before_it() -> None:
    loop = Loop()
    loop.tick()
    loop.gateways.gone = True
    loop.write(*registered(SECOND))
    loop.tick()
    freeze(loop.ledger, NAME, ADA, "audit")
    loop.gateways.gone = False
    loop.gateways.seen = healthy()
    for _ in range(3):
        loop.tick(seconds=60)
    assert loop.gateways.orders == [1]
    thaw(loop.ledger, NAME, ADA, "done")
    assert loop.tick(seconds=60).applied > 1


def test_a_person_takes_the_champion_back() -> None:
    loop = Loop()
    loop.tick()
    rolled_out(loop)
    roll_back(loop.ledger, NAME, Person(name="bob", proof="os_user"), "customers complain")
    state = loop.tick()
    assert (state.champion, state.previous) == (FIRST, None)  # nobody falls back to what was taken back
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.champion == FIRST


def test_a_veto_ends_the_rollout() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    reject(loop.ledger, NAME, ADA, "not before the holidays")
    state = loop.tick()
    assert state.rollout is None
    assert SECOND in state.withdrawn
    assert state.champion == FIRST


def test_a_veto_in_the_middle_of_a_canary_takes_the_candidate_back_for_good() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.gateways.seen = healthy(20)
    loop.approve()
    state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "canary"
    reject(loop.ledger, NAME, ADA, "known bad")
    loop.gateways.seen = healthy()
    for _ in range(3):
        state = loop.tick()
    assert (state.champion, state.rollout, state.withdrawn) == (FIRST, None, frozenset({SECOND}))
    assert loop.gateways.routing is not None
    assert (loop.gateways.routing.champion, loop.gateways.routing.weight) == (FIRST, 0)


def test_a_veto_is_heard_under_a_freeze() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    freeze(loop.ledger, NAME, ADA, "audit")
    reject(loop.ledger, NAME, ADA, "known bad")
    state = loop.tick()
    assert (state.rollout, state.withdrawn) == (None, frozenset({SECOND}))


def test_only_who_holds_the_role_may_approve() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    with pytest.raises(Refused) as caught:
        approve(loop.ledger, NAME, Person(name="bob", proof="os_user"))
    assert "ada" in caught.value.hint
    with pytest.raises(NotFound):
        approve(loop.ledger, "ro-unknown", ADA)


def declared_anew(loop: Loop, changed: Service) -> None:
    """Somebody edits service.yaml and declares it, and the controller is started anew with it."""
    declared = loop.facts(e.ServiceDeclared)[0]
    assert isinstance(declared, e.ServiceDeclared)
    loop.write(replace(declared, policy=policy_digest(changed)))
    loop.service = changed


def test_a_changed_policy_voids_the_approval_and_the_rollout_begins_again_under_the_new_one() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    declared_anew(loop, service(autonomy=Autonomy(retrain="suggest")))
    state = loop.tick()
    assert loop.reconciler.stale
    assert state.champion == FIRST
    loop.reconciler.stop()
    loop.reconciler = loop.another("two")
    loop.tick()
    closed = loop.facts(e.RolloutClosed)[0]
    assert isinstance(closed, e.RolloutClosed)
    assert (closed.outcome, closed.again) == ("expired", True)
    assert len(loop.facts(e.ApprovalRequested)) == 2
    loop.approve()
    assert loop.tick().champion == SECOND


def test_a_controller_with_an_old_declaration_still_takes_a_bad_release_back() -> None:
    loop = Loop()
    loop.write(*registered(SECOND))
    loop.tick()
    declared_anew(loop, service(autonomy=Autonomy(retrain="suggest")))
    loop.gateways.seen = failing()
    assert loop.tick().rollout is None
    assert loop.facts(e.RolledBack) != []


def test_fewer_steps_in_the_declaration_end_the_rollout_and_not_the_controller() -> None:
    loop = Loop()
    loop.gateways.seen = healthy(20)
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    assert loop.tick().rollout is not None
    declared_anew(loop, service(steps=[Step(canary=Canary(weight=0.5))]))
    loop.reconciler.stop()
    loop.reconciler = loop.another("two")
    loop.tick()
    closed = loop.facts(e.RolloutClosed)[0]
    assert isinstance(closed, e.RolloutClosed)
    assert closed.outcome == "expired"


def test_a_release_that_the_gateway_refuses_goes_back() -> None:
    loop = Loop()
    loop.tick()
    loop.gateways.refuses = SECOND
    loop.write(*registered(SECOND))
    state = loop.tick()
    (rolled,) = loop.facts(e.RolledBack)
    assert isinstance(rolled, e.RolledBack)
    assert rolled.cause == "refused"
    assert state.rollout is None
    assert SECOND in state.withdrawn


def test_a_step_that_no_gateway_confirms_ends_with_its_time() -> None:
    abort = [Step(shadow=Shadow(timeout_s=100, on_timeout="abort"))]
    loop = Loop(service(steps=abort))
    loop.tick()
    loop.gateways.gone = True
    loop.write(*registered(SECOND))
    loop.tick()
    assert loop.tick(seconds=200).rollout is None


def test_a_gateway_with_a_newer_epoch_than_the_ledger_is_ordered_above_it() -> None:
    loop = Loop()
    loop.gateways.routing = Routing(service=NAME, epoch=40, champion=THIRD)
    state = loop.tick()
    assert loop.gateways.routing.champion == FIRST
    assert loop.gateways.routing.epoch > 40
    assert state.applied == loop.gateways.routing.epoch


def test_an_inconclusive_gate_that_left_it_to_the_shadow_waits_for_its_labels() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.tick()
    left = GateResult(name="g", metric="accuracy", passed=True, verdict="INCONCLUSIVE", reason="too few rows")
    facts = registered(SECOND)
    assert isinstance(facts[0], e.ReleaseRegistered)
    loop.write(replace(facts[0], release=replace(facts[0].release, gates=(left,))), facts[1])
    state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "shadow"
    loop.sensor.seen = Seen(labels=PairEvidence(pairs=400, candidate_only=90, champion_only=40))
    state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "approval"


def test_an_approval_that_nobody_gives_expires() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    state = loop.tick(seconds=8 * 86_400)
    assert state.rollout is None
    (closed,) = loop.facts(e.RolloutClosed)
    assert isinstance(closed, e.RolloutClosed)
    assert closed.outcome == "expired"


def test_drift_opens_a_ticket_trains_and_rolls_out() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.tick()
    loop.sensor.seen = wanting()
    ticket = None
    loop.tick()
    opened = loop.facts(e.TicketOpened)[0]
    assert isinstance(opened, e.TicketOpened)
    ticket = opened.ticket
    assert loop.learner.asked == [f"train/{ticket}"]
    loop.sensor.seen = Seen()
    loop.write(*registered(SECOND, ticket=ticket))
    loop.tick()
    loop.approve()
    state = loop.tick()
    assert state.champion == SECOND
    assert state.ticket is None
    (closed,) = loop.facts(e.TicketClosed)
    assert isinstance(closed, e.TicketClosed)
    assert closed.outcome == "promoted"


def test_too_few_labels_make_the_ticket_wait() -> None:
    loop = Loop()
    loop.tick()
    loop.sensor.seen = wanting(new_rows=10)
    state = loop.tick()
    assert loop.learner.asked == []
    assert "labels: 10 of 50 new rows have one" in state.decisions["retrain"].waiting_for


def test_a_suggested_retraining_waits_for_a_person() -> None:
    loop = Loop(service(autonomy=Autonomy(retrain="suggest")))
    loop.tick()
    loop.sensor.seen = wanting()
    loop.tick()
    assert loop.learner.asked == []
    ticket = loop.reconciler.state.ticket
    assert ticket is not None
    approve(loop.ledger, ticket.ticket, ADA)
    loop.tick()
    assert len(loop.learner.asked) == 1


def test_with_autonomy_observe_nothing_is_opened() -> None:
    loop = Loop(service(autonomy=Autonomy(retrain="observe")))
    loop.tick()
    loop.sensor.seen = wanting()
    loop.tick()
    assert loop.facts(e.TicketOpened) == []


def test_two_retrainings_whose_gates_fail_are_two_without_gain() -> None:
    loop = Loop()
    loop.tick()
    for root in (SECOND, THIRD):
        loop.sensor.seen = wanting()
        loop.tick()
        tickets = loop.facts(e.TicketOpened)
        newest = tickets[-1]
        assert isinstance(newest, e.TicketOpened)
        loop.sensor.seen = Seen()
        loop.write(*registered(root, passed=False, ticket=newest.ticket))
        state = loop.tick()
    assert state.without_gain == 2


def test_an_open_incident_keeps_the_loop_from_training() -> None:
    loop = Loop()
    loop.tick()
    loop.write(e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="a column went dead"))
    loop.sensor.seen = wanting()
    state = loop.tick()
    assert loop.facts(e.TicketOpened) == []
    assert any("in-1" in wait for wait in state.decisions["retrain"].waiting_for)


def test_a_person_closes_an_incident_by_accepting_the_data() -> None:
    loop = Loop()
    loop.tick()
    loop.write(e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="a new sensor", row=700))
    approve(loop.ledger, "in-1", ADA, "the new sensor is meant")
    state = loop.tick()
    assert state.incident is None
    assert state.accepted is not None
    assert state.accepted.row == 700


def test_a_gateway_that_lost_its_table_is_given_it_again() -> None:
    loop = Loop()
    loop.tick()
    rolled_out(loop)
    newest = loop.reconciler.state.epoch
    loop.gateways.routing = None
    loop.tick()
    assert loop.gateways.routing is not None
    assert loop.gateways.routing.epoch == newest


def test_without_a_gateway_the_loop_waits_and_goes_on_when_it_is_back() -> None:
    loop = Loop()
    loop.gateways.gone = True
    assert loop.tick().applied == -1
    loop.gateways.gone = False
    loop.gateways.seen = healthy()
    state = loop.tick(seconds=60)
    assert state.applied == 1


def test_the_same_answer_is_written_once_however_often_it_is_given() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    size = loop.ledger.head().size
    for _ in range(20):
        loop.tick()
    assert loop.ledger.head().size == size


def test_two_controllers_never_both_act() -> None:
    loop = Loop()
    loop.tick()
    other = loop.another("two")
    assert other.tick() is None
    loop.clock.advance(60)  # the first one hangs, its lease runs out
    assert other.tick() is not None
    before = loop.ledger.head().size
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    assert loop.reconciler.tick() is None
    assert loop.ledger.head().size == before + 2
    other.tick()
    assert len(loop.facts(e.RolloutOpened)) == 1


@pytest.mark.parametrize("kill_after", range(1, 8))
def test_a_controller_killed_between_any_two_writes_is_replaced_without_harm(kill_after: int) -> None:
    """The replacement reads the ledger, takes up the open command, and ends where an unharmed loop ends."""
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    writes = 0
    append = loop.ledger.append

    class Killed(BaseException):
        pass

    def dying(*arguments: object, **options: object) -> object:
        nonlocal writes
        writes += 1
        if writes > kill_after:
            raise Killed
        return append(*arguments, **options)  # type: ignore[arg-type]

    loop.ledger.append = dying  # type: ignore[method-assign, assignment]

    def live() -> None:
        for _ in range(20):
            loop.tick()
            if loop.reconciler.state.rollout and loop.reconciler.state.rollout.asked:
                loop.approve()

    with pytest.raises(Killed):
        live()
    loop.ledger.append = append  # type: ignore[method-assign]
    loop.clock.advance(120)
    loop.reconciler = loop.another("next")
    for _ in range(6):
        state = loop.tick(seconds=31)
        if state.rollout and state.rollout.asked and not state.rollout.approved:
            loop.approve()
    assert loop.reconciler.state.champion == SECOND
    assert len(loop.facts(e.ChampionAppointed)) == 2
    assert loop.gateways.orders == sorted(loop.gateways.orders)


def test_the_clock_of_the_ledger_is_the_one_that_was_handed_in() -> None:
    loop = Loop()
    loop.tick()
    newest = list(loop.ledger.read())[-1]
    assert newest.at == timestamp(loop.clock.now())


def test_what_is_approved_is_not_approved_again() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    with pytest.raises(NotFound, match="nothing of"):
        loop.approve()


def test_a_wait_that_is_over_is_no_longer_told() -> None:
    loop = Loop()
    loop.tick()
    freeze(loop.ledger, NAME, ADA, "audit")
    assert "freeze" in loop.tick().decisions
    thaw(loop.ledger, NAME, ADA, "done")
    assert "freeze" not in loop.tick().decisions
