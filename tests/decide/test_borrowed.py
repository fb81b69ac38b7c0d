"""A verdict from counts alone: the same that a rollout of ours would get, and no count that cannot be passes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.core.declared.guardrails import Guardrails, MetricGuardrail
from flyball.core.errors import BadInput
from flyball.decide.borrowed import ArmSums, EpochSums, Question, verdict_on
from flyball.stats.experiment.ratio_mismatch import ratio_log_e
from flyball.stats.sequential_tests.sequential import ErrorEventTest


def epoch(candidate: tuple[int, int], champion: tuple[int, int], weight: float | None = None) -> EpochSums:
    """Arms as requests and errors."""
    arms = [ArmSums(requests=n, errors=errors) for n, errors in (candidate, champion)]
    return EpochSums(candidate=arms[0], champion=arms[1], weight=weight)


arms = st.integers(0, 400).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, min(n, 60))))
epochs = st.lists(st.builds(epoch, arms, arms, st.sampled_from([None, 0.1, 0.5])), min_size=1, max_size=5)


@settings(max_examples=40)
@given(epochs)
def test_the_evidence_is_that_of_the_error_event_test_added_over_epochs(told: list[EpochSums]) -> None:
    test = ErrorEventTest()
    for each in told:
        one, other = each.candidate, each.champion
        test = test.observe_counts(one.errors, other.errors, one.requests, other.requests, 2.0)
    found = verdict_on(Question(epochs=tuple(told)))
    assert found.numbers["log_e_errors"] == pytest.approx(test.log_e)
    sent_back = test.log_e >= found.numbers["bound"] or test.events_candidate >= Guardrails().max_errors
    assert (found.kind == "ROLL_BACK") is sent_back


@settings(max_examples=40)
@given(epochs, st.integers(1, 30))
def test_an_error_more_of_the_candidate_never_helps_it(told: list[EpochSums], more: int) -> None:
    last = told[-1].candidate
    worse = replace(last, requests=last.requests + more, errors=last.errors + more)
    before = verdict_on(Question(epochs=tuple(told))).numbers["log_e_errors"]
    after = verdict_on(Question(epochs=(*told[:-1], replace(told[-1], candidate=worse)))).numbers["log_e_errors"]
    # as many requests more without an error are what the worse candidate is compared with
    fine = replace(last, requests=last.requests + more)
    without = verdict_on(Question(epochs=(*told[:-1], replace(told[-1], candidate=fine)))).numbers["log_e_errors"]
    assert after >= without - 1e-9
    assert before >= without - 1e-9


@settings(max_examples=40)
@given(epochs)
def test_asked_twice_it_answers_the_same(told: list[EpochSums]) -> None:
    asked = Question(epochs=tuple(told))
    assert verdict_on(asked) == verdict_on(asked)


def test_a_weight_that_ramps_with_the_hour_blames_nobody() -> None:
    """At 1 % in a bad hour, at 50 % in a good one: sums over both hours would call the candidate better or worse."""
    ramp = (epoch((100, 10), (9900, 990), 0.01), epoch((5000, 50), (5000, 50), 0.5))
    found = verdict_on(Question(epochs=ramp, guardrails=Guardrails(max_errors=1000)))
    assert found.kind == "PROMOTE"
    assert found.numbers["log_e_errors"] < 0
    assert verdict_on(Question(epochs=ramp[::-1], guardrails=Guardrails(max_errors=1000))).kind != "ROLL_BACK"


def test_only_the_last_step_is_asked_for_enough_requests() -> None:
    long, short = epoch((1000, 0), (9000, 9), 0.1), epoch((20, 0), (20, 0), 0.5)
    found = verdict_on(Question(epochs=(long, short)))
    assert (found.kind, found.waiting_for) == ("HOLD", ("requests of the candidate: 20 of 300", *found.waiting_for[1:]))
    pieces = tuple(epoch((100, 0), (900, 1), 0.1) for _ in range(4))
    assert verdict_on(Question(epochs=pieces)).kind == "PROMOTE", "neighbours of one weight are one step"
    unnamed = tuple(replace(each, weight=None) for each in pieces)
    assert verdict_on(Question(epochs=unnamed)).kind == "HOLD", "without a weight nobody knows that they are"


def test_shares_that_were_not_promised_make_it_invalid_whenever_they_were_given() -> None:
    skewed, fine = epoch((1200, 1), (8800, 9), 0.1), epoch((5000, 5), (5000, 5), 0.5)
    assert verdict_on(Question(epochs=(skewed,))).kind == "INVALID"
    later = verdict_on(Question(epochs=(skewed, fine)))
    assert (later.kind, later.cause) == ("INVALID", "ratio_mismatch")
    assert verdict_on(Question(epochs=(replace(skewed, weight=None), fine))).kind == "PROMOTE"
    pieces = tuple(epoch((120, 0), (880, 1), 0.1) for _ in range(10))
    whole = verdict_on(Question(epochs=pieces)).numbers["log_e_ratio_mismatch"]
    assert whole == pytest.approx(ratio_log_e((8800, 1200), (0.9, 0.1))), "a step is one test, however it was cut"


def test_what_nobody_counted_is_not_called_good() -> None:
    found = verdict_on(Question(epochs=(epoch((500, 0), (4500, 3)),)))
    assert found.kind == "PROMOTE"
    assert "slow not judged" in found.reason
    assert not [name for name in found.numbers if "slow" in name]
    slow = ArmSums(requests=500, errors=0, slow=90)
    other = ArmSums(requests=4500, errors=3, slow=45)
    judged = verdict_on(Question(epochs=(EpochSums(candidate=slow, champion=other),)))
    assert (judged.kind, judged.cause) == ("ROLL_BACK", "slow")


def test_users_who_stay_with_an_arm_are_counted_once() -> None:
    """Sixty errors of six users are six events, not sixty."""
    requests = EpochSums(
        candidate=ArmSums(requests=3000, errors=60), champion=ArmSums(requests=27_000, errors=270), weight=0.1
    )
    users = EpochSums(
        candidate=ArmSums(requests=3000, units=300, errors=6),
        champion=ArmSums(requests=27_000, units=2700, errors=27),
        weight=0.1,
    )
    assert verdict_on(Question(epochs=(requests,))).kind == "ROLL_BACK"
    assert verdict_on(Question(epochs=(users,))).kind == "HOLD"


def test_all_counts_that_cannot_be_are_told_at_once() -> None:
    bad = EpochSums(candidate=ArmSums(requests=5, errors=6), champion=ArmSums(requests=9, errors=0, units=10, slow=11))
    with pytest.raises(BadInput) as refused:
        verdict_on(Question(epochs=(epoch((10, 1), (10, 1)), bad)))
    assert [fault.path for fault in refused.value.faults] == [
        "epochs[1].candidate.errors",
        "epochs[1].champion.slow",
        "epochs[1].champion.units",
        "epochs[1].champion.slow",
    ]
    metrics = Guardrails(metrics=(MetricGuardrail(name="conversion"),))
    with pytest.raises(BadInput, match=r"guardrails\.metrics.*conversion"):
        verdict_on(Question(epochs=(epoch((10, 1), (10, 1)),), guardrails=metrics))
    many = epoch((10**9, 600_000), (10**9, 600_000))
    with pytest.raises(BadInput, match="1000000 error and slow events"):
        verdict_on(Question(epochs=(many,)))
