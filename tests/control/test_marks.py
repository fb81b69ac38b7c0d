"""Marks of the stream: never behind the moment, exact for what is new, and no more of them after a year."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.control.marks import EXACT, MOST, Marks, marked, row_at
from flyball.core.watching import Pane


def after(panes: int) -> Marks:
    marks: Marks = ()
    for index in range(panes):
        marks = marked(
            marks, Pane(service="s", index=index, start=10.0 * index, end=10.0 * index + 10, first_row=index)
        )
    return marks


@given(st.integers(1, 2000), st.floats(0, 1))
def test_a_row_that_came_later_is_never_told(panes: int, part: float) -> None:
    marks = after(panes)
    assert len(marks) <= MOST
    at = part * 10.0 * (panes - 1)
    row = row_at(marks, at)
    assert row is not None
    assert row * 10.0 <= at
    if panes - 1 - at / 10.0 < EXACT - 1:
        assert at - row * 10.0 < 10.0, "the newest panes each have their mark"


def test_what_began_before_the_log_is_there_from_its_first_row() -> None:
    assert row_at(((100.0, 40), (110.0, 50)), 0.0) == 40
    assert row_at((), 0.0) is None
