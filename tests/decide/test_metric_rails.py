"""Metrics as guardrails: who is sent back, what a canary waits for, and which slices want a person."""

import math

import pytest
from msgspec.structs import replace
from tests.decide.rollouts import routing, seen

from flyball.core.declared.guardrails import Guardrails, MetricGuardrail
from flyball.core.metric_evidence import MetricEvidence
from flyball.core.routing import ArmCounts, TestSums, Verdict
from flyball.core.service import Approval, Canary, Pause, Step
from flyball.decide.metric_rails import worse_groups
from flyball.decide.rollout import advance

RAILS = Guardrails(metrics=(MetricGuardrail(name="conversion"),))
REQUIRED = Guardrails(metrics=(MetricGuardrail(name="conversion", labels="required"),))
CANARY = Step(canary=Canary(weight=0.1, min_requests=300, min_s=0))
HEALTHY = seen(
    candidate=ArmCounts(requests=1000, units=1000),
    champion=ArmCounts(requests=9000, units=9000),
    received=10_000,
    step_tests=TestSums(),
)


def evidence(*, group: str = "", worse: float = 0.0, fine: float = 0.0, arms: float = 0.0) -> MetricEvidence:
    return MetricEvidence(
        name="conversion",
        group=group,
        candidate=900,
        champion=8100,
        candidate_mean=0.03,
        champion_mean=0.05,
        log_e_worse=worse,
        log_e_fine=fine,
        log_e_arms=arms,
    )


def asked(step: Step, rails: Guardrails, *found: MetricEvidence) -> Verdict:
    return advance(step, routing(guardrails=rails), HEALTHY, elapsed_s=600, metrics=found)


@pytest.mark.parametrize("step", [CANARY, Step(pause=Pause()), Step(approval=Approval())])
def test_a_worse_metric_sends_the_candidate_back_in_every_step(step: Step) -> None:
    bound = math.log(3 / 0.05)  # errors, slow answers, and this
    verdict = asked(step, RAILS, evidence(worse=bound))
    assert (verdict.kind, verdict.cause) == ("ROLL_BACK", "metric")
    assert asked(step, RAILS, evidence(worse=bound - 0.01)).kind != "ROLL_BACK"


def test_a_metric_shares_alpha_with_the_other_guardrails() -> None:
    counts = seen(candidate=ArmCounts(requests=1, units=1), rollout_tests=TestSums(errors=3.8))
    alone = advance(CANARY, routing(), counts, elapsed_s=600)
    shared = advance(CANARY, routing(guardrails=RAILS), counts, elapsed_s=600)
    assert (alone.kind, shared.kind) == ("ROLL_BACK", "HOLD")


def test_labels_that_are_not_required_only_stop() -> None:
    assert asked(CANARY, RAILS).kind == "PROMOTE"
    assert asked(CANARY, RAILS, evidence(fine=0.1)).kind == "PROMOTE"


def test_required_labels_hold_a_canary_until_they_show_it_not_worse() -> None:
    waits = asked(CANARY, REQUIRED)
    assert waits.kind == "HOLD"
    assert "labels that show conversion not worse by 5%" in waits.waiting_for[0]
    assert asked(CANARY, REQUIRED, evidence(fine=2.3)).kind == "HOLD"
    passed = asked(CANARY, REQUIRED, evidence(fine=2.31))
    assert passed.kind == "PROMOTE"
    assert "conversion not worse by 5%" in passed.reason


def test_evidence_that_cannot_grow_any_more_says_so() -> None:
    found = asked(CANARY, REQUIRED, replace(evidence(fine=1.0), full=True))
    assert found.waiting_for[0].endswith("(a person: so many units were told apart that no more are counted)")


def test_labels_that_do_not_come_from_the_arms_as_they_were_assigned_are_no_evidence_either_way() -> None:
    found = asked(CANARY, REQUIRED, evidence(worse=50, fine=50, arms=7.0))
    assert found.kind == "HOLD"
    assert "labels of both arms as they were assigned" in found.waiting_for[0]


def test_a_slice_that_is_worse_holds_and_names_itself_but_sends_nobody_back() -> None:
    slices = [evidence(group="country=NO", worse=8.0), evidence(group="country=FI", worse=0.2)]
    found = asked(CANARY, RAILS, evidence(fine=3.0), *slices)
    assert found.kind == "HOLD"
    (waiting,) = found.waiting_for
    assert waiting.startswith("a person: conversion is worse by more than 5% where country=NO")


def test_many_slices_have_to_say_more() -> None:
    """e-BH: one among fifty has to reach ln(50/alpha)."""
    among = [evidence(group=f"g{each}", worse=0.0) for each in range(49)]
    assert worse_groups(RAILS, [evidence(group="bad", worse=math.log(50 / 0.05)), *among])
    assert not worse_groups(RAILS, [evidence(group="bad", worse=math.log(50 / 0.05) - 0.01), *among])


def test_evidence_of_a_metric_that_nobody_declared_is_not_asked() -> None:
    assert asked(CANARY, Guardrails(), evidence(worse=100)).kind == "PROMOTE"


def test_figures_stand_in_the_verdict() -> None:
    numbers = asked(CANARY, RAILS, evidence(worse=1.5, fine=0.5)).numbers
    assert numbers["conversion_candidate"] == 0.03
    assert numbers["log_e_conversion"] == 1.5
    assert numbers["bound"] == pytest.approx(math.log(60))
