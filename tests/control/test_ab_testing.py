"""Stories of A/B tests, told by their facts: a person's word, the order, what the gateway stops, the end."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, healthy
from tests.control.world import FIRST, NAME, SECOND, THIRD, folded, registered

from flyball.app.ab_tests import start, stop, weigh
from flyball.app.ab_words import Wanted
from flyball.app.people import Person, freeze, roll_back, thaw
from flyball.control.ab_testing import plan_ab_test
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision, Situation, order
from flyball.control.plan import Plan
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.errors import BadInput, Refused
from flyball.core.policy import policy_digest
from flyball.core.routing import ArmStop, Routing, StepCounts, Stopped, Verdict
from flyball.core.service import Guardrails, Service
from flyball.serving.routing.assign import owners

BOB = Person(name="bob", proof="os_user")  # an operator
ARMS = (Wanted(name="b", release=SECOND, weight=2000), Wanted(name="c", release=THIRD, weight=500))
WORSE = Verdict(kind="ROLL_BACK", reason="arm b: worse", cause="errors")


def begun(arms: Sequence[Wanted] = ARMS, *, until: str | None = None, declared: Service | None = None) -> Loop:
    """A loop whose test is in force. The controller is frozen while the releases come, so that no rollout opens."""
    loop = Loop(declared)
    loop.tick()
    freeze(loop.ledger, NAME, ADA, "releases come")
    loop.write(*registered(SECOND), *registered(THIRD))
    start(loop.ledger, NAME, ADA, arms, until=until)
    thaw(loop.ledger, NAME, ADA, "go")
    loop.tick()
    return loop


def table(loop: Loop) -> Routing:
    assert loop.gateways.routing is not None
    return loop.gateways.routing


def weights(loop: Loop) -> dict[str, int]:
    return {arm.name: arm.weight for arm in table(loop).arms}


def gone(loop: Loop, *arms: str) -> Stopped:
    now = table(loop)
    stops = tuple(
        ArmStop(arm=arm.name, release=arm.release, verdict=WORSE, at="t", seconds=2.0)
        for arm in now.arms
        if arm.name in arms
    )
    assert now.rollout is not None
    counts = StepCounts(service=NAME, epoch=now.epoch, rollout=now.rollout, step=None)
    return Stopped(rollout=now.rollout, epoch=now.epoch, verdict=WORSE, counts=counts, at="t", arms_=stops)


def test_a_persons_word_becomes_arms_in_force() -> None:
    loop = begun()
    state = loop.reconciler.state
    assert weights(loop) == {"b": 2000, "c": 500}
    assert table(loop).champion == FIRST
    assert table(loop).guardrails is not None
    assert state.ab is not None
    assert state.ab.applied
    assert table(loop).rollout == state.ab.started.test
    assert loop.tick().decisions["ab"].waiting_for == ("flyball ab stop fraud",)


def test_while_a_test_runs_a_qualified_release_waits_and_is_rolled_out_after_it() -> None:
    loop = begun(ARMS[:1])
    state = loop.tick()
    assert state.rollout is None
    assert "A/B test" in state.decisions["rollout"].why
    stop(loop.ledger, NAME, BOB, "enough")
    state = loop.tick()
    assert state.ab is None
    assert state.rollout is not None
    assert state.rollout.release == THIRD
    assert not table(loop).arms
    (closed,) = loop.facts(e.AbClosed)
    assert isinstance(closed, e.AbClosed)
    assert (closed.outcome, closed.reason) == ("stopped", "bob ended it: enough")


def test_no_test_begins_beside_a_rollout_unless_the_same_word_ends_it() -> None:
    loop = Loop()
    loop.gateways.seen = healthy()
    loop.tick()
    loop.write(*registered(THIRD))
    loop.tick()
    assert loop.reconciler.state.rollout is not None
    loop.write(*registered(SECOND))
    with pytest.raises(Refused, match="one at a time"):
        start(loop.ledger, NAME, ADA, ARMS)
    start(loop.ledger, NAME, ADA, ARMS, end_rollout=True)
    state = loop.tick()
    assert state.rollout is None
    assert weights(loop) == {"b": 2000, "c": 500}
    assert THIRD not in state.withdrawn  # nothing speaks against it
    with pytest.raises(Refused, match="one at a time"):
        start(loop.ledger, NAME, ADA, ARMS)


def test_an_arm_that_the_gateway_stopped_is_on_record_and_the_others_go_on() -> None:
    loop = begun()
    before = owners(table(loop).arms)
    loop.gateways.stopped = gone(loop, "b")
    state = loop.tick()
    (fact,) = loop.facts(e.AbArmStopped)
    assert isinstance(fact, e.AbArmStopped)
    assert (fact.arm, fact.release, fact.seconds) == ("b", SECOND, 2.0)
    assert weights(loop) == {"b": 0, "c": 500}
    assert owners(table(loop).arms) == tuple("champion" if arm == "b" else arm for arm in before)
    assert state.ab is not None
    assert SECOND in state.withdrawn  # it is not rolled out by itself any more
    loop.tick()
    assert len(loop.facts(e.AbArmStopped)) == 1
    with pytest.raises(Refused, match="was stopped"):
        weigh(loop.ledger, NAME, ADA, {"b": 100})


def test_a_test_without_an_arm_left_is_closed() -> None:
    loop = begun()
    loop.gateways.stopped = gone(loop, "b", "c")
    state = loop.tick()
    assert state.ab is None
    (closed,) = loop.facts(e.AbClosed)
    assert isinstance(closed, e.AbClosed)
    assert closed.outcome == "no_arm_left"
    assert not table(loop).arms


def test_weights_change_by_a_word_and_no_other_arm_moves() -> None:
    loop = begun()
    before = owners(table(loop).arms)
    weigh(loop.ledger, NAME, ADA, {"b": 3000})
    loop.tick()
    assert weights(loop) == {"b": 3000, "c": 500}
    for old, new in zip(before, owners(table(loop).arms), strict=True):
        assert new == old or (old, new) == ("champion", "b")
    orders = list(loop.gateways.orders)
    assert weigh(loop.ledger, NAME, ADA, {"b": 3000}) == ()
    loop.tick()
    assert loop.gateways.orders == orders


def test_a_test_ends_when_its_time_is_over() -> None:
    loop = Loop()
    end = timestamp(loop.clock.now())
    loop = begun(until="2999-01-01T00:00:00.000000Z")
    assert loop.reconciler.state.ab is not None
    assert end < "2999"
    loop.clock.advance(1000 * 366 * 86_400.0)
    assert loop.tick().ab is None
    (closed,) = loop.facts(e.AbClosed)
    assert isinstance(closed, e.AbClosed)
    assert closed.outcome == "over"


def test_an_arm_that_the_gateway_refuses_ends_the_test() -> None:
    loop = Loop()
    loop.tick()
    loop.write(*registered(SECOND), *registered(THIRD))
    start(loop.ledger, NAME, ADA, ARMS)
    loop.gateways.refuses = THIRD
    assert loop.tick().ab is None
    (closed,) = loop.facts(e.AbClosed)
    assert isinstance(closed, e.AbClosed)
    assert closed.outcome == "refused"
    assert table(loop).champion == FIRST
    assert not table(loop).arms


def test_a_rollback_of_the_champion_ends_the_test() -> None:
    loop = Loop()
    loop.tick()
    loop.write(*registered(SECOND), e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST))
    loop.write(*registered(THIRD))
    start(loop.ledger, NAME, ADA, ARMS[1:])
    loop.tick()
    assert (table(loop).champion, weights(loop)) == (SECOND, {"c": 500})
    roll_back(loop.ledger, NAME, ADA, "back")
    state = loop.tick()
    assert (state.champion, state.ab) == (FIRST, None)
    closed = [fact for fact in loop.facts(e.AbClosed) if isinstance(fact, e.AbClosed)]
    assert [fact.outcome for fact in closed] == ["champion_gone"]
    assert table(loop).champion == FIRST
    assert not table(loop).arms


def test_a_freeze_keeps_a_test_from_beginning_and_growing_but_not_from_ending() -> None:
    loop = Loop()
    loop.tick()
    freeze(loop.ledger, NAME, ADA, "audit")
    loop.write(*registered(SECOND), *registered(THIRD))
    start(loop.ledger, NAME, ADA, ARMS)
    loop.tick()
    assert not table(loop).arms
    thaw(loop.ledger, NAME, ADA, "done")
    loop.tick()
    freeze(loop.ledger, NAME, ADA, "audit")
    weigh(loop.ledger, NAME, ADA, {"b": 4000})
    loop.tick()
    assert weights(loop)["b"] == 2000
    stop(loop.ledger, NAME, ADA)
    assert loop.tick().ab is None
    assert not table(loop).arms


def test_a_controller_that_starts_anew_goes_on_with_the_test() -> None:
    loop = begun()
    orders = list(loop.gateways.orders)
    loop.reconciler.stop()
    loop.reconciler = loop.another("two")
    loop.tick()
    assert loop.gateways.orders == orders
    stop(loop.ledger, NAME, ADA)
    assert loop.tick().ab is None


def test_a_gateway_that_lost_its_table_gets_the_arms_again() -> None:
    loop = begun()
    loop.gateways.routing = None
    loop.tick()
    assert weights(loop) == {"b": 2000, "c": 500}


def test_arms_without_a_word_more_than_was_said_or_of_a_bad_release_break_the_rules() -> None:
    loop = begun()
    state, declared = loop.reconciler.state, loop.service

    def broken(state: ServiceState, routing: Routing) -> str:
        fact = e.RoutingOrdered(service=NAME, key=order(routing).key, routing=routing, why="")
        made = Plan(
            service=NAME, parent=state.version, decisions=(Decision(action="ab", what="", why="", facts=(fact,)),)
        )
        return "; ".join(broken_rules(made, state, declared))

    newer = replace(table(loop), epoch=state.epoch + 1)
    assert broken(state, newer) == ""
    assert "no A/B test" in broken(replace(state, ab=None), newer)
    more = replace(newer.arms[0], buckets=((0, 9000),))
    assert "another than the one that was ordered" in broken(state, replace(newer, arms_=(more,)))
    assert "authority" in broken(state, replace(newer, guardrails=None))
    assert "withdrawn" in broken(replace(state, withdrawn=frozenset({SECOND})), newer)
    failed = replace(state, releases={root: replace(one, passed=False) for root, one in state.releases.items()})
    assert "has not passed" in broken(failed, newer)


def test_without_a_test_nothing_is_planned() -> None:
    loop = Loop()
    state = loop.tick()
    assert plan_ab_test(Situation(state=state, service=loop.service, now=timestamp(loop.clock.now()))) is None
    assert folded([]).ab is None


@pytest.mark.parametrize(
    ("arms", "who", "error", "words"),
    [
        (ARMS, BOB, Refused, "approver"),
        ((Wanted(name="b", release="sha256:ffffffff", weight=1),), ADA, BadInput, "no such release"),
        ((Wanted(name="b", release="aaa", weight=1),), ADA, BadInput, "no such release"),
        ((ARMS[0], Wanted(name="d", release=SECOND, weight=1)), ADA, BadInput, "a release of its own"),
    ],
)
def test_what_may_not_begin_says_why(arms: Sequence[Wanted], who: Person, error: type[Exception], words: str) -> None:
    loop = Loop()
    loop.tick()
    loop.write(*registered(SECOND), *registered(THIRD))
    with pytest.raises(error) as caught:
        start(loop.ledger, NAME, who, arms)
    faults = getattr(caught.value, "faults", ())
    assert words in f"{caught.value} {[(fault.expected, fault.found) for fault in faults]}"
    assert not loop.facts(e.AbStarted)


def test_the_champions_own_release_may_be_an_arm_and_a_stop_of_it_withdraws_nothing() -> None:
    loop = begun((Wanted(name="aa", release="champion", weight=5000),))
    assert table(loop).arms[0].release == FIRST
    loop.gateways.stopped = gone(loop, "aa")
    state = loop.tick()
    assert FIRST not in state.withdrawn
    assert state.champion == FIRST


def test_weights_that_leave_the_champion_nothing_are_refused() -> None:
    loop = begun()
    with pytest.raises(BadInput) as caught:
        weigh(loop.ledger, NAME, ADA, {"b": 9500})
    assert "leave the champion" in caught.value.faults[0].expected
    with pytest.raises(BadInput) as caught:
        weigh(loop.ledger, NAME, ADA, {"x": 1})
    assert "b, c" in caught.value.faults[0].expected
    with pytest.raises(Refused):
        weigh(loop.ledger, NAME, BOB, {"b": 1})


def test_the_winner_is_rolled_out_next_and_nobody_else_is() -> None:
    loop = begun()
    with pytest.raises(BadInput):
        stop(loop.ledger, NAME, ADA, winner="x")
    stop(loop.ledger, NAME, ADA, winner="b")
    state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.release == SECOND
    assert state.waiting == ()


def test_without_a_winner_no_arm_is_rolled_out() -> None:
    loop = begun()
    stop(loop.ledger, NAME, ADA)
    state = loop.tick()
    assert (state.rollout, state.waiting, state.withdrawn) == (None, (), frozenset())


def test_where_nobody_has_decided_what_waited_waits_again() -> None:
    loop = begun(until="2999-01-01T00:00:00.000000Z")
    loop.gateways.stopped = gone(loop, "b")
    loop.tick()
    with pytest.raises(Refused, match="worse than the champion"):
        stop(loop.ledger, NAME, ADA, winner="b")
    loop.clock.advance(1000 * 366 * 86_400.0)
    state = loop.tick()
    assert state.rollout is not None
    assert state.rollout.release == THIRD
    assert SECOND in state.withdrawn


def test_a_rollback_that_has_nowhere_to_go_says_how_to_end_the_test() -> None:
    loop = begun()
    with pytest.raises(Refused) as caught:
        roll_back(loop.ledger, NAME, ADA, "back")
    assert caught.value.hint == "flyball ab stop fraud ends the A/B test"


def test_a_changed_policy_leaves_a_test_under_the_guardrails_that_it_began_with() -> None:
    """It waits for a controller that knows the policy, and goes on; only a rollout has to be begun anew."""
    loop = begun()
    rails = table(loop).guardrails
    loop.service = replace(loop.service, rollout=replace(loop.service.rollout, guardrails=Guardrails(alpha=0.01)))
    declared = e.ServiceDeclared(
        service=NAME,
        policy=policy_digest(loop.service),
        declaration={"metadata": {"name": "fraud", "owner": "risk", "people": {"ada": ["approver"]}}},
        folder="fraud",
    )
    loop.write(declared)
    loop.reconciler.stop()
    loop.reconciler = loop.another("two")
    weigh(loop.ledger, NAME, ADA, {"b": 100})
    loop.tick()
    assert weights(loop)["b"] == 100
    assert table(loop).guardrails == rails
