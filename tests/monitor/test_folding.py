"""Panes that wait to be worked on together: no figure may tell whether they did."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.monitor.test_watch import panes, watcher, world

from flyball.core.watching import WindowReport
from flyball.monitor import folding
from flyball.monitor.extents import Extent, extent, extents_of_parts
from flyball.monitor.folding import Pending

NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


def reports() -> list[WindowReport]:
    """Windows with a shift, another release's rows between, and a pane whose feature is whole numbers."""
    rng = np.random.default_rng(5)
    tables = [world(rng, 100, shift=0.8 if at > 12 else 0.0) for at in range(25)]
    segments = panes(tables[:5]) + panes(tables[5:6], release="r0", first=5, arm="candidate")
    segments += panes([tables[6].with_columns(pl.col("a").round().cast(pl.Int64))], first=6)
    segments += panes(tables[7:], first=7)
    watching = watcher()
    return [report for one in segments for report in watching.feed(one, champion="r1")]


def test_reports_are_the_same_whether_panes_are_taken_one_by_one_or_together(monkeypatch: pytest.MonkeyPatch) -> None:
    together = reports()
    monkeypatch.setattr(folding, "FOLD_ROWS", 1)
    assert together
    assert any(report.signals for report in together)
    assert reports() == together


def test_panes_of_another_schema_stay_apart() -> None:
    pending = Pending()
    whole, broken = pl.DataFrame({"a": [1, 2]}), pl.DataFrame({"a": [0.5]})
    for frame in (whole, whole, broken, whole):
        assert not pending.add(frame)
    assert [(frame["a"].to_list(), parts) for frame, parts in pending.taken()] == [
        ([1, 2, 1, 2], [2, 2]),
        ([0.5], [1]),
        ([1, 2], [2]),
    ]
    assert not list(pending.taken())


def test_enough_rows_are_told() -> None:
    pending = Pending()
    assert pending.add(pl.DataFrame({"a": [0] * folding.FOLD_ROWS}))


@given(st.lists(st.lists(NUMBERS, max_size=12), min_size=1, max_size=6))
def test_extents_of_parts_are_those_of_one_part_after_the_other(parts: list[list[float]]) -> None:
    expected = Extent()
    with np.errstate(all="ignore"):
        for part in parts:
            expected = expected.plus(extent(np.array(part, dtype=np.float64)))
        column = np.array([value for part in parts for value in part], dtype=np.float64)
        found = extents_of_parts({"a": column, "b": -column}, [len(part) for part in parts], {})
    assert repr(found["a"]) == repr(expected)
