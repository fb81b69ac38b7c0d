"""The circuit that all workers share: whoever asks and whoever is told, it is the one breaker of `breaker.py`."""

from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.core.declared.serving import Breaking
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.resilience.breaker import NUMBERS, Breaker
from flyball.serving.resilience.circuits import Circuits
from flyball.serving.resilience.shared_breaker import SETS, SharedBreaker
from flyball.serving.shelf import Shelf, bytes_for, tag_of

DECLARED = Breaking(min_calls=4)
PART, RAISED = ("sha256:aa", False), Failure(reason="exception")
GOOD = ArmReply(answers=(Answer(prediction=1),), service_ms=1.0)
WORKERS = 3


def shelves() -> list[Shelf]:
    buffer = bytearray(bytes_for(sets=SETS, numbers=NUMBERS))
    return [Shelf(buffer, sets=SETS, numbers=NUMBERS) for _ in range(WORKERS)]


@given(
    st.lists(
        st.tuples(st.integers(0, WORKERS - 1), st.sampled_from(["fails", "answers", "says nothing"]), st.floats(0, 2)),
        max_size=120,
    )
)
@settings(max_examples=80)
def test_several_workers_together_do_what_one_breaker_does(calls: list[tuple[int, str, float]]) -> None:
    one, now = Breaker(DECLARED, probe_s=1.0), 1.0
    tag = tag_of(*PART)
    ours = [SharedBreaker(DECLARED, shelf, tag, probe_s=1.0) for shelf in shelves()]
    for worker, outcome, pause_s in calls:
        now += pause_s
        breaker = ours[worker]
        allowed = one.allows(now)
        assert breaker.allows(now) == allowed
        if allowed and outcome == "says nothing":
            breaker.released()
            one.released()
        elif allowed:
            breaker.told(outcome == "fails", now)
            one.told(outcome == "fails", now)
        assert [(each.state, each.opened) for each in ours] == [(one.state, one.opened)] * WORKERS


@given(st.lists(st.booleans(), max_size=60))
def test_numbers_are_all_that_a_breaker_knows(calls: list[bool]) -> None:
    one, now = Breaker(DECLARED, probe_s=1.0), 1.0
    for failed in calls:
        other = Breaker(DECLARED, probe_s=1.0)
        other.know(one.numbers())
        now += 0.7
        assert other.allows(now) == one.allows(now)
        other.told(failed, now)
        one.told(failed, now)
        assert other.numbers() == one.numbers()
    fresh = Breaker(DECLARED, probe_s=1.0)
    fresh.know([0.0] * NUMBERS)
    assert fresh.state == "closed"


def test_failures_in_several_workers_open_the_circuit_in_all_and_one_call_of_one_tries() -> None:
    workers = [Circuits(DECLARED, deadline_s=1.0, shelf=shelf) for shelf in shelves()]
    for number in range(DECLARED.min_calls):  # at most two of them in one worker: too few for its own circuit
        told = workers[number % WORKERS].begin(PART, 1.0, 1.0)
        assert told is not None
        told(RAISED, 1.0)
    assert [worker.begin(PART, 1.0, 1.5) for worker in workers] == [None] * WORKERS
    assert all(worker.open_parts() == [PART] for worker in workers)
    for _ in range(3):
        probes = [worker.begin(PART, 1.0, 2.5) for worker in workers]
        (probe,) = [each for each in probes if each is not None]
        probe(GOOD, 2.5)
    assert all(worker.begin(PART, 1.0, 2.6) for worker in workers)
    assert not any(worker.open_parts() for worker in workers)


def test_a_process_that_is_sick_in_one_worker_opens_that_workers_circuit_alone() -> None:
    workers = [Circuits(DECLARED, deadline_s=1.0, shelf=shelf) for shelf in shelves()]
    for number in range(40):
        if number % 4 == 0 and (told := workers[0].begin(PART, 1.0, 1.0)) is not None:
            told(RAISED, 1.0)
        for worker in workers[1:]:
            told = worker.begin(PART, 1.0, 1.0)
            assert told is not None
            told(GOOD, 1.0)
    assert [bool(worker.open_parts()) for worker in workers] == [True, False, False]
