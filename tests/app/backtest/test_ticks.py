"""Rows of a log as ticks: one a pane, under a clock that goes forward only."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from flyball.app.wiring.backtest.from_rows import LOOKS_S, ticks_of
from flyball.core.clock import moment
from flyball.core.ports import Segment
from flyball.core.watching import Pane

EMPTY = pl.DataFrame()


@given(st.lists(st.integers(0, 10_000), max_size=30))
def test_a_pane_that_came_late_puts_no_clock_back(ends: list[int]) -> None:
    """Red before: the moment went back with it, and what the budgets had counted since was taken along."""
    panes = [
        Pane(service="fraud", index=n, start=end - 5.0, end=float(end), last_row=n, received=1)
        for n, end in enumerate(ends)
    ]
    ticks = list(ticks_of(Segment(pane=pane, predictions=EMPTY, shadows=EMPTY, labels=EMPTY) for pane in panes))
    moments = [moment(tick.now).timestamp() for tick in ticks]
    assert [tick.segment.pane for tick in ticks] == panes
    assert moments == sorted(moments)
    assert all(now >= pane.end + LOOKS_S for now, pane in zip(moments, panes, strict=True))
