"""The circuit of a release: its laws, and what counts against a release."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.core.declared.serving import Breaking
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.resilience.breaker import MOST_PAUSE_S, PROBES, Breaker, failed_call
from flyball.serving.resilience.circuits import Circuits

DECLARED = Breaking()
RAISED, LATE = Failure(reason="exception"), Failure(reason="deadline")
GOOD = ArmReply(answers=(Answer(prediction=1),), service_ms=1.0)
PART = ("sha256:aa", False)


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(DECLARED, probe_s=1.0)
    for _ in range(DECLARED.min_calls):
        breaker.told(True, at)
    assert breaker.state == "open"
    return breaker


@given(st.lists(st.tuples(st.booleans(), st.floats(0.0, 3.0)), max_size=200))
@settings(max_examples=60)
def test_a_release_is_never_shut_out_for_longer_than_a_minute_and_never_without_a_reason(
    calls: list[tuple[bool, float]],
) -> None:
    breaker, now, failures = Breaker(DECLARED, probe_s=1.0), 0.0, 0
    for failed, pause_s in calls:
        now += pause_s
        if breaker.allows(now):
            failures += failed
            breaker.told(failed, now)
        if breaker.state != "closed":
            assert failures >= DECLARED.share * DECLARED.min_calls
            assert breaker.allows(now + MOST_PAUSE_S) or breaker.state == "half_open"
            breaker.released()


@given(st.integers(0, 1000))
def test_a_release_that_answers_is_always_asked(calls: int) -> None:
    breaker = Breaker(DECLARED, probe_s=1.0)
    for number in range(calls):
        assert breaker.allows(number / 100)
        breaker.told(False, number / 100)


def test_few_failures_open_nothing_and_neither_do_many_among_more_answers() -> None:
    breaker = Breaker(DECLARED, probe_s=1.0)
    for _ in range(DECLARED.min_calls - 1):
        breaker.told(True, 0.0)
    assert breaker.state == "closed"
    for _ in range(100):
        breaker.told(False, 0.0)
    for _ in range(50):
        breaker.told(True, 0.0)
    assert breaker.state == "closed"


def test_old_failures_are_forgotten() -> None:
    breaker = Breaker(DECLARED, probe_s=1.0)
    for _ in range(DECLARED.min_calls - 1):
        breaker.told(True, 0.0)
    breaker.told(True, 20.0)
    assert breaker.state == "closed"


def test_after_the_pause_one_call_tries_and_the_others_wait_for_its_word() -> None:
    breaker = opened()
    assert not breaker.allows(0.9)
    assert [breaker.allows(1.1) for _ in range(5)] == [True, False, False, False, False]
    breaker.told(False, 1.2)
    assert [breaker.allows(1.3) for _ in range(2)] == [True, False]
    for _ in range(PROBES - 1):
        breaker.told(False, 1.4)
    assert breaker.state == "closed"


def test_each_probe_that_fails_doubles_the_pause_up_to_a_minute() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(10):
        since = now
        while not breaker.allows(now):
            now += 0.5
        pauses.append(now - since)
        breaker.told(True, now)
    assert pauses[:4] == [1.0, 2.0, 4.0, 8.0]
    assert pauses[-1] == MOST_PAUSE_S


def test_a_probe_that_never_comes_back_does_not_shut_the_release_out() -> None:
    breaker = opened()
    assert breaker.allows(1.0)
    assert not breaker.allows(1.9)
    assert breaker.allows(2.0)


@pytest.mark.parametrize(
    ("reply", "alive", "patient", "failed"),
    [
        (GOOD, True, True, False),
        (ArmReply(answers=(RAISED, Answer(prediction=1)), service_ms=1.0), True, True, False),
        (ArmReply(answers=(RAISED, RAISED), service_ms=1.0), True, True, True),
        (ArmReply(answers=(RAISED, Answer(prediction=1), RAISED), service_ms=1.0), True, True, True),
        (RAISED, True, True, True),
        (LATE, False, True, True),
        (LATE, True, True, None),  # others were answered: a queue
        (LATE, False, False, None),  # the client had no time
        (Failure(reason="dead"), False, True, None),
        (Failure(reason="overload"), False, True, None),
    ],
)
def test_what_counts_against_a_release(
    reply: ArmReply | Failure, alive: bool, patient: bool, failed: bool | None
) -> None:
    assert failed_call(reply, alive=alive, patient=patient) is failed


def test_a_queue_opens_no_circuit_and_a_hang_does() -> None:
    for hangs in (False, True):
        circuits = Circuits(DECLARED, deadline_s=1.0)
        for number in range(100):
            at = number / 10
            late, good = circuits.begin(PART, 1.0, at), circuits.begin(PART, 1.0, at)
            if late is None or good is None:
                break
            if not hangs:
                good(GOOD, at + 0.9)
            late(LATE, at + 1.0)
        assert circuits.open_parts() == ([PART] if hangs else [])


def test_calls_from_before_the_circuit_opened_do_not_speak_for_the_probe() -> None:
    circuits = Circuits(DECLARED, deadline_s=1.0)
    early = [circuits.begin(PART, 1.0, 0.0) for _ in range(40)]
    for told in early[:20]:
        assert told is not None
        told(RAISED, 0.1)
    assert circuits.begin(PART, 1.0, 0.2) is None
    for _ in range(PROBES):
        probe = circuits.begin(PART, 1.0, 1.2)
        assert probe is not None
        for told in early[20:]:
            assert told is not None
            told(RAISED, 1.2)
        probe(GOOD, 1.2)
    assert circuits.open_parts() == []


def test_the_shadow_of_a_release_has_a_circuit_of_its_own_and_both_are_forgotten_with_it() -> None:
    circuits = Circuits(DECLARED, deadline_s=1.0)
    shadow = (PART[0], True)
    for _ in range(20):
        told = circuits.begin(shadow, 1.0, 0.0)
        assert told is not None
        told(LATE, 1.0)
    assert circuits.begin(shadow, 1.0, 1.5) is None
    assert circuits.begin(PART, 1.0, 1.5) is not None
    circuits.keep({PART})
    assert circuits.begin(shadow, 1.0, 1.5) is not None
