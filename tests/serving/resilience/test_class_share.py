"""The share of a class over all workers: exactly the last answers, whoever gave them."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.declared.serving import ClassRate
from flyball.serving.resilience.class_share import ClassShare, bytes_for


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.booleans()), max_size=200),
    st.floats(0, 0.99),
)
def test_workers_that_share_a_window_see_the_last_answers_of_all(
    answers: list[tuple[int, int, bool]], most: float
) -> None:
    declared = ClassRate(prediction=1, max_share=most, window_rows=10)
    buffer = bytearray(bytes_for(declared))
    workers = [ClassShare(declared, buffer) for _ in range(3)]
    last: deque[bool] = deque(maxlen=10)
    for worker, prediction, counted in answers:
        if counted:
            last.append(prediction == 1)
        expected = prediction == 1 and len(last) == 10 and sum(last) > most * 10
        assert workers[worker].beyond(prediction, counted=counted) == expected
