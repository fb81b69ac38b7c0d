"""The log as tables: what is sealed and what is not, panes of several contracts, and every row once."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.prediction_log.test_segments import TABLES, log, record

from flyball.adapters.prediction_log.labels import SqliteLabels, labels_of
from flyball.adapters.prediction_log.query import tables
from flyball.core.log_tables import LogTables
from flyball.core.prediction import LabelRecord, ShadowRecord


def shadow(number: int) -> ShadowRecord:
    return ShadowRecord(
        id=f"s.{number}", at=1.0, release="sha256:b", epoch=1, error=False, slow=False, prediction=0, service_ms=2.0
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=5))
@settings(max_examples=15, deadline=None)
def test_every_row_is_there_once_in_its_order_whatever_is_sealed(panes: list[tuple[int, bool]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        writer, number = log(Path(name)), 0
        for index, (rows, tidy) in enumerate(panes):
            writer.append(index, [record(number + i) for i in range(rows)], [])
            number += rows
            if index + 1 < len(panes):  # the last one stays open
                frames = (Path(name) / "s" / f"{index:010d}.frames").read_bytes()
                writer.seal(index, start=0.0, end=1.0, received=rows, labels=[])
                if not tidy:  # killed before the frames were removed
                    (Path(name) / "s" / f"{index:010d}.frames").write_bytes(frames)
        found = tables(Path(name) / "s")["predictions"].collect()
        assert found["id"].to_list() == [f"s.{i}" for i in range(number)]
        if panes:
            assert found.schema.items() >= {"score": pl.Float64(), "prediction": found.schema["prediction"]}.items()


def test_panes_of_an_older_contract_have_the_columns_that_they_had(tmp_path: Path) -> None:
    old = log(tmp_path, LogTables(features={"amount": pl.Int64()}, answer=pl.Int64()))
    old.append(0, [record(1, features={"amount": 7})], [])
    old.seal(0, start=0.0, end=1.0, received=1, labels=[])
    new = log(tmp_path)
    new.append(1, [record(2, scores={"a": 0.25, "b": 0.75})], [])
    new.seal(1, start=1.0, end=2.0, received=1, labels=[])
    new.append(2, [record(3, scores={"c": 1.0})], [shadow(3)])
    found = tables(tmp_path / "s")
    rows = found["predictions"].collect()
    assert rows["x.amount"].to_list() == [7.0, 2.0, 3.0]
    assert rows["x.card"].to_list() == [None, "h:1", "h:1"]
    assert [row and row["c"] for row in rows["scores"].to_list()] == [None, None, 1.0]
    assert found["shadows"].collect()["id"].to_list() == ["s.3"]


def test_a_log_that_has_sealed_nothing_yet_finds_its_dtypes_in_its_values(tmp_path: Path) -> None:
    assert tables(tmp_path / "s")["predictions"].collect().is_empty()
    writer = log(tmp_path)
    writer.append(0, [record(1), record(2, prediction=None, features={"amount": None, "on": "2026-01-03"})], [])
    rows = tables(tmp_path / "s")["predictions"].collect()
    assert rows["prediction"].to_list() == [1, None]
    assert rows["x.amount"].to_list() == [1.0, None]
    assert rows["x.on"].to_list() == ["2026-01-02", "2026-01-03"]


def test_labels_that_wait_for_their_pane_are_there_too(tmp_path: Path) -> None:
    writer = log(tmp_path)
    book = SqliteLabels(tmp_path / "s" / "labels.db")
    book.put([LabelRecord(id="s.1", label=1, at=5.0)])
    writer.append(0, [record(1)], [])
    writer.seal(0, start=0.0, end=1.0, received=1, labels=book.take(0))
    book.put([LabelRecord(id="s.1", label=0, at=9.0)])
    assert tables(tmp_path / "s")["labels"].collect().rows() == [("s.1", 1, 5.0), ("s.1", 0, 9.0)]
    assert [(each.label, each.at) for each in labels_of(tmp_path / "s", "s.1")] == [(1, 5.0), (0, 9.0)]
    assert labels_of(tmp_path, "s.1") == []
    book.close()


@pytest.mark.parametrize(
    ("since", "until", "ids"), [(150.0, None, [2, 3]), (None, 200.0, [0, 1]), (100.0, 300.0, [1, 2])]
)
def test_a_span_of_time_leaves_out_rows_and_whole_folders(
    tmp_path: Path, since: float | None, until: float | None, ids: list[int]
) -> None:
    writer = log(tmp_path)
    for index in range(4):
        writer.append(index, [record(index, at=100.0 * index)], [])
        writer.seal(index, start=100.0 * index, end=100.0 * index + 10, received=1, labels=[])
    seen: list[int] = []
    found = tables(tmp_path / "s", ("predictions",), since=since, until=until, advance=seen.append)
    assert found["predictions"].collect()["id"].to_list() == [f"s.{i}" for i in ids]
    assert sum(seen) <= 4
    assert TABLES.answer == found["predictions"].collect().schema["prediction"]


def test_a_label_that_came_after_the_span_belongs_to_its_row_all_the_same(tmp_path: Path) -> None:
    writer = log(tmp_path)
    for index, at in enumerate((0.0, 90_000.0)):
        writer.append(index, [record(index, at=at)], [])
        label = LabelRecord(id="s.0", label=1, at=at)
        writer.seal(index, start=at, end=at + 1, received=1, labels=[label] if index else [])
    found = tables(tmp_path / "s", since=0.0, until=10.0)
    assert found["predictions"].collect()["id"].to_list() == ["s.0"]
    assert found["labels"].collect()["id"].to_list() == ["s.0"]
