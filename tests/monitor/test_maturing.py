"""The label window: quick labels are no sample of their own, rows count in their order, and memory has an end."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.monitor.streams import contract, log, segment, service
from tests.monitor.test_watch import fed, promise, world

from flyball.core.ports import Segment
from flyball.core.service import Data
from flyball.monitor.labels import MOST_HELD, Place, WaitingRows
from flyball.monitor.maturing import MaturingRows
from flyball.monitor.pairs import WaitingPairs
from flyball.monitor.watch import Watcher

ROWS = 100


def watcher(label_window_s: float) -> Watcher:
    declared = service("binary", "accuracy", label="label")
    data = Data(contract="c", source="s", label="label", label_window_s=label_window_s)
    declared = replace(declared, data=data)
    return Watcher(declared, contract(world(np.random.default_rng(0), 1), ["a", "label"]), promise)


def stream(table: pl.DataFrame, delays: Sequence[int | None]) -> list[Segment]:
    """One row a second in panes of 100; the label of a row comes its own number of seconds later, or never."""
    ids = pl.Series("id", [f"p{row}" for row in range(table.height)], dtype=pl.String)
    rows = log(ids).with_columns(table["prediction"], table["score"], table["a"].alias("x.a"))
    due: dict[int, list[int]] = {}
    for row, delay in enumerate(delays):
        if delay is not None:
            due.setdefault((row + delay) // ROWS, []).append(row)
    found = []
    for pane in range(table.height // ROWS):
        ready = due.get(pane, [])
        labels = pl.DataFrame({"id": ids[ready], "label": table["label"][ready], "at": rows["at"][ready]})
        part = rows[pane * ROWS : (pane + 1) * ROWS]
        found.append(segment(pane, part, labels, first_row=pane * ROWS))
    return found


@pytest.mark.parametrize("label_window_s", [0, 1000])
def test_labels_that_come_sooner_where_the_model_was_wrong_do_not_look_like_a_loss(label_window_s: float) -> None:
    table = world(np.random.default_rng(3), 6000, right=0.9)
    right = (table["prediction"] == table["label"]).to_list()
    reports = fed(watcher(label_window_s), stream(table, [900 if each else 10 for each in right]))
    values = [report.metric.value for report in reports if report.metric]
    assert len(values) >= 4
    assert all(value == pytest.approx(0.9, abs=0.03) for value in values)
    assert [each for report in reports for each in report.signals if each.signal == "risk"] == []


@pytest.mark.parametrize("label_window_s", [0, 1000])
def test_nor_do_they_after_a_promotion(label_window_s: float) -> None:
    table = world(np.random.default_rng(3), 9000, right=0.9)
    right = (table["prediction"] == table["label"]).to_list()
    seen, reports = watcher(label_window_s), []
    for one in stream(table, [900 if each else 10 for each in right]):
        release = "r1" if one.pane.first_row < 4000 else "r2"
        rows = one.predictions.with_columns(pl.lit(release).alias("release"))
        reports += fed(seen, [segment(one.pane.index, rows, one.labels, first_row=one.pane.first_row)], release)
    values = [report.metric.value for report in reports if report.metric and report.release == "r2"]
    assert len(values) >= 3
    assert all(value == pytest.approx(0.9, abs=0.03) for value in values)
    assert [each for report in reports for each in report.signals if each.signal == "risk"] == []


def test_the_metric_covers_rows_in_their_order_whatever_the_order_of_their_labels() -> None:
    table = world(np.random.default_rng(4), 4000)
    delays = np.random.default_rng(5).integers(0, 900, 4000).tolist()
    covered = [report.metric_rows for report in fed(watcher(900), stream(table, delays)) if report.metric_rows]
    assert covered[0] == (0, 999)
    assert all(later[0] == before[1] + 1 for before, later in pairwise(covered))


def test_rows_without_a_label_are_left_out_and_counted() -> None:
    table = world(np.random.default_rng(6), 4000)
    segments = stream(table, [None if row % 4 == 0 else 20 for row in range(4000)])
    reports = fed(watcher(50), segments)
    assert [report.unlabelled for report in reports] == [213, 250, 250, 250]  # 150 of the first 1,000 rows still wait
    assert sum(report.unlabelled for report in fed(watcher(0), segments)) in range(900, 1000)


@pytest.mark.parametrize("delay", [2, 100, 250])
def test_a_label_that_keeps_its_window_by_a_hair_counts_also_when_it_travels_in_a_pane_of_its_own(delay: int) -> None:
    seen, told, reports = watcher(delay), 0, []
    table = world(np.random.default_rng(9), 3000)
    for one in stream(table, [None] * 3000):
        end = one.pane.first_row + ROWS
        due = slice(told, max(0, end - delay))
        told = max(0, end - delay)
        labels = pl.DataFrame({"id": [f"p{row}" for row in range(3000)][due], "label": table["label"][due]})
        reports += seen.feed(one, champion="r1")
        reports += seen.feed(segment(0, pl.DataFrame(), labels, first_row=end), champion="r1")
    assert sum(report.unlabelled for report in reports) == 0
    assert sum(report.metric is not None for report in reports) >= 2


def test_a_label_after_its_window_comes_too_late_to_be_judged_but_not_to_be_learned_from() -> None:
    table = world(np.random.default_rng(7), 2000)
    seen = watcher(50)
    assert not any(report.metric for report in fed(seen, stream(table, [200] * 2000)))
    assert seen.matured_rows(0) == 1800


def test_labelled_pairs_wait_for_the_window_too() -> None:
    table = world(np.random.default_rng(8), 500, right=0.5)
    wrong = (table["prediction"] != table["label"]).to_list()
    seen = watcher(250)
    for one in stream(table, [0 if row % 2 else None for row in range(500)]):
        right = table["label"][one.pane.first_row : one.pane.first_row + ROWS]
        shadows = one.predictions.select("id", "at", "error").with_columns(
            pl.lit("r2").alias("release"), right.alias("prediction")
        )
        seen.feed(
            segment(one.pane.index, one.predictions, one.labels, shadows, first_row=one.pane.first_row), champion="r1"
        )
        assert (seen.pairs("r2") is not None) == (one.pane.index >= 3)
    found = seen.pairs("r2")
    assert found is not None
    assert found.pairs == 75  # the labelled half of the 150 rows whose window had passed when the last pane began
    assert found.candidate_only == sum(wrong[row] for row in range(1, 150, 2))


@given(
    st.lists(st.integers(1, 7), min_size=1, max_size=12),
    st.integers(1, 30),
    st.lists(st.integers(0, 100), min_size=1, max_size=8),
)
def test_each_row_passes_once_in_order_and_not_before_its_window(
    sizes: list[int], window_s: int, asked: list[int]
) -> None:
    waiting, maturing = WaitingRows(keep_rows=10_000), MaturingRows(window_s=window_s)
    first = 0
    for size in sizes:
        _hold(waiting, maturing, first, size)
        first += size
    passed: list[Place] = []
    for now in sorted(asked):
        passed += maturing.passed(now)
        rows = [held.first_row + at for held, at in passed]
        assert rows == list(range(max(0, min(first, now - window_s))))


def _hold(waiting: WaitingRows, maturing: MaturingRows, first: int, size: int) -> None:
    ids = pl.Series("id", [f"p{first + at}" for at in range(size)], dtype=pl.String)
    rows = log(ids).with_columns((pl.col("at") + first).alias("at"), pl.lit(1).alias("prediction"))
    waiting.add(rows, first_row=first, end=float(first + size))
    maturing.hold(waiting.newest)


@given(st.lists(st.integers(0, 400), max_size=300), st.integers(1, 20))
def test_labels_without_a_prediction_are_bounded_and_those_let_go_are_counted(rows: list[int], keep: int) -> None:
    waiting = WaitingRows(keep_rows=keep)
    ids = [f"p{row}" for row in rows]
    for start in range(0, len(ids), 7):
        waiting.label(pl.DataFrame({"id": ids[start : start + 7], "label": [1] * len(ids[start : start + 7])}))
        assert waiting.waiting_labels <= keep
    assert waiting.total.unmatched == len(rows)
    assert waiting.waiting_labels + waiting.total.forgotten <= len(rows)
    assert waiting.waiting_labels >= min(keep, len(set(rows)))


def test_of_labels_without_a_prediction_the_oldest_are_let_go() -> None:
    waiting = WaitingRows(keep_rows=2)
    waiting.label(pl.DataFrame({"id": ["p0", "p1", "p2"], "label": [1, 1, 1]}))
    ids = pl.Series("id", ["p0", "p1", "p2"], dtype=pl.String)
    matured = waiting.add(log(ids).with_columns(pl.lit(1).alias("prediction")), first_row=0, end=3.0)
    assert [at for _, at in matured] == [1, 2]
    assert waiting.total.forgotten == 1


@given(st.integers(1, 5), st.integers(0, 100), st.integers(1, 40))
def test_rows_held_are_bounded_without_any_label(keep: int, window_s: int, panes: int) -> None:
    waiting = WaitingRows(keep_rows=keep, label_window_s=window_s)
    for at in range(panes):
        ids = pl.Series("id", [f"p{at * 10 + row}" for row in range(10)], dtype=pl.String)
        rows = log(ids).with_columns(pl.lit(1).alias("prediction"))
        waiting.add(rows, first_row=at * 10, end=float(at * 10 + 10))
        assert sum(waiting.find(f"p{row}") is not None for row in range(at * 10 + 10)) == waiting.held_rows
        assert waiting.held_rows <= max(MOST_HELD * keep, window_s) + 30
        young = max(0, at * 10 + 10 - window_s)
        assert all(waiting.find(f"p{row}") is not None for row in range(young, at * 10 + 10))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=200), st.integers(1, 10))
def test_pairs_that_wait_are_bounded_and_each_is_judged_dropped_or_waiting(
    events: list[tuple[bool, int]], most: int
) -> None:
    pairs, added = WaitingPairs(task="binary", most=most), set()
    for number, (is_label, row) in enumerate(events):
        if is_label:
            pairs.labelled(f"p{row}", 1, 1)
        elif not pairs.waits(f"p{row}"):
            pairs.add(f"p{row}", "r2", number % 2)
            added.add(number)
        waiting = sum(pairs.waits(f"p{each}") for each in range(61))
        assert waiting <= most
        judged = pairs.evidence["r2"].pairs if pairs.evidence else 0
        assert judged + pairs.forgotten + waiting == len(added)
