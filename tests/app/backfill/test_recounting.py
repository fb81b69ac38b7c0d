"""Which panes a backfill counts again, also where some of them came late."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.serving.parts import CONTRACT

from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.app.home import Home
from flyball.app.wiring.backfill.recounting import panes_of_span
from flyball.core.log_tables import log_tables

TABLES = log_tables(CONTRACT, label="fraud", task="binary")
FIRST, LAST = 300.0, 600.0


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_no_pane_of_the_span_is_left_out_however_late_it_came(
    tmp_path_factory: pytest.TempPathFactory, starts: list[int]
) -> None:
    """Red before: the first pane of a later time ended the reading, and one behind it kept its broken rows."""
    home = Home(tmp_path_factory.mktemp("home"))
    log = SegmentLog(home.telemetry("shop"), "shop", TABLES, fsync="os")
    times = [100.0 * start for start in starts]
    for index, start in enumerate(times):
        log.append(index, [], [])
        log.seal(index, start=start, end=start + 10.0, received=0, labels=())
    log.close()
    after, newest = panes_of_span(home, "shop", FIRST, LAST)
    inside = [index for index, start in enumerate(times) if FIRST <= start < LAST]
    assert all(after < index <= newest for index in inside)
    assert inside or newest == -1
