"""The label book: idempotent, corrections kept, each line handed on in exactly one pane."""

import sqlite3
from contextlib import closing
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.adapters.prediction_log.labels import SqliteLabels, labels_of
from flyball.core.errors import Unavailable
from flyball.core.prediction import LabelRecord


def label(name: str, value: str | float | int | bool, at: float = 1.0) -> LabelRecord:
    return LabelRecord(id=name, label=value, at=at)


def test_new_duplicate_and_corrected_are_told_apart(tmp_path: Path) -> None:
    book = SqliteLabels(tmp_path / "labels.db")
    assert book.put([label("a", 1), label("b", "x"), label("a", 1)]) == (2, 1, 0)
    assert book.put([label("a", 1.0), label("a", 0, 2.0), label("b", "x")]) == (0, 2, 1)
    assert book.put([label("a", 1, 3.0)]) == (0, 0, 1)  # back again is a correction too


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_latest_time_stands_in_whatever_order_labels_come(tmp_path: Path, order: tuple[int, ...]) -> None:
    """A label that is sent again for a later time is not forgotten: what is older than that changes nothing."""
    sent = [label("a", 1, 10.0), label("a", 1, 30.0), label("a", 0, 20.0)]
    book = SqliteLabels(tmp_path / "labels.db")
    for at in order:
        book.put([sent[at]])
    assert labels_of(tmp_path, "a")[-1].label == 1
    assert book.put([label("a", 0, 25.0), label("a", 1, 40.0)]) == (0, 2, 0)
    assert book.put([label("a", 0, 41.0)]) == (0, 0, 1)
    assert labels_of(tmp_path, "a")[-1].label == 0


def test_of_each_prediction_the_first_label_is_told_once(tmp_path: Path) -> None:
    book, told = SqliteLabels(tmp_path / "labels.db"), list[LabelRecord]()
    book.on_first = told.append
    book.put([label("a", 1), label("a", 0, 2.0), label("b", 1, 5.0)])
    book.put([label("a", 0), label("b", 2, 6.0)])
    assert [(each.id, each.at) for each in told] == [("a", 1.0), ("b", 5.0)]
    assert book.forget(1) == 0  # they wait for a pane
    book.take(0)
    assert book.forget(1) == 4
    assert book.put([label("a", 1)]) == (1, 0, 0)


def test_a_label_travels_in_one_pane_however_often_that_pane_is_sealed(tmp_path: Path) -> None:
    path = tmp_path / "labels.db"
    book = SqliteLabels(path)
    book.put([label("a", 1), label("b", 0)])
    first = book.take(3)
    book.put([label("a", 0, 2.0)])
    again = SqliteLabels(path)  # after a crash
    assert again.take(3)[:2] == first
    assert again.take(4) == []
    assert (again.waiting(), again.newest_pane()) == (0, 3)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2)), max_size=30), st.integers(1, 5))
def test_every_change_is_handed_on_once_in_order(events: list[tuple[str, int]], every: int) -> None:
    book = SqliteLabels(Path(":memory:"))
    told: list[LabelRecord] = []
    for number, (name, value) in enumerate(events):
        book.put([label(name, value, float(number))])
        if number % every == 0:
            told += book.take(number)
    told += book.take(len(events))
    latest: dict[str, int] = {}
    expected = []
    for number, (name, value) in enumerate(events):
        if latest.get(name) != value:
            expected.append(label(name, value, float(number)))
        latest[name] = value
    assert told == expected
    book.close()


def test_a_book_that_somebody_else_holds_is_unavailable_and_works_again_afterwards(tmp_path: Path) -> None:
    book = SqliteLabels(tmp_path / "labels.db", busy_s=0.01)
    with closing(sqlite3.connect(tmp_path / "labels.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable, match="locked"):
            book.put([label("a", 1)])
        with pytest.raises(Unavailable, match="locked"):
            book.take(0)
        other.execute("DROP TABLE labels")
        other.execute("COMMIT")
    for refused in (book.waiting, book.newest_pane, lambda: book.put([label("a", 1)])):
        with pytest.raises(Unavailable, match="no such table"):
            refused()
    assert SqliteLabels(tmp_path / "labels.db").put([label("a", 1)]) == (1, 0, 0)
    assert book.take(0) == [label("a", 1)]  # the failed transaction did not stay open
