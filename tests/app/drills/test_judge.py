"""The judge of a drill: laws over any course of changes, then the courses that real drills take."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.app.drills.faults import FAULTS
from flyball.app.drills.judge import judged
from flyball.app.drills.seen import Change

TOLD = ("signal/error", "health/errors")
KEYS = ("signal/error", "health/errors", "signal/psi/amount", "signal/errors_of_others")
INJECTED = 100.0

changes = st.lists(
    st.builds(
        Change,
        at=st.floats(0, 200, allow_nan=False),
        key=st.sampled_from(KEYS),
        what=st.sampled_from(("begins", "ends")),
    ),
    max_size=30,
)
times = st.lists(st.floats(0, 200, allow_nan=False), max_size=5)


def change(at: float, what: str, key: str = "signal/error") -> Change:
    return Change(at=at, key=key, what="begins" if what == "begins" else "ends")


@given(changes, times)
def test_nothing_is_over_that_was_not_seen_and_nothing_is_seen_before_it_was_made(
    course: list[Change], failures: list[float]
) -> None:
    found = judged(course, TOLD, injected_at=INJECTED, failures=failures)
    assert found.detected_s is None or found.detected_s >= 0
    assert found.recovered_s is None or (found.detected_s is not None and found.recovered_s >= found.detected_s - 0.01)
    assert not (found.standing and found.recovered_s is not None)


@given(changes, times)
def test_the_order_in_which_changes_are_read_says_nothing(course: list[Change], failures: list[float]) -> None:
    apart = list({each.at: each for each in course}.values())  # two at one moment have no order
    assert judged(apart, TOLD, injected_at=INJECTED, failures=failures) == judged(
        apart[::-1], TOLD, injected_at=INJECTED, failures=failures[::-1]
    )


@given(changes)
def test_what_tells_of_other_faults_says_nothing_of_this_one(course: list[Change]) -> None:
    others = [each for each in course if each.key not in TOLD]
    assert judged(others, TOLD, injected_at=INJECTED).detected_s is None


def test_what_stood_before_the_fault_and_ends_during_it_was_not_seen() -> None:
    assert judged([change(99, "begins"), change(105, "ends")], TOLD, injected_at=INJECTED).detected_s is None


def test_a_sign_that_comes_back_makes_it_last() -> None:
    course = [change(101, "begins"), change(103, "ends"), change(104, "begins")]
    assert judged(course, TOLD, injected_at=INJECTED).recovered_s is None
    assert judged([*course, change(110, "ends")], TOLD, injected_at=INJECTED).recovered_s == 10


def test_it_is_not_over_while_another_sign_of_it_stands() -> None:
    course = [change(101, "begins"), change(102, "begins", "health/errors"), change(103, "ends")]
    found = judged(course, TOLD, injected_at=INJECTED)
    assert (found.recovered_s, found.standing) == (None, ("health/errors",))


def test_it_is_not_over_before_the_last_client_went_without_an_answer() -> None:
    course = [change(101, "begins"), change(103, "ends")]
    assert judged(course, TOLD, injected_at=INJECTED, failures=[90.0, 107.5]).recovered_s == 7.5


def test_a_fault_says_which_changes_tell_of_it() -> None:
    assert all(fault.tells and 0 < fault.share <= 1 for fault in FAULTS.values())
    assert "incident/errors" in FAULTS["upstream_stall"].tells
    assert len(FAULTS) == 13
