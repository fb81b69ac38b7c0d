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


@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 50)), min_size=1, max_size=60), st.floats(0, 1e6))
def test_panes_in_any_order_never_tell_a_row_that_came_later(panes: list[tuple[float, int]], at: float) -> None:
    """Red before: a late pane moved the answer to its own rows, however old its time."""
    marks: Marks = ()
    row, came = 0, list[tuple[int, float]]()
    for index, (start, rows) in enumerate(panes):
        marks = marked(marks, Pane(service="s", index=index, start=start, end=start + 10, first_row=row))
        came.append((row, start))
        row += rows
    told = row_at(marks, at)
    assert told is not None
    if at >= marks[0][0]:
        assert any(first == told and start <= at for first, start in came)
    assert list(marks) == sorted(marks)


def test_a_label_that_speaks_of_yesterday_moves_nothing() -> None:
    marks = after(20)
    late = Pane(service="s", index=20, start=-86_400.0, end=-86_400.0, first_row=5_000)
    assert row_at(marked(marks, late), 100.0) == row_at(marks, 100.0)
