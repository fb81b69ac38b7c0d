"""The plan of a rollout: its laws, the reasons it gives, and that what it says would mend a step does."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.core.declared.guardrails import MetricGuardrail
from flyball.core.service import (
    Approval,
    Canary,
    Guardrails,
    OnTimeout,
    Pause,
    Promote,
    Shadow,
    Soak,
    Step,
    default_steps,
)
from flyball.decide.guardrail_power import Watch, clear_after, endings
from flyball.decide.rollout_plan import RolloutPlan, plan, waive
from flyball.decide.step_plan import Setting, StepPlan, Traffic, planned
from flyball.stats.confidence_sequences.sequences import bernoulli_upper

QUIET = Traffic(requests_s=8.0, errors=0.001, slow=0.01)


def dice() -> np.random.Generator:
    return np.random.default_rng(3)


def canary(weight: float = 0.1, *, min_s: float = 0.0, timeout_s: float = 3600.0, min_requests: int = 300) -> Step:
    return Step(canary=Canary(weight=weight, min_s=min_s, timeout_s=timeout_s, min_requests=min_requests))


def told(step: Step, traffic: Traffic = QUIET, rails: Guardrails | None = None) -> StepPlan:
    (found,) = plan("s", [step], rails or Guardrails(), traffic, dice=dice).steps
    return found


def quick(step: Step, traffic: Traffic = QUIET, rails: Guardrails | None = None) -> StepPlan:
    setting = Setting(rails=rails or Guardrails(), traffic=traffic, dice=dice, detect=False)
    return planned(step, setting, index=0, name="step")


rates = st.floats(0.0005, 0.05)
weights = st.sampled_from([0.01, 0.05, 0.1, 0.5, 0.9, 1.0])


def test_metrics_that_a_step_waits_for_are_not_simulated_and_no_plan_calls_it_powered() -> None:
    conversion = MetricGuardrail(name="conversion", labels="required")
    rails = Guardrails(metrics=(conversion,))
    found = quick(canary(), rails=rails)
    assert (found.verdict, found.reasons) == ("UNKNOWN", ("how many units conversion takes is not simulated",))
    late = quick(canary(), replace(QUIET, label_s=7200.0), rails)
    assert late.verdict == "UNDERPOWERED"
    assert late.reasons[0].startswith("labels of conversion come after 7,200 s")
    stops = Guardrails(metrics=(replace(conversion, labels="if_available"),))
    assert quick(canary(), rails=stops).verdict == "POWERED"
    assert quick(Step(soak=Soak(min_s=0)), rails=stops).verdict == "UNKNOWN"


@settings(max_examples=8, deadline=None)
@given(rates, rates, weights, st.floats(0.1, 500))
def test_a_step_is_underpowered_exactly_where_it_says_why(
    errors: float, slow: float, weight: float, rate: float
) -> None:
    found = quick(canary(weight), Traffic(requests_s=rate, errors=errors, slow=slow))
    assert (found.verdict == "UNDERPOWERED") == bool(found.reasons)
    for each in found.guardrails:
        assert each.ratio >= (2 if each.guardrail == "errors" else 3) * (1 - 1e-9)
        assert 0 <= each.sent_back <= 1
        assert 0 <= each.let_on <= 1
    if found.verdict == "POWERED":
        assert found.need is not None
        assert found.need.seconds is not None
        assert found.need.seconds <= 3600


@settings(max_examples=5, deadline=None)
@given(rates, st.floats(1, 500))
def test_twice_the_traffic_takes_half_the_time_and_the_same_requests(errors: float, rate: float) -> None:
    once, twice = (quick(canary(), Traffic(requests_s=r, errors=errors, slow=0.001)).need for r in (rate, 2 * rate))
    assert once is not None
    assert twice is not None
    assert once.requests == twice.requests
    if once.seconds is not None:
        assert twice.seconds == pytest.approx(once.seconds / 2)


@settings(max_examples=5, deadline=None)
@given(rates, weights)
def test_without_a_rate_the_requests_are_told_and_nothing_passes(errors: float, weight: float) -> None:
    known, unknown = (quick(canary(weight), Traffic(requests_s=r, errors=errors, slow=0.001)) for r in (50.0, None))
    assert unknown.verdict != "POWERED"
    assert unknown.need is not None
    assert known.need is not None
    assert (unknown.need.requests, unknown.need.seconds) == (known.need.requests, None)


def test_the_same_question_has_the_same_answer() -> None:
    assert plan("s", default_steps(), Guardrails(), QUIET, dice=dice) == plan(
        "s", default_steps(), Guardrails(), QUIET, dice=dice
    )


def test_a_small_weight_takes_longer_and_the_plan_says_what_mends_it() -> None:
    found = plan("s", default_steps(), Guardrails(), QUIET, dice=dice)
    verdicts = {each.step: each.verdict for each in found.steps}
    assert verdicts["canary-1%"] == "UNDERPOWERED"
    assert verdicts["canary-50%"] == "POWERED"
    assert found.verdict == "UNDERPOWERED"
    assert (found.alpha, found.beta) == (0.05, 0.10)


@pytest.mark.parametrize("rate", [1.0, 4.0])
def test_each_mend_by_itself_makes_the_step_powered(rate: float) -> None:
    step, traffic, rails = canary(0.02), replace(QUIET, requests_s=rate), Guardrails()
    found = told(step, traffic)
    assert found.verdict == "UNDERPOWERED"
    assert found.mends
    for mend in found.mends:
        changed, as_declared = mended(step, rails, mend)
        assert quick(changed, traffic, as_declared).verdict == "POWERED", mend


def mended(step: Step, rails: Guardrails, mend: str) -> tuple[Step, Guardrails]:
    """The declaration with the mend written into it."""
    assert step.canary is not None
    for key, value in re.findall(r"([\w.]+): ([\d.]+)", mend):
        if key == "guardrails.max_errors":
            rails = replace(rails, max_errors=int(value))
        elif key.startswith("guardrails."):
            name = key.split(".")[1]
            rails = replace(rails, **{name: replace(getattr(rails, name), ratio=float(value))})
        else:
            number = int(value) if key == "min_requests" else float(value)
            step = Step(canary=replace(step.canary, **{key: number}))
            assert step.canary is not None
    return step, rails


def test_too_few_requests_are_named_with_the_number_that_fits() -> None:
    found = told(canary(0.5, timeout_s=600, min_requests=20_000))
    assert found.reasons == ("20000 requests of the candidate take 5,000 s, and it ends after 600 s",)
    assert "min_requests: 2400" in found.mends


def test_a_step_that_waits_longer_than_it_may_is_told_so() -> None:
    found = told(canary(0.5, min_s=7200))
    assert found.reasons == ("min_s is 7,200 s, and it ends after 3,600 s",)
    assert found.mends == ("timeout_s: 7200",)


def test_max_errors_that_any_candidate_reaches_is_found() -> None:
    """A thousand requests a second, half of them, 300 s, one in a thousand: 150 errors of the best of candidates."""
    found = told(canary(0.5, min_s=300), Traffic(requests_s=1000.0, errors=0.001, slow=0.001))
    assert found.verdict == "UNDERPOWERED"
    assert "max_errors 100 comes first" in found.reasons[0]
    assert found.mends == ("guardrails.max_errors: 200",)
    errors = found.guardrails[0]
    assert errors.sent_back > 0.9
    assert errors.detectable is None


@pytest.mark.parametrize(("on_timeout", "verdict"), [("hold", "UNDERPOWERED"), ("extend", "POWERED")])
def test_a_step_that_extends_has_its_time_twice(on_timeout: OnTimeout, verdict: str) -> None:
    step = Step(canary=Canary(weight=0.1, min_s=0, timeout_s=400, on_timeout=on_timeout))
    assert quick(step).verdict == verdict


def test_people_and_clocks_need_no_traffic() -> None:
    for step in (Step(approval=Approval()), Step(pause=Pause(duration_s=60)), Step(promote=Promote())):
        found = told(step, replace(QUIET, requests_s=None))
        assert (found.verdict, found.need) == ("POWERED", None)


def test_a_shadow_needs_its_pairs_and_where_it_says_so_their_labels() -> None:
    def shadow(**changed: object) -> Step:
        return Step(shadow=replace(Shadow(timeout_s=600), **changed))

    busy = replace(QUIET, requests_s=100.0, label_s=3600.0)
    assert told(shadow(), busy).verdict == "POWERED"  # 5 % of 100 a second: 200 pairs in 40 s
    slow = told(shadow(min_pairs=6000), busy)
    assert slow.reasons == ("6000 pairs take 1,200 s, and it ends after 600 s",)
    assert slow.mends == ("timeout_s: 1200", "share: 0.1")
    assert told(shadow(share=0.1, min_pairs=6000), busy).verdict == "POWERED"
    labelled = told(shadow(labels="required"), busy)
    assert labelled.reasons == ("200 pairs with their labels take 3,640 s, and it ends after 600 s",)
    assert told(shadow(share=0.0), busy).verdict == "UNDERPOWERED"
    assert told(shadow(), replace(QUIET, requests_s=1.0)).weight == 1.0  # a quiet service mirrors everything


def test_a_waiver_is_by_name_and_of_what_is_underpowered() -> None:
    found = plan("s", [canary(0.01), canary(0.5)], Guardrails(), QUIET, dice=dice)
    accepted = waive(found, "canary-1%", "the next step looks again")
    assert (accepted.verdict, accepted.steps[0].waived) == ("POWERED", "the next step looks again")
    assert accepted.steps[0].reasons == found.steps[0].reasons
    for name in ("canary-50%", "canary-2%"):
        with pytest.raises(ValueError, match="canary-1%"):
            waive(found, name, "why")


def test_the_verdict_of_all_is_the_worst_of_those_that_are_not_waived() -> None:
    unknown = plan("s", [canary()], Guardrails(), replace(QUIET, requests_s=None), dice=dice)
    assert isinstance(unknown, RolloutPlan)
    assert (unknown.verdict, unknown.seconds) == ("UNKNOWN", None)


@given(st.integers(0, 30), st.floats(0.01, 0.3))
@settings(max_examples=20, deadline=None)
def test_the_ceiling_is_cleared_at_that_many_trials_and_not_before(events: int, ceiling: float) -> None:
    trials = clear_after(events, ceiling, 0.1)
    assert bernoulli_upper(trials, events, alpha=0.1) < ceiling <= bernoulli_upper(trials - 1, events, alpha=0.1)


def watch(**changed: float) -> Watch:
    plain: dict[str, float] = {"share": 0.1, "ratio": 2.0, "upper": 3.69, "lower": -2.3, "ceiling": 0.02, "beta": 0.1}
    return Watch(**(plain | changed))  # type: ignore[arg-type]


def test_without_events_the_ceiling_alone_decides_and_at_full_weight_too() -> None:
    for each in (watch(), watch(share=1.0)):
        found = endings(each, 0.0, 0.0, rng=dice(), runs=10)
        assert found.at.tolist() == [148.0] * 10
        assert not found.back.any()
    assert endings(watch(requests=4.0), 0.0, 0.0, rng=dice(), runs=1).at.tolist() == [37.0]


def test_a_step_that_asks_nothing_ends_at_its_floor() -> None:
    found = endings(watch(lower=math.inf, ceiling=0.0, floor=50.0), 0.01, 0.01, rng=dice(), runs=200)
    assert found.by(49.0)[0] == 0
    assert found.by(50.0)[0] == pytest.approx(1, abs=0.05)


def test_a_walk_of_many_events_goes_where_it_drifts() -> None:
    fine = endings(watch(floor=1e6, share=0.5), 0.03, 0.03, rng=dice(), runs=50)
    assert fine.by(1e6)[0] > 0.9
    bad = endings(watch(floor=1e6, share=0.5, upper=1e5), 0.03, 0.2, rng=dice(), runs=50)
    assert bad.back.all()


def test_where_nobody_errs_the_test_says_nothing_and_one_arm_alone_is_not_blamed() -> None:
    found = endings(watch(share=1.0, ceiling=0.0), 0.01, 0.5, rng=dice(), runs=20)
    assert not found.back.any()
