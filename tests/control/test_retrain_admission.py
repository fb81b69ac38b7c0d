"""What lets a retraining begin beside signals (calendar, person), and what holds it back (budget, dead time)."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.loop import ADA, Loop, wanting
from tests.control.plant import Hour, Plant, most_in
from tests.control.world import NAME, SECOND, registered, service

from flyball.app.retrains import retrain
from flyball.app.triggers import receive
from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision, Learning
from flyball.control.plan import Plan
from flyball.control.reconcile import Seen
from flyball.core import events as e
from flyball.core.errors import Refused
from flyball.core.ids import Digest, ExperimentDigest
from flyball.core.runs import Use
from flyball.core.service import Autonomy, Budget, LiveMetric, PressureRule, Promote, Retrain, Service, Step
from flyball.decide.triggers import dead_s

DAY_S = 86_400.0
QUIET = Seen(learning=Learning(new_rows=1000))


def declared(**more: object) -> Service:
    return replace(service(), retrain=Retrain(min_new_rows=50, cooldown_s=600, **more))  # type: ignore[arg-type]


def ordered(loop: Loop) -> list[e.RetrainOrdered]:
    return [fact for fact in loop.facts(e.RetrainOrdered) if isinstance(fact, e.RetrainOrdered)]


def over(loop: Loop) -> None:
    """The newest ticket ends without gain."""
    ticket = loop.reconciler.state.ticket
    assert ticket is not None
    loop.write(e.TicketClosed(service=NAME, ticket=ticket.ticket, outcome="no_gain", reason="gates"))


def test_the_calendar_asks_once_for_all_moments_that_were_missed() -> None:
    loop = Loop(declared(schedule="0 3 * * *"))
    loop.sensor.seen = QUIET
    loop.tick()
    assert ordered(loop) == []
    loop.tick(seconds=10 * DAY_S)  # the controller was away
    assert [order.reason for order in ordered(loop)] == ["schedule"]
    over(loop)
    loop.tick()
    assert len(ordered(loop)) == 1
    loop.tick(seconds=DAY_S)
    assert len(ordered(loop)) == 2


def test_a_signal_goes_before_the_calendar() -> None:
    loop = Loop(declared(schedule="0 3 * * *"))
    loop.tick()
    loop.sensor.seen = wanting()
    loop.tick(seconds=DAY_S)
    assert [order.reason for order in ordered(loop)] == ["drift"]


def test_a_scheduled_ticket_waits_for_labels_and_is_not_dismissed_as_a_signal_that_went() -> None:
    loop = Loop(declared(schedule="0 3 * * *"))
    few = wanting(new_rows=10).learning
    loop.sensor.seen = Seen(learning=replace(few, fired=None, evidence=()))
    loop.tick()
    loop.tick(seconds=DAY_S)
    state = loop.tick()
    assert state.ticket is not None
    assert "labels: 10 of 50 new rows have one" in state.decisions["retrain"].waiting_for


def test_a_budget_of_runs_is_kept_over_seven_days_and_does_not_bind_a_person() -> None:
    loop = Loop(declared(budget=Budget(runs_per_week=2)))
    loop.tick()
    loop.sensor.seen = wanting()
    for _ in range(4):
        loop.tick(seconds=DAY_S)
        if loop.reconciler.state.ticket is not None:
            over(loop)
    assert len(ordered(loop)) == 2
    assert any("2 of 2 retrainings" in wait for wait in loop.tick().decisions["retrain"].waiting_for)
    retrain(loop.ledger, NAME, ADA, "a holiday comes")
    assert len(ordered(loop)) == 3
    loop.tick()
    over(loop)
    loop.tick(seconds=6 * DAY_S)
    assert len(ordered(loop)) == 4


def test_a_budget_of_cost_counts_every_run() -> None:
    loop = Loop(declared(budget=Budget(cost_per_week=10.0)))
    loop.tick()
    first = loop.reconciler.state.releases
    finished = e.RunFinished(
        service=NAME,
        run="r1",
        experiment=next(iter(first.values())).experiment,
        outcome="trained",
        executor="subprocess",
        reason="manual",
        use=Use(),
        cost=12.0,
    )
    loop.write(finished)
    loop.sensor.seen = wanting()
    state = loop.tick()
    assert ordered(loop) == []
    assert any("cost 12 of 10" in wait for wait in state.decisions["retrain"].waiting_for)
    loop.tick(seconds=8 * DAY_S)
    assert len(ordered(loop)) == 1


def test_a_person_may_order_a_retraining_and_nothing_is_trained_beside_it() -> None:
    loop = Loop(replace(declared(), autonomy=Autonomy(retrain="observe")))
    loop.tick()
    retrain(loop.ledger, NAME, ADA, "a holiday comes")
    (order,) = ordered(loop)
    assert (order.by, order.reason) == ("ada", "manual")
    loop.tick()
    assert loop.learner.asked == [order.key]
    with pytest.raises(Refused, match="under way"):
        retrain(loop.ledger, NAME, ADA, "again")
    ticket = order.ticket
    loop.write(*registered(SECOND, ticket=ticket))
    loop.tick()
    assert loop.reconciler.state.proposed == {SECOND: "ada"}  # who ordered it does not approve it
    over(loop)
    loop.tick()
    with pytest.raises(Refused, match="rollout"):
        retrain(loop.ledger, NAME, ADA, "again")


def test_nothing_is_ordered_while_the_supply_is_broken_or_before_anything_serves() -> None:
    loop = Loop()
    loop.write(e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="a column went dead"))
    with pytest.raises(Refused, match="in-1"):
        retrain(loop.ledger, NAME, ADA, "now")


def test_no_plan_may_train_without_a_person_where_the_policy_does_not_say_auto() -> None:
    loop = Loop(replace(declared(), autonomy=Autonomy(retrain="suggest")))
    loop.tick()
    state = loop.reconciler.state
    fact = e.RetrainOrdered(service=NAME, ticket="ti-1", key="k", by="policy", proof="policy", reason="drift")
    plan = Plan(
        service=NAME, parent=state.version, decisions=(Decision(action="retrain", what="", why="", facts=(fact,)),)
    )
    assert any("without a person" in rule for rule in broken_rules(plan, state, loop.service))
    mine = replace(plan.decisions[0], facts=(replace(fact, by="ada", proof="os_user"),))
    assert not broken_rules(replace(plan, decisions=(mine,)), state, loop.service)


def test_the_bake_time_is_beside_the_label_window() -> None:
    baking = declared(bake_s=300.0)
    assert dead_s(baking) == 600.0
    waits = replace(baking, data=replace(baking.data, label_window_s=500.0))
    assert dead_s(waits) == 800.0


@pytest.mark.parametrize("reason", get_args(e.Reason))
def test_a_release_is_read_back_whatever_asked_for_its_training(reason: e.Reason) -> None:
    registered_, _ = registered(SECOND)
    assert isinstance(registered_, e.ReleaseRegistered)
    fact = replace(registered_, release=replace(registered_.release, reason=reason))
    assert msgspec.json.decode(msgspec.json.encode(fact), type=e.ReleaseRegistered) == fact


def test_tickets_beyond_the_attention_of_people_wait_and_ask_as_one() -> None:
    loop = Loop(replace(declared(budget=Budget(tickets_per_week=1)), autonomy=Autonomy(retrain="suggest")))
    loop.sensor.seen = wanting()
    loop.tick()
    over(loop)
    state = loop.tick(seconds=DAY_S)
    assert state.ticket is None
    assert any("1 of 1 tickets" in wait for wait in state.decisions["retrain"].waiting_for)
    retrain(loop.ledger, NAME, ADA, "a person asks themself")  # which asks nobody
    loop.tick()
    over(loop)
    assert loop.tick(seconds=7 * DAY_S).ticket is not None
    assert len(loop.facts(e.TicketOpened)) == 3


def test_what_asks_nobody_spends_no_attention() -> None:
    loop = Loop(declared(budget=Budget(tickets_per_week=0)))
    loop.sensor.seen = wanting()
    loop.tick()
    assert len(ordered(loop)) == 1


def test_privacy_adds_up_over_every_training_and_does_not_come_back() -> None:
    loop = Loop(declared(budget=Budget(epsilon_per_run=0.5, epsilon_total=1.0)))
    digest = Digest("sha256:" + "5" * 64)
    started = e.TrainingStarted(
        service=NAME, experiment=ExperimentDigest("fx1:" + digest), snapshot=digest, reason="manual"
    )
    loop.write(started)
    loop.sensor.seen = wanting()
    loop.tick()
    assert len(ordered(loop)) == 1  # 0.5 and 0.5 fit
    loop.write(started)
    over(loop)
    state = loop.tick(seconds=30 * DAY_S)
    assert len(ordered(loop)) == 1
    assert "the budget of privacy: 2 trainings spent epsilon 1 of 1" in state.decisions["retrain"].waiting_for


def test_the_loop_rests_after_so_many_trainings_without_gain_as_declared() -> None:
    plant = Plant(declared(rest_after=3), lambda *_: Hour(0.6), gain=lambda _: False).run(60)
    assert len(plant.orders) == 3
    assert "brought no gain" in "; ".join(plant.loop.reconciler.state.decisions["retrain"].waiting_for)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.floats(0, 2), st.floats(-0.2, 0.3), st.booleans()), min_size=24, max_size=24),
    st.lists(st.booleans(), min_size=1, max_size=5),
    st.booleans(),
)
def test_with_every_remedy_on_auto_trainings_and_promotions_are_bounded_whatever_is_seen(
    hours: list[tuple[float, float, bool]], gains: list[bool], pressing: bool
) -> None:
    base = service(steps=[Step(promote=Promote())], autonomy=Autonomy(retrain="auto", promote="auto"))
    policy = Retrain(
        min_new_rows=0,
        cooldown_s=6 * 3600,
        rest_after=99,
        triggers=("drift", "risk", "trend", "new_data", "webhook", "commit"),
        new_data_rows=1,
        schedule="*/5 * * * *",
        pressure=PressureRule() if pressing else None,
    )
    live = replace(base.monitor, live_metric=LiveMetric(name="accuracy", max_loss=0.05))
    plant = Plant(
        replace(base, retrain=policy, monitor=live),
        lambda hour, _: Hour(*hours[hour % len(hours)][:2]),
        gain=lambda number: gains[number % len(gains)],
    )
    for hour in range(48):
        if hours[hour % len(hours)][2]:
            receive(plant.loop.ledger, NAME, ADA, "webhook", reference=f"hour {hour}")
        plant.run(1)
    assert 1 <= len(plant.orders) <= 48 / 6 + 1  # all that can ask does, and none of it outruns the dead time
    assert most_in(plant.orders, 6) == 1
    begun = [entry.fact for entry in plant.loop.ledger.read() if isinstance(entry.fact, e.RemedyBegun)]
    back = [fact for fact in begun if fact.kind == "roll_back"]  # a way back is no promotion
    assert len(plant.at(e.ChampionAppointed)) <= 1 + len(plant.orders) + len(back)
