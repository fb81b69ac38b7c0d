"""Windows follow one another, never overlap, and hold enough rows but not a pane more than they need."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.service import Monitor
from flyball.core.watching import Pane
from flyball.monitor.windows import Span, full, grown

MONITOR = Monitor(window_rows=1000)


def cut(sizes: list[int], monitor: Monitor, *, promotions: frozenset[int] = frozenset()) -> list[Span]:
    """The windows of a run of panes; another release serves from each pane in `promotions` on."""
    windows: list[Span] = []
    span: Span | None = None
    row, release, index = 0, 0, 0
    for at, rows in enumerate(sizes):
        if at in promotions:
            release, index = release + 1, 0
        pane = Pane(
            service="s", index=at, start=at * 10.0, end=at * 10.0 + 10, first_row=row, last_row=row + max(0, rows - 1)
        )
        row += rows
        span = grown(span, pane, release=f"r{release}", rows=rows, index=index)
        if full(span, monitor):
            windows.append(span)
            span, index = None, index + 1
    return windows


sizes = st.lists(st.integers(0, 700), max_size=40)


@given(sizes)
def test_windows_do_not_overlap_and_leave_no_gap(panes: list[int]) -> None:
    windows = cut(panes, MONITOR)
    assert [window.index for window in windows] == list(range(len(windows)))
    assert all(a.last_row < b.first_row for a, b in pairwise(windows))
    assert sum(window.panes for window in windows) <= len(panes)


@given(sizes)
def test_a_window_is_the_shortest_run_that_holds_enough(panes: list[int]) -> None:
    at = 0
    for window in cut(panes, MONITOR):
        members = panes[at : at + window.panes]
        assert sum(members) == window.rows >= MONITOR.window_rows
        assert sum(members[:-1]) < MONITOR.window_rows
        at += window.panes


@given(sizes, st.frozensets(st.integers(0, 39), max_size=4))
def test_no_window_holds_rows_of_two_champions(panes: list[int], promotions: frozenset[int]) -> None:
    starts = sorted(promotions)
    for window in cut(panes, MONITOR, promotions=promotions):
        first_pane = int(window.start // 10)
        last_pane = first_pane + window.panes - 1
        assert not any(first_pane < start <= last_pane for start in starts)


def test_a_span_of_time_closes_a_window_too_but_never_an_empty_one() -> None:
    timed = Monitor(window_rows=1_000_000, window_s=30)
    assert [window.panes for window in cut([5] * 6, timed)] == [3, 3]
    assert cut([0] * 9, timed) == []
