"""Metrics of matured labels in the loop: they send a candidate back in any state, and hold a canary that needs them."""

from msgspec.structs import replace
from tests.control.loop import Loop, healthy
from tests.control.world import NAME, SECOND, registered, service

from flyball.control.reconcile import Seen
from flyball.control.state.rollout_state import trial_of
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.declared.guardrails import Guardrails, MetricGuardrail
from flyball.core.ids import RolloutId
from flyball.core.metric_evidence import MetricEvidence


def guarded(labels: str = "if_available") -> Loop:
    made = service()
    rail = MetricGuardrail(name="accuracy", labels="required" if labels == "required" else "if_available")
    loop = Loop(replace(made, rollout=replace(made.rollout, guardrails=Guardrails(metrics=(rail,)))))
    loop.gateways.seen = healthy()
    return loop


def in_canary(loop: Loop) -> ServiceState:
    loop.write(*registered(SECOND))
    loop.tick()
    loop.approve()
    return loop.tick()


def evidence(*, worse: float = 0.0, fine: float = 0.0) -> Seen:
    seen = MetricEvidence(
        name="accuracy",
        candidate=500,
        champion=4500,
        candidate_mean=0.8,
        champion_mean=0.9,
        log_e_worse=worse,
        log_e_fine=fine,
    )
    return Seen(metrics=(seen,))


def test_a_canary_that_needs_labels_waits_for_them_and_then_goes_on() -> None:
    loop = guarded("required")
    state = in_canary(loop)
    assert state.rollout is not None
    assert state.rollout.step is not None
    assert state.rollout.step.kind == "canary"
    told = loop.facts(e.DecisionTaken)[-1]
    assert isinstance(told, e.DecisionTaken)
    assert "labels that show accuracy" in told.waiting_for[0]
    loop.sensor.seen = evidence(fine=2.31)
    assert loop.tick().champion == SECOND


def test_a_worse_metric_sends_back_a_rollout_that_a_person_holds() -> None:
    loop = guarded("required")
    state = in_canary(loop)
    assert state.rollout is not None
    loop.write(e.RolloutPaused(service=NAME, rollout=RolloutId(state.rollout.rollout), by="ada", proof="os_user"))
    loop.tick()
    loop.sensor.seen = evidence(worse=4.2)
    state = loop.tick()
    assert state.rollout is None
    (back,) = loop.facts(e.RolledBack)
    assert isinstance(back, e.RolledBack)
    assert (back.cause, back.by) == ("metric", "controller")
    assert "accuracy is worse by more than 0.01" in back.verdict.reason


def test_the_monitor_is_told_under_which_weights_units_were_assigned() -> None:
    loop = guarded("required")
    state = in_canary(loop)
    told = trial_of(state.rollout)
    assert told is not None
    assert told.candidate == SECOND
    assert told.weights[told.epoch] == 1000
    assert sorted(told.weights.values()) == [0, 0, 1000]  # shadow, approval, canary
    assert trial_of(None) is None
