"""From rows to what the triggers wait for: windows that time closes, most rows gone, and what is left has moved."""

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from tests.monitor.streams import contract, log, segment, service
from tests.monitor.test_watch import promise, world

from flyball.core.ports import Segment
from flyball.decide.triggers import Wish, wish
from flyball.monitor.watch import Watcher

DECLARED = service("binary", "accuracy", label="label", window_rows=1_000_000)
TIMED = replace(DECLARED, monitor=replace(DECLARED.monitor, window_s=60))
USUAL, WINDOWS = 1000, 10


def wished(rows: int, *, shift: float) -> Wish:
    """After a while of windows of 1,000 rows, and three with so many rows, moved so far."""
    rng = np.random.default_rng(4)
    tables = [world(rng, USUAL) for _ in range(WINDOWS)] + [world(rng, rows, shift=shift) for _ in range(3)]
    watcher = Watcher(TIMED, contract(tables[0], ["a", "at", "label"]), promise)
    reports = [report for pane in panes(tables) for report in watcher.feed(pane, champion="r1")]
    assert [report.rows for report in reports[-3:]] == [rows] * 3
    return wish(reports, TIMED)


def panes(tables: list[pl.DataFrame]) -> list[Segment]:
    """Each a minute long, and so a window."""
    found, row = [], 0
    for index, table in enumerate(tables):
        ids = pl.Series("id", [f"p{row + at}" for at in range(table.height)], dtype=pl.String)
        rows = log(ids).with_columns(
            table["prediction"], table["score"], table["a"].alias("x.a"), table["at"].alias("x.at")
        )
        labels = pl.DataFrame({"id": ids, "label": table["label"], "at": rows["at"]})
        one = segment(index, rows, labels, first_row=row)
        found.append(replace(one, pane=replace(one.pane, start=60.0 * index, end=60.0 * (index + 1))))
        row += table.height
    return found


def test_a_tenth_of_the_rows_that_have_moved_asks_for_nothing_and_says_why() -> None:
    found = wished(USUAL // 10, shift=2.0)
    assert found.fired == "drift"
    assert any("as many rows as usual (volume: 100 rows where windows" in each for each in found.waiting_for)
    assert "part of the supply may be gone" in found.diagnosis.reason


@pytest.mark.parametrize(("rows", "shift", "fired"), [(USUAL, 2.0, "drift"), (USUAL // 10, 0.0, None)])
def test_drift_alone_asks_and_few_rows_alone_are_no_question(rows: int, shift: float, fired: str | None) -> None:
    found = wished(rows, shift=shift)
    assert (found.fired, found.waiting_for) == (fired, ())
    assert "part of the supply" not in found.diagnosis.reason
