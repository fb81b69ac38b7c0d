"""Any window is the sum of its panes, however it slides, and a clock that runs backwards loses nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.core.release import Baseline, Reference
from flyball.monitor.state.frame import frame
from flyball.monitor.state.state import State, empty
from flyball.monitor.state.windows import (
    DAY,
    HOUR,
    MINUTES_5,
    WEEK,
    SlidingWindow,
    TimedState,
    hour_of_week,
    seasonal,
    total,
)

FRAME = frame(
    Baseline(
        rows=10,
        features={"x": Reference(kind="numeric", edges=(0.0,), counts=(5, 5, 0))},
        prediction={"prediction": Reference(kind="numeric", edges=(0.5,), counts=(5, 5, 0))},
    )
)


def pane(start: float, rows: int = 10, length: float = 10.0) -> TimedState:
    counts = np.zeros(FRAME.size, dtype=np.int64)
    counts[0] = counts[1] = rows
    return TimedState(start=start, end=start + length, state=State(FRAME, counts))


@pytest.mark.parametrize("span_s", [MINUTES_5, HOUR, DAY, WEEK])
def test_a_window_of_any_span_is_the_sum_of_its_newest_panes(span_s: float) -> None:
    length = span_s / 30
    panes = [pane(n * length, rows=n % 7, length=length) for n in range(200)]
    window = SlidingWindow(frame=FRAME, span_s=span_s)
    for each in panes:
        assert window.add(each) == ""
        assert window.state == total(panes, FRAME, since=each.end - span_s, until=each.end)
    assert window.full


@given(st.lists(st.integers(0, 40), min_size=1, max_size=40), st.integers(1, 100))
def test_a_window_of_rows_is_the_shortest_run_that_holds_enough(sizes: list[int], least: int) -> None:
    window = SlidingWindow(frame=FRAME, least_rows=least)
    for at, size in enumerate(sizes):
        window.add(pane(at * 10.0, rows=size))
        runs = [sum(sizes[first : at + 1]) for first in range(at, -1, -1)]
        enough = [rows for rows in runs if rows >= least]
        assert window.state.rows == (enough[0] if enough else runs[-1])
        assert window.full == bool(enough)


@given(st.permutations(range(12)))
def test_panes_in_any_order_are_all_counted_and_the_disorder_is_told(order: list[int]) -> None:
    window = SlidingWindow(frame=FRAME, span_s=1e9)
    newest = -1
    for at in order:
        told = window.add(pane(at * 10.0, rows=at))
        assert ("ran backwards" in told) == (at < newest)
        newest = max(newest, at)
    assert window.state.rows == sum(range(12))
    assert [each.start for each in window.panes] == [n * 10.0 for n in range(12)]


def test_a_pane_from_before_the_window_is_told_and_changes_nothing() -> None:
    window = SlidingWindow(frame=FRAME, span_s=100.0)
    for start in range(0, 300, 10):
        window.add(pane(float(start)))
    before = window.state
    assert "does not reach back" in window.add(pane(50.0))
    assert window.state == before


def test_the_same_hour_of_earlier_weeks_is_the_seasonal_reference() -> None:
    now = 10 * WEEK + 30 * HOUR + 700
    quarter = HOUR / 4
    panes = [
        pane(n * quarter, rows=1 + hour_of_week(n * quarter) % 5, length=quarter)
        for n in range(int(11 * WEEK / quarter))
    ]
    found = seasonal(panes, FRAME, now, weeks=4)
    assert found.weeks == 4
    assert found.state.rows == 4 * 4 * (1 + hour_of_week(now) % 5)
    few = seasonal(panes[: int(WEEK / quarter)], FRAME, WEEK + 5 * HOUR)
    assert (few.weeks, few.reason) == (1, "")


def test_no_earlier_week_is_a_reason_and_not_a_zero() -> None:
    found = seasonal([pane(0.0)], FRAME, 30 * HOUR)
    assert (found.weeks, found.state) == (0, empty(FRAME))
    assert "no pane in hour" in found.reason


def test_a_window_is_either_of_time_or_of_rows() -> None:
    with pytest.raises(ValueError, match="span_s or least_rows"):
        SlidingWindow(frame=FRAME)
