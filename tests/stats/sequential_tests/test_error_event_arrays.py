"""The error-event test on arrays: event by event, to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.stats.sequential_tests.error_event_arrays import increments, observe_events
from flyball.stats.sequential_tests.sequential import ErrorEventTest, accept_bound, increment, rollback_bound

shares = st.one_of(
    st.floats(0, 1), st.sampled_from([0.0, 1.0, 5e-324, 1 - 2**-53]), st.integers(1, 99).map(lambda k: k / 99)
)
events = st.lists(st.tuples(st.booleans(), shares), max_size=60)
ratios = st.one_of(st.floats(0.05, 50), st.sampled_from([1, 2, 3, 2.0, 10]))


@given(events, ratios, st.floats(-20, 20))
def test_arrays_give_what_single_events_give_to_the_last_bit(
    seen: list[tuple[bool, float]], ratio: float, start: float
) -> None:
    state = ErrorEventTest(log_e=start, events_candidate=3)
    path = observe_events(state, [arm for arm, _ in seen], [w for _, w in seen], ratio)
    one_by_one = []
    for arm, w in seen:
        state = state.observe(arm, w, ratio)
        one_by_one.append(state.log_e)
    assert path.log_e.tolist() == one_by_one  # no tolerance
    assert path.state == state


def test_a_long_stream_is_equal_to_the_last_bit_too() -> None:
    rng = np.random.default_rng(5)
    arms, w = rng.random(20_000) < 0.3, rng.integers(1, 50, 20_000) / 50
    state = ErrorEventTest()
    for arm, share in zip(arms.tolist(), w.tolist(), strict=True):
        state = state.observe(arm, share, 2.0)
    assert observe_events(ErrorEventTest(), arms, w, 2.0).state == state


@given(events, st.integers(0, 60), ratios)
def test_where_a_batch_ends_changes_nothing(seen: list[tuple[bool, float]], cut: int, ratio: float) -> None:
    def run(state: ErrorEventTest, part: list[tuple[bool, float]]) -> ErrorEventTest:
        return observe_events(state, [arm for arm, _ in part], [w for _, w in part], ratio).state

    assert run(run(ErrorEventTest(), seen[:cut]), seen[cut:]) == run(ErrorEventTest(), seen)


@given(events, st.sampled_from([rollback_bound(0.05, 2), accept_bound(0.10), rollback_bound(0.5, 1)]))
def test_the_crossing_is_the_first_event_that_a_watcher_would_have_acted_on(
    seen: list[tuple[bool, float]], bound: float
) -> None:
    path = observe_events(ErrorEventTest(), [arm for arm, _ in seen], [w for _, w in seen], 3.0)
    state, expected = ErrorEventTest(), None
    for place, (arm, w) in enumerate(seen):
        state = state.observe(arm, w, 3.0)
        if state.log_e >= bound if bound > 0 else state.log_e <= bound:
            expected = place
            break
    assert path.first_beyond(bound) == expected


def test_eleven_errors_of_the_candidate_reach_the_published_bound() -> None:
    """The reference page, 5.2: at w = 0.5 and ratio 2 eleven straight errors reach ln(0.9 / 0.05)."""
    path = observe_events(ErrorEventTest(), [True] * 20, [0.5] * 20, 2)
    assert path.first_beyond(2.890372) == 10


def test_what_cannot_be_is_refused_as_for_one_event() -> None:
    for w, ratio in (([1.5], 2.0), ([float("nan")], 2.0), ([0.5], 0.0), ([-0.1], 2.0)):
        with pytest.raises(ValueError, match="0 <= w <= 1 and ratio > 0"):
            observe_events(ErrorEventTest(), [True], w, ratio)
        with pytest.raises(ValueError, match="0 <= w <= 1 and ratio > 0"):
            increment(True, w[0], ratio)
    with pytest.raises(ValueError, match="one share for each event"):
        increments(np.array([True, False]), np.array([0.5]), 2.0)
