"""Late, repeated, corrected and early labels; what may be learned from; a flat cost as history grows."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from tests.monitor.streams import log

from flyball.core.prediction import LabelRecord
from flyball.monitor.labels import ROW, Arrivals, WaitingRows


def pane(first: int, rows: int = 10, *, outcome: str = "answered") -> pl.DataFrame:
    ids = pl.Series("id", [f"p{first + at}" for at in range(rows)], dtype=pl.String)
    return log(ids, outcome=outcome).with_columns(
        pl.Series("x.a", [float(first + at) for at in range(rows)]), pl.lit(1).alias("prediction")
    )


def held(panes: int = 3, *, keep_rows: int = 10_000) -> WaitingRows:
    waiting = WaitingRows(keep_rows=keep_rows)
    for at in range(panes):
        waiting.add(pane(at * 10), first_row=at * 10, end=float(at * 10 + 10))
    return waiting


def label(row: int, value: int = 1) -> LabelRecord:
    return LabelRecord(id=f"p{row}", label=value, at=0.0)


def test_a_label_matures_its_row_once() -> None:
    waiting = held()
    assert len(waiting.label([label(3)])) == 1
    assert waiting.label([label(3)]) == []
    assert waiting.total == Arrivals(new=1, duplicate=1)


def test_a_corrected_label_replaces_the_first_one_in_what_is_learned() -> None:
    waiting = held()
    waiting.label([label(3, 0)])
    waiting.label([label(3, 1)])
    assert waiting.total.corrected == 1
    captured = waiting.captured(10, None, label="y")
    assert captured is not None
    assert captured["y"].to_list() == [1]


def test_a_label_that_comes_before_its_prediction_waits_for_it() -> None:
    waiting = held(1)
    assert waiting.label([label(15)]) == []
    matured = waiting.add(pane(10), first_row=10, end=20.0)
    assert [(pane.first_row, at) for pane, at in matured] == [(10, 5)]


def test_captured_rows_are_raw_features_label_and_position_oldest_first() -> None:
    waiting = held()
    waiting.label([label(25), label(4), label(13)])
    captured = waiting.captured(2, None, label="y")
    assert captured is not None
    assert captured[ROW].to_list() == [13, 25]
    assert captured["a"].to_list() == [13.0, 25.0]
    assert waiting.matured_rows(5) == 2


def test_rows_that_the_contract_did_not_accept_are_not_learned_from() -> None:
    waiting = held(0)
    waiting.add(pane(0, outcome="quarantined"), first_row=0, end=10.0)
    waiting.add(pane(10, outcome="fallback"), first_row=10, end=20.0)
    waiting.label([label(1), label(11)])
    captured = waiting.captured(10, None, label="y")
    assert captured is not None
    assert captured[ROW].to_list() == [11]
    assert waiting.matured_rows(0) == 1


def test_nothing_labelled_is_no_frame() -> None:
    assert held().captured(10, None, label="y") is None


def test_old_panes_are_let_go_once_enough_stands_behind_them() -> None:
    waiting = held(0, keep_rows=20)
    for at in range(100):
        waiting.add(pane(at * 10), first_row=at * 10, end=float(at * 10 + 10))
        waiting.label([label(at * 10 + row) for row in range(10)])
    assert waiting.find("p0") is None
    captured = waiting.captured(1000, None, label="y")
    assert captured is not None
    assert 20 <= captured.height <= 40


@given(st.permutations([label(row, row % 2) for row in range(30)]), st.integers(0, 29))
def test_neither_order_nor_batches_of_labels_change_what_is_captured(labels: list[LabelRecord], cut: int) -> None:
    one, two = held(), held()
    one.label(labels)
    two.label(labels[cut:])
    two.label(labels[:cut])
    first, second = one.captured(100, None, label="y"), two.captured(100, None, label="y")
    assert first is not None
    assert second is not None
    assert first.equals(second)
    assert one.total.new == two.total.new == 30
