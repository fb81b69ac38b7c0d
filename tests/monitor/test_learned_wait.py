"""Without a label window: rows in their order, once they have waited as long as labels were seen to take."""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.monitor.streams import log, segment
from tests.monitor.test_maturing import ROWS, stream, watcher
from tests.monitor.test_watch import fed, world

from flyball.core.watching import WindowReport
from flyball.monitor.labels import MOST_HELD, Place, WaitingRows
from flyball.monitor.learned_wait import LearnedWait


def joined(
    delays: Sequence[int | None], *, keep_rows: int = 1000
) -> Iterator[tuple[LearnedWait, WaitingRows, list[Place]]]:
    """One row a second in panes of ten; what has passed after each pane."""
    waiting, learned, passed = WaitingRows(keep_rows=keep_rows), LearnedWait(), list[Place]()
    due: dict[int, list[str]] = {}
    for row, delay in enumerate(delays):
        if delay is not None:
            due.setdefault((row + delay) // 10, []).append(f"p{row}")
    for pane in range(len(delays) // 10):
        ids = pl.Series("id", [f"p{pane * 10 + row}" for row in range(10)], dtype=pl.String)
        rows = log(ids).with_columns((pl.col("at") + pane * 10).alias("at"), pl.lit(1).alias("prediction"))
        labelled = waiting.add(rows, first_row=pane * 10, end=pane * 10 + 10.0)
        learned.hold(waiting.newest)
        told = due.get(pane, [])
        labelled += waiting.label(pl.DataFrame({"id": told, "label": [1] * len(told)}))
        now = pane * 10 + 10.0
        learned.arrive(labelled, now)
        passed += learned.passed(now, oldest_row=waiting.oldest_row)
        yield learned, waiting, passed


@given(st.lists(st.one_of(st.none(), st.integers(0, 300)), min_size=40, max_size=400), st.integers(1, 200))
def test_each_row_passes_once_in_order_and_at_the_latest_when_the_join_lets_go_of_it(
    delays: list[int | None], keep_rows: int
) -> None:
    ours = len(delays) // 10 * 10
    rows: list[int] = []
    for _, waiting, passed in joined([*delays[:ours], *[0] * (keep_rows + 20)], keep_rows=keep_rows):
        rows = [held.first_row + at for held, at in passed]
        assert rows == list(range(len(rows)))
        assert len(rows) >= waiting.oldest_row
    assert len(rows) >= ours  # labelled ones enough stand behind them, so the join holds none of them any more


@given(st.lists(st.integers(0, 300), min_size=100, max_size=200), st.integers(1, 50))
def test_a_row_that_leaves_the_join_sooner_than_labels_take_is_judged_with_each_label_that_found_it(
    delays: list[int], keep_rows: int
) -> None:
    told, judged = 0, list[bool]()
    for learned, waiting, passed in joined([*delays[: len(delays) // 10 * 10], *[0] * 80], keep_rows=keep_rows):
        learned.wait_s, learned._next_look = None, 10**9  # nobody ever waits for as long as labels take
        told = waiting.total.new
        judged += [held.labels[at] is not None for held, at in passed[len(judged) :]]
    still = sum(held.labelled for held in (pane.held for pane in learned._waiting))
    assert sum(judged) + still == told


def test_rows_whose_labels_are_all_here_wait_for_nothing() -> None:
    for pane, (_, _, passed) in enumerate(joined([100] * 500)):
        assert len(passed) == max(0, pane - 9) * 10


def test_rows_that_never_get_a_label_hold_nobody_up_once_it_is_known_how_long_labels_take() -> None:
    first, rows = None, 0
    for pane, (learned, _, passed) in enumerate(joined([None if row % 2 else 60 for row in range(1000)])):
        first = pane if first is None and passed else first
        rows = len(passed)
        assert learned.wait_s is None or learned.wait_s < 120
    assert first is not None
    assert first <= 20  # seen for twice as long as labels take, to within a third
    assert rows >= 880  # of 1,000: the others are younger than the wait


def test_without_any_label_rows_pass_when_the_join_lets_go_of_them_and_memory_has_an_end() -> None:
    for learned, waiting, passed in joined([None] * 30_000):
        assert len(passed) == waiting.oldest_row
        assert len(learned._panes) == len(learned._waiting) <= MOST_HELD * 1000 / 10 + 2
        assert waiting.held_rows <= MOST_HELD * 1000 + 10


def reports(delay: Callable[[int, bool], int | None], rows: int = 12_000) -> list[WindowReport]:
    table = world(np.random.default_rng(3), rows, right=0.9)
    right = (table["prediction"] == table["label"]).to_list()
    return fed(watcher(0), stream(table, [delay(row, each) for row, each in enumerate(right)]))


def test_what_was_judged_by_a_wait_that_was_too_short_is_dropped() -> None:
    """For 1,500 s only wrong answers have a label; then the labels of the right ones come."""
    found = reports(lambda _, right: 1500 if right else 10)
    values = [each.metric.value for each in found if each.metric]
    assert len(values) >= 8
    assert all(value == pytest.approx(0.9, abs=0.03) for value in values)


def test_a_loss_among_the_few_rows_that_have_a_label_so_far_is_told_and_not_acted_on() -> None:
    """A first release, whose right answers get their label only after a window of wrong ones has come."""
    late = reports(lambda row, right: 11_000 if right else 10)
    told = [each for report in late for each in report.signals if each.signal == "risk"]
    assert {each.level for each in told} == {"warn"}
    assert "only 10% of the rows have a label" in told[0].detail


def test_delays_that_follow_a_law_of_their_own_for_right_and_wrong_answers_do_not_move_the_metric() -> None:
    dice = np.random.default_rng(5)
    found = reports(lambda _, right: int(dice.exponential(300 if right else 30)))
    assert [each for report in found for each in report.signals if each.signal == "risk"] == []
    values = [each.metric.value for each in found if each.metric]
    assert np.mean(values) == pytest.approx(0.9, abs=0.01)


def test_a_real_loss_is_seen_as_soon_as_its_labels_are_in() -> None:
    table = pl.concat(
        [world(np.random.default_rng(3), 4000, right=0.9), world(np.random.default_rng(4), 6000, right=0.7)]
    )
    found = fed(watcher(0), stream(table, [500] * table.height))
    fired = [report.last_row for report in found if any(each.signal == "risk" for each in report.signals)]
    assert 4000 <= fired[0] <= 4000 + 500 + 2 * 1000


def test_a_real_loss_is_seen_where_wrong_answers_are_told_last() -> None:
    """A wait of 95 % of the labels would miss three wrong answers in ten: 0.87 in place of 0.83, no signal."""
    dice = np.random.default_rng(5)
    table = world(np.random.default_rng(3), 8000, right=0.83)
    right = (table["prediction"] == table["label"]).to_list()
    found = fed(watcher(0), stream(table, [int(dice.exponential(100 if each else 1000)) for each in right]))
    values = [each.metric.value for each in found if each.metric]
    assert len(values) >= 3
    assert np.mean(values) == pytest.approx(0.83, abs=0.02)
    assert [each.level for report in found for each in report.signals if each.signal == "risk"] == ["act"] * len(values)


@pytest.mark.parametrize(("labelled", "mean_s"), [(1.0, 1000), (0.5, 2000)])
def test_labels_that_take_longer_than_the_join_can_hold_rows_are_judged_all_the_same(
    labelled: float, mean_s: float
) -> None:
    """It holds 2,000 labelled rows and those that lie between them; one label in twenty takes longer than that."""
    dice, rows = np.random.default_rng(1), 20_000
    table = pl.concat(
        [world(np.random.default_rng(3), rows // 2, right=0.9), world(np.random.default_rng(4), rows // 2, right=0.6)]
    )
    delays = [int(dice.exponential(mean_s)) if dice.random() < labelled else None for _ in range(rows)]
    seen = watcher(0)
    seen._rows.keep_rows = 2000
    found = fed(seen, stream(table, delays))
    covered = [each.metric_rows for each in found if each.metric_rows]
    assert covered[0][0] < ROWS
    assert all(later[0] > before[1] for before, later in pairwise(covered))
    judged = sum(each.metric.n for each in found if each.metric) + sum(each.unlabelled for each in found)
    assert judged == pytest.approx(seen._rows.oldest_row, abs=1500)  # each once, but for those of a window not yet full
    fired = [each.last_row for each in found if any(one.signal == "risk" for one in each.signals)]
    assert rows // 2 < fired[0] < rows // 2 + 8000


def test_a_surge_of_traffic_whose_quick_labels_come_first_is_no_loss() -> None:
    """Twenty rows a second in place of one, from row 4,000 on."""
    table = world(np.random.default_rng(3), 24_000, right=0.9)
    right = (table["prediction"] == table["label"]).to_list()
    at = np.concatenate([np.arange(4000.0), 4000 + np.arange(20_000) / 20])
    due = at + np.where(right, 300.0, 10.0)
    ids = pl.Series("id", [f"p{row}" for row in range(table.height)], dtype=pl.String)
    rows = log(ids).with_columns(table["prediction"], table["score"], table["a"].alias("x.a"), pl.Series("at", at))
    seen, found, told = watcher(0), list[WindowReport](), 0
    order = np.argsort(due, kind="stable")
    for pane in range(table.height // ROWS):
        part = rows[pane * ROWS : (pane + 1) * ROWS]
        end = float(at[(pane + 1) * ROWS - 1]) + 0.05
        upto = int(np.searchsorted(due[order], end))
        ready = order[told:upto].tolist()
        told = max(told, upto)
        labels = pl.DataFrame({"id": ids[ready], "label": table["label"][ready], "at": due[ready]})
        one = segment(pane, part, labels, first_row=pane * ROWS)
        timed = replace(one.pane, start=float(part["at"][0]), end=end)
        found += fed(seen, [replace(one, pane=timed)])
    values = [each.metric.value for each in found if each.metric]
    assert len(values) >= 8
    assert all(value == pytest.approx(0.9, abs=0.04) for value in values)
    assert [each for report in found for each in report.signals if each.signal == "risk"] == []
    covered = [each.metric_rows for each in found if each.metric_rows]
    assert all(later[0] > before[1] for before, later in pairwise(covered))
