"""Soak: nearly everybody gets the candidate, a holdback keeps the champion, and late labels have the last word."""

from collections.abc import Callable

from msgspec.structs import replace
from tests.control.loop import Loop, healthy
from tests.control.world import FIRST, SECOND, registered, service

from flyball.control.check.rules import broken_rules
from flyball.control.decision import Decision
from flyball.control.plan import Plan
from flyball.control.reconcile import Seen
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.declared.guardrails import Guardrails, MetricGuardrail
from flyball.core.ids import RolloutId, ServiceName
from flyball.core.metric_evidence import MetricEvidence
from flyball.core.routing import ArmCounts, OwnRates, Routing, StepCounts, TestSums
from flyball.core.service import Approval, Canary, Promote, Soak, Step
from flyball.decide.even_shares import LOWERINGS
from flyball.serving.routing.assign import bucket, to_candidate

DAY, NAME = 86_400.0, ServiceName("fraud")
STEPS = (
    Step(approval=Approval()),
    Step(canary=Canary(weight=0.1, min_requests=10, min_s=0)),
    Step(soak=Soak(holdback=0.05, min_s=DAY)),
    Step(promote=Promote()),
)


def soaking(*metrics: MetricGuardrail) -> tuple[Loop, ServiceState]:
    made = service(steps=STEPS)
    rails = Guardrails(metrics=metrics)
    loop = Loop(replace(made, rollout=replace(made.rollout, guardrails=rails)))
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    return loop, loop.tick()


def step(state: ServiceState) -> str:
    assert state.rollout is not None
    assert state.rollout.step is not None
    return state.rollout.step.kind


def evidence(*, worse: float = 0.0, fine: float = 0.0) -> Seen:
    seen = MetricEvidence(name="accuracy", candidate=9500, champion=500, candidate_mean=0.8, champion_mean=0.9)
    return Seen(metrics=(replace(seen, log_e_worse=worse, log_e_fine=fine),))


def counting(change: Callable[[StepCounts], StepCounts]) -> Callable[[Routing], StepCounts]:
    before = healthy()
    return lambda routing: change(before(routing))


def test_the_champion_keeps_its_name_and_a_twentieth_of_the_units_until_the_soak_is_over() -> None:
    loop, state = soaking()
    assert step(state) == "soak"
    routing = loop.gateways.routing
    assert routing is not None
    assert (routing.champion, routing.candidate, routing.weight) == (FIRST, SECOND, 9500)
    assert step(loop.tick(DAY - 5)) == "soak"
    state = loop.tick(10)
    assert state.champion == SECOND
    assert state.rollout is None


def test_the_holdback_is_the_same_units_that_no_canary_ever_had() -> None:
    units = [f"u{n}" for n in range(4000)]
    by_weight = {w: {unit for unit in units if to_candidate(bucket("ro", unit), w)} for w in (100, 1000, 5000, 9500)}
    assert by_weight[100] <= by_weight[1000] <= by_weight[5000] <= by_weight[9500]
    assert 0.03 < 1 - len(by_weight[9500]) / len(units) < 0.07


def test_it_waits_for_the_labels_of_every_metric_guardrail_whether_a_canary_did_or_not() -> None:
    loop, _ = soaking(MetricGuardrail(name="accuracy", labels="if_available"))
    state = loop.tick(2 * DAY)
    assert step(state) == "soak"
    told = loop.facts(e.DecisionTaken)[-1]
    assert isinstance(told, e.DecisionTaken)
    assert "labels that show accuracy" in told.waiting_for[0]
    loop.sensor.seen = evidence(fine=2.4)
    assert loop.tick().champion == SECOND


def test_late_labels_send_it_back_to_the_champion_that_the_holdback_kept_warm() -> None:
    loop, _ = soaking(MetricGuardrail(name="accuracy"))
    loop.sensor.seen = evidence(worse=4.2)
    state = loop.tick(3600)
    assert (state.champion, state.rollout) == (FIRST, None)
    routing = loop.gateways.routing
    assert routing is not None
    assert (routing.champion, routing.weight) == (FIRST, 0)


def test_errors_are_compared_and_not_counted_out() -> None:
    """A day of nearly all traffic has more than `max_errors` of any release's errors."""
    loop, state = soaking()
    many = counting(
        lambda seen: replace(
            seen,
            candidate=ArmCounts(requests=950_000, units=950_000, errors=950),
            champion=ArmCounts(requests=50_000, units=50_000, errors=50),
            rollout_candidate=ArmCounts(requests=950_000, units=950_000, errors=950),
        )
    )
    loop.gateways.seen = many
    assert step(loop.tick(3600)) == "soak"
    loop.gateways.seen = counting(lambda seen: replace(seen, rollout_tests=TestSums(errors=3.7)))
    state = loop.tick()
    assert (state.champion, state.rollout) == (FIRST, None)


def test_a_limit_of_its_own_counts_them_out() -> None:
    made = service(steps=(*STEPS[:2], Step(soak=Soak(min_s=DAY, max_errors=900)), STEPS[3]))
    loop = Loop(made)
    loop.gateways.seen = healthy()
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    assert step(loop.tick()) == "soak"
    loop.gateways.seen = counting(
        lambda seen: replace(seen, rollout_candidate=ArmCounts(requests=950_000, units=950_000, errors=950))
    )
    assert loop.tick().rollout is None


def rates(*, risen: float = 0.0, still: float = 0.0) -> Callable[[Routing], StepCounts]:
    told = OwnRates(risen=TestSums(errors=risen), still=TestSums(errors=still))
    arm = ArmCounts(requests=5000, units=5000, errors=5)
    return counting(lambda seen: replace(seen, candidate=arm, champion=arm, rollout_candidate=arm, own_rates_=told))


def weight(loop: Loop) -> int:
    assert loop.gateways.routing is not None
    return loop.gateways.routing.weight


def test_on_a_suspicion_it_goes_on_with_even_shares_and_with_its_clock() -> None:
    loop, state = soaking()
    assert weight(loop) == 9500
    loop.gateways.seen = rates(risen=8.0)
    state = loop.tick(DAY / 2)
    assert (step(state), weight(loop), state.rollout is not None) == ("soak", 5000, True)
    told = loop.facts(e.StepStarted)[-1]
    assert isinstance(told, e.StepStarted)
    assert "errors have risen" in told.why
    loop.gateways.seen = rates(still=1.0)
    assert (step(loop.tick(60)), weight(loop)) == ("soak", 5000)
    loop.gateways.seen = rates(still=-2.5)
    assert (step(loop.tick(60)), weight(loop)) == ("soak", 9500)
    loop.gateways.seen = healthy()
    assert step(loop.tick(DAY / 2 - 200)) == "soak"
    assert loop.tick(200).champion == SECOND


def test_what_is_over_at_the_end_of_the_soak_needs_no_more_of_it() -> None:
    loop, _ = soaking()
    loop.gateways.seen = rates(risen=8.0)
    loop.tick(DAY / 2)
    loop.gateways.seen = rates(still=1.0)
    assert step(loop.tick(DAY / 2 + 1)) == "soak"
    loop.gateways.seen = rates(still=-2.5)
    assert loop.tick(60).champion == SECOND


def test_a_freeze_keeps_the_shares() -> None:
    loop, _ = soaking()
    loop.write(e.Frozen(service=NAME, by="ann", why="holidays"))
    loop.gateways.seen = rates(risen=8.0)
    loop.tick(60)
    assert weight(loop) == 9500


def test_the_check_of_plans_knows_which_shares_nobody_declared() -> None:
    loop, state = soaking()
    assert state.rollout is not None
    assert state.rollout.step is not None
    running = state.rollout.step
    for asked, broken in ((5000, False), (9500, False), (9600, True)):
        routing = replace(running.routing, epoch=state.epoch + 1, weight=asked)
        fact = e.StepStarted(
            service=NAME, rollout=RolloutId(state.rollout.rollout), step=running.index, kind="soak", key="k",
            routing=routing, why="w",
        )  # fmt: skip
        made = Plan(service=state.service, parent=state.version, decisions=(
            Decision(action="rollout", what="w", why="w", facts=(fact,)),))  # fmt: skip
        assert any("nobody declared" in rule for rule in broken_rules(made, state, loop.service)) == broken


def test_after_so_many_suspicions_the_declared_holdback_stays_and_the_ledger_says_why() -> None:
    loop, _ = soaking()
    for _ in range(LOWERINGS):
        loop.gateways.seen = rates(risen=8.0)
        loop.tick(60)
        assert weight(loop) == 5000
        loop.gateways.seen = rates(still=-2.5)
        loop.tick(60)
        assert weight(loop) == 9500
    told = loop.facts(e.StepStarted)[-1]
    assert isinstance(told, e.StepStarted)
    assert f"even shares {LOWERINGS} times in this rollout" in told.why
    most, few = ArmCounts(requests=9500, units=9500, errors=5), ArmCounts(requests=500, units=500)
    risen = rates(risen=8.0)

    def up(log_e: float) -> Callable[[Routing], StepCounts]:
        tests = TestSums(errors=log_e)
        return lambda routing: replace(risen(routing), candidate=most, champion=few, step_tests=tests)

    loop.gateways.seen = up(0.0)
    loop.tick(60)
    assert weight(loop) == 9500
    assert step(loop.tick(DAY)) == "soak"  # what has risen waits for a comparison
    said = loop.facts(e.DecisionTaken)[-1]
    assert isinstance(said, e.DecisionTaken)
    assert "errors have risen" in said.waiting_for[0]
    loop.gateways.seen = up(-2.5)  # the champion's rate is as high
    assert loop.tick(60).champion == SECOND
