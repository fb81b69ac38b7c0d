"""The laws of a rollout's judgement, and the pathologies on which published judges fail."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.decide.rollouts import routing, seen

from flyball.core.routing import ArmCounts, PairEvidence, StepCounts, TestSums
from flyball.core.service import Approval, Canary, Guardrail, Guardrails, OnTimeout, Pause, Promote, Shadow, Step
from flyball.decide.rollout import advance, judge
from flyball.stats.sequential_tests.sequential import ErrorEventTest, increment

CANARY = Step(canary=Canary(weight=0.1, min_requests=300, min_s=300, timeout_s=3600))
SHADOW = Step(shadow=Shadow(min_pairs=200))
counts = st.integers(0, 10_000)


@st.composite
def arms(draw: st.DrawFn) -> ArmCounts:
    requests = draw(counts)
    units = draw(st.integers(0, requests))
    return ArmCounts(
        requests=requests,
        units=units,
        errors=draw(st.integers(0, units)),
        slow=draw(st.integers(0, units)),
        failed=draw(st.integers(0, requests)),
    )


logs = st.floats(-50, 50)


@st.composite
def evidence(draw: st.DrawFn) -> StepCounts:
    received = draw(counts)
    return seen(
        candidate=draw(arms()),
        champion=draw(arms()),
        step_tests=TestSums(errors=draw(logs), slow=draw(logs)),
        rollout_tests=TestSums(errors=draw(logs), slow=draw(logs)),
        received=received,
        dropped=draw(st.integers(0, received)),
    )


@given(evidence())
def test_a_judge_never_promotes(found: StepCounts) -> None:
    assert judge(routing(), found).kind != "PROMOTE"


@given(evidence(), st.floats(0, 1e5))
def test_a_verdict_always_has_a_reason_and_a_hold_of_a_step_says_what_it_waits_for(
    found: StepCounts, elapsed_s: float
) -> None:
    verdict = advance(CANARY, routing(), found, elapsed_s=elapsed_s)
    assert verdict.reason
    assert verdict.waiting_for or verdict.kind != "HOLD"
    assert all(math.isfinite(number) for number in verdict.numbers.values())


@given(evidence(), st.floats(0, 1e5))
def test_what_the_judge_stops_no_step_lets_pass(found: StepCounts, elapsed_s: float) -> None:
    if judge(routing(), found).kind != "HOLD":
        assert advance(CANARY, routing(), found, elapsed_s=elapsed_s).kind != "PROMOTE"


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 50), st.integers(0, 50)), max_size=60), st.integers(0, 60))
def test_the_verdict_does_not_depend_on_where_batches_end(events: list[tuple[bool, int, int]], cut: int) -> None:
    def fed(part: list[tuple[bool, int, int]]) -> ErrorEventTest:
        test = ErrorEventTest()
        for is_candidate, units, theirs in part:
            test = test.observe(is_candidate, min(theirs, units) / units, 2)
        return test

    def verdict(test: ErrorEventTest) -> str:
        sums = TestSums(errors=test.log_e)
        arm = ArmCounts(requests=1000, units=1000, errors=test.events_candidate)
        return judge(routing(), seen(candidate=arm, champion=ArmCounts(requests=9000), rollout_tests=sums)).kind

    whole, split = fed(events), fed(events[:cut]).merge(fed(events[cut:]))
    assert split.log_e == pytest.approx(whole.log_e)
    if abs(whole.log_e - math.log(40)) > 1e-6:
        assert verdict(whole) == verdict(split)


@given(st.floats(0, 1), st.floats(1.01, 20))
def test_an_error_of_the_candidate_never_lowers_the_evidence_against_it(w: float, ratio: float) -> None:
    assert increment(True, w, ratio) >= 0
    assert increment(False, w, ratio) <= 0


@given(evidence(), st.floats(0, 20))
def test_more_evidence_against_the_candidate_never_saves_it(found: StepCounts, more: float) -> None:
    worse = seen(
        candidate=found.candidate,
        champion=found.champion,
        rollout_tests=TestSums(errors=found.rollout_tests.errors + more, slow=found.rollout_tests.slow),
    )
    if judge(routing(), found).kind == "ROLL_BACK":
        assert judge(routing(), worse).kind == "ROLL_BACK"


@pytest.mark.parametrize(("sums", "cause"), [(TestSums(errors=3.69), "errors"), (TestSums(slow=3.69), "slow")])
def test_either_guardrail_rolls_back_at_ln_40(sums: TestSums, cause: str) -> None:
    verdict = judge(routing(), seen(rollout_tests=sums))
    assert (verdict.kind, verdict.cause) == ("ROLL_BACK", cause)
    assert verdict.numbers["bound"] == pytest.approx(math.log(40))


def test_below_the_bound_it_goes_on() -> None:
    assert judge(routing(), seen(rollout_tests=TestSums(errors=3.68, slow=3.68))).kind == "HOLD"


def test_errors_of_earlier_steps_count_towards_max_errors() -> None:
    found = seen(candidate=ArmCounts(requests=50, errors=10), rollout_candidate=ArmCounts(requests=900, errors=100))
    verdict = judge(routing(), found)
    assert (verdict.kind, verdict.cause) == ("ROLL_BACK", "max_errors")


def test_a_sick_arm_is_not_sheltered_by_broken_bookkeeping() -> None:
    """It loses records because it is sick: the mismatch must not keep it in traffic."""
    found = seen(
        champion=ArmCounts(requests=5000, units=5000),
        candidate=ArmCounts(requests=5000, units=5000),
        rollout_tests=TestSums(errors=9.0),
        received=100,
        dropped=90,
    )
    assert judge(routing(), found).kind == "ROLL_BACK"


# -- pathologies ---------------------------------------------------------------------------------------------------


def test_all_requests_failing_in_both_arms_neither_blames_nor_promotes_the_candidate() -> None:
    """w = 1/10, every unit errs: nine champion errors to one of the candidate, evidence far below zero."""
    test = ErrorEventTest()
    for unit in range(900):
        test = test.observe(unit % 10 == 0, 0.1, 2)
    found = seen(
        champion=ArmCounts(requests=810, units=810, errors=810, failed=810),
        candidate=ArmCounts(requests=90, units=90, errors=90, failed=90),
        step_tests=TestSums(errors=test.log_e),
        rollout_tests=TestSums(errors=test.log_e),
    )
    assert judge(routing(), found).kind == "HOLD"
    verdict = advance(Step(canary=Canary(weight=0.1, min_requests=50)), routing(), found, elapsed_s=999)
    assert verdict.kind == "HOLD"
    assert any("both arms" in what for what in verdict.waiting_for)


def test_at_max_errors_a_common_cause_is_named_as_such() -> None:
    found = seen(
        champion=ArmCounts(requests=900, errors=900),
        candidate=ArmCounts(requests=100, errors=100),
        rollout_tests=TestSums(errors=-6.0),
    )
    verdict = judge(routing(), found)
    assert (verdict.kind, verdict.cause) == ("ROLL_BACK", "common_cause")
    assert "precaution" in verdict.reason


@pytest.mark.parametrize("step", [CANARY, SHADOW, Step(canary=Canary(weight=0.1, min_requests=0, min_s=0))])
def test_no_traffic_never_passes_and_ends_inconclusive(step: Step) -> None:
    assert advance(step, routing(), seen(), elapsed_s=600).kind == "HOLD"
    verdict = advance(step, routing(), seen(), elapsed_s=90_000)
    assert (verdict.kind, verdict.cause) == ("INCONCLUSIVE", "timeout")


def test_a_burst_that_hits_both_arms_by_their_shares_is_not_the_candidates() -> None:
    log_e = 100 * increment(True, 0.1, 2) + 900 * increment(False, 0.1, 2)
    found = seen(
        champion=ArmCounts(requests=9000, units=9000, errors=900),
        candidate=ArmCounts(requests=1000, units=1000, errors=99),
        rollout_tests=TestSums(errors=log_e),
    )
    assert judge(routing(), found).kind == "HOLD"


def test_four_events_against_none_at_equal_shares_is_honestly_undecided() -> None:
    """Four of four heads have probability 1/16: no verdict may be built on that."""
    log_e = 4 * increment(True, 0.5, 2)
    found = seen(candidate=ArmCounts(requests=6, errors=4), rollout_tests=TestSums(errors=log_e))
    assert judge(routing(weight=5000), found).kind == "HOLD"


def test_a_broken_split_is_invalid_and_stays_so_at_the_timeout() -> None:
    """9,120 to 880 where 9,000 to 1,000 were promised has ln e = 5.96; the bound here is ln 1000 = 6.91."""
    undecided = seen(champion=ArmCounts(requests=1, units=9120), candidate=ArmCounts(requests=1, units=880))
    assert judge(routing(), undecided).kind == "HOLD"
    broken = seen(champion=ArmCounts(requests=1, units=9200), candidate=ArmCounts(requests=1, units=800))
    assert judge(routing(), broken).kind == "INVALID"
    verdict = advance(CANARY, routing(), broken, elapsed_s=4000)
    assert (verdict.kind, verdict.cause) == ("INVALID", "timeout")


def test_lost_records_spoil_the_evidence() -> None:
    found = seen(candidate=ArmCounts(requests=1000), received=10_000, dropped=101)
    verdict = advance(CANARY, routing(), found, elapsed_s=600)
    assert verdict.kind == "INCONCLUSIVE"
    assert verdict.waiting_for == ("complete records",)


def test_counts_of_another_step_say_nothing() -> None:
    found = seen(step=1, rollout_tests=TestSums(errors=99.0))
    assert advance(CANARY, routing(step=2), found, elapsed_s=600).waiting_for == ("counts of this step",)


# -- steps ---------------------------------------------------------------------------------------------------------


def healthy(requests: int = 300) -> StepCounts:
    return seen(candidate=ArmCounts(requests=requests, units=requests), champion=ArmCounts(requests=2700, units=2700))


def test_three_hundred_clean_requests_pass_by_the_ceiling() -> None:
    verdict = advance(CANARY, routing(), healthy(), elapsed_s=300)
    assert verdict.kind == "PROMOTE"
    assert verdict.numbers["upper_errors"] < 0.02


@pytest.mark.parametrize(
    ("requests", "elapsed_s", "missing"), [(299, 300, "requests of the candidate"), (300, 299, "time")]
)
def test_a_canary_needs_requests_and_time(requests: int, elapsed_s: float, missing: str) -> None:
    verdict = advance(CANARY, routing(), healthy(requests), elapsed_s=elapsed_s)
    assert verdict.kind == "HOLD"
    assert [what for what in verdict.waiting_for if what.startswith(missing)]


def test_above_the_ceiling_the_test_has_to_accept() -> None:
    arm = ArmCounts(requests=1000, units=1000, errors=30)
    rest = ArmCounts(requests=9000, units=9000, errors=270)
    open_ = seen(candidate=arm, champion=rest, step_tests=TestSums(errors=-2.30))
    done = seen(candidate=arm, champion=rest, step_tests=TestSums(errors=-2.31))
    assert advance(CANARY, routing(), open_, elapsed_s=600).kind == "HOLD"
    assert advance(CANARY, routing(), done, elapsed_s=600).kind == "PROMOTE"


def test_every_guardrail_has_to_accept() -> None:
    arm = ArmCounts(requests=1000, units=1000, errors=0, slow=100)
    found = seen(candidate=arm, champion=ArmCounts(requests=9000, units=9000), step_tests=TestSums(errors=-9))
    verdict = advance(CANARY, routing(), found, elapsed_s=600)
    assert verdict.kind == "HOLD"
    assert [what for what in verdict.waiting_for if "slow" in what]


def test_errors_of_few_units_count_against_the_units() -> None:
    """Ten units made 300 requests and one of them erred: that is one in ten, not one in 300."""
    found = seen(candidate=ArmCounts(requests=300, units=10, errors=1), champion=ArmCounts(requests=2700, units=90))
    assert advance(CANARY, routing(), found, elapsed_s=600).numbers["upper_errors"] > 0.1


@pytest.mark.parametrize(("on_timeout", "ends_s"), [("hold", 60), ("extend", 120), ("abort", 60)])
def test_after_its_time_a_step_is_inconclusive_and_extend_gives_it_its_time_once_more(
    on_timeout: OnTimeout, ends_s: int
) -> None:
    step = Step(canary=Canary(weight=0.1, timeout_s=60, on_timeout=on_timeout))
    assert advance(step, routing(), healthy(299), elapsed_s=ends_s - 1).kind == "HOLD"
    assert advance(step, routing(), healthy(299), elapsed_s=ends_s).kind == "INCONCLUSIVE"


def test_a_pause_ends_by_its_time_or_by_a_person_and_its_guardrails_go_on() -> None:
    timed, open_ended = Step(pause=Pause(duration_s=60)), Step(pause=Pause())
    assert advance(timed, routing(), healthy(300), elapsed_s=59).waiting_for == ("1 s more",)
    assert advance(timed, routing(), healthy(300), elapsed_s=60).kind == "PROMOTE"
    assert advance(open_ended, routing(), healthy(300), elapsed_s=1e9).kind == "HOLD"
    burning = replace(healthy(300), rollout_tests=TestSums(errors=4.0))
    for step in (timed, open_ended):
        assert advance(step, routing(), burning, elapsed_s=1e9).kind == "ROLL_BACK"


def test_a_shadow_passes_on_its_pairs_and_shows_its_disagreement() -> None:
    verdict = advance(SHADOW, routing(weight=0), seen(pairs=200, disagreements=60), elapsed_s=1)
    assert verdict.kind == "PROMOTE"
    assert "60 disagreements" in verdict.reason


def test_disagreement_stops_only_where_a_limit_is_declared() -> None:
    step = Step(shadow=Shadow(min_pairs=200, max_disagreement=0.1))
    surely, hardly = seen(pairs=200, disagreements=60), seen(pairs=200, disagreements=22)
    assert advance(step, routing(weight=0), surely, elapsed_s=1).cause == "disagreement"
    assert advance(step, routing(weight=0), hardly, elapsed_s=1).kind == "HOLD"


def test_labels_stop_a_candidate_that_is_wrong_more_often() -> None:
    worse = PairEvidence(pairs=200, candidate_only=5, champion_only=40)
    verdict = advance(SHADOW, routing(weight=0), seen(pairs=50), elapsed_s=1, labels=worse)
    assert (verdict.kind, verdict.cause) == ("ROLL_BACK", "labels")


def test_labels_that_leave_it_open_go_into_the_evidence() -> None:
    equal = PairEvidence(pairs=200, candidate_only=12, champion_only=12)
    verdict = advance(SHADOW, routing(weight=0), seen(pairs=200), elapsed_s=1, labels=equal)
    assert verdict.kind == "PROMOTE"
    assert verdict.numbers["difference_low"] < 0 < verdict.numbers["difference_high"]


def test_required_labels_are_waited_for() -> None:
    step = Step(shadow=Shadow(min_pairs=200, labels="required"))
    verdict = advance(step, routing(weight=0), seen(pairs=500), elapsed_s=1)
    assert verdict.waiting_for == ("labelled pairs: 0 of 200",)
    enough = PairEvidence(pairs=200)
    assert advance(step, routing(weight=0), seen(pairs=500), elapsed_s=1, labels=enough).kind == "PROMOTE"


def test_a_shadow_that_errs_is_stopped_like_a_canary() -> None:
    found = seen(rollout_tests=TestSums(errors=4.0), pairs=10)
    assert advance(SHADOW, routing(weight=0), found, elapsed_s=1).kind == "ROLL_BACK"


def test_an_approval_waits_for_a_person_and_the_last_step_for_nothing() -> None:
    assert advance(Step(approval=Approval()), routing(), seen(), elapsed_s=1).waiting_for == (
        "approval by role approver",
    )
    assert advance(Step(promote=Promote()), routing(), seen(), elapsed_s=1).kind == "PROMOTE"


def test_a_tighter_alpha_asks_for_more() -> None:
    strict = Guardrails(alpha=0.01, errors=Guardrail(ratio=2, ceiling=0.02))
    found = seen(rollout_tests=TestSums(errors=4.0))
    assert judge(routing(guardrails=strict), found).kind == "HOLD"


def test_a_split_that_is_a_little_off_in_every_step_is_found_by_all_of_them_together() -> None:
    """E-values of stretches of units multiply: what no step shows alone, the rollout does."""
    skewed = seen(champion=ArmCounts(requests=8880, units=8880), candidate=ArmCounts(requests=1120, units=1120))
    alone = judge(routing(), skewed)
    log_e = alone.numbers["log_e_ratio_mismatch"]
    assert alone.kind == "HOLD"
    assert 3.5 < log_e < 6.9
    together = judge(routing(), skewed, ratio_log_e_before=log_e)
    assert (together.kind, together.cause) == ("INVALID", "ratio_mismatch")
    assert "with the steps before" in together.reason
    assert advance(CANARY, routing(), skewed, elapsed_s=600, ratio_log_e_before=log_e).kind == "INVALID"
