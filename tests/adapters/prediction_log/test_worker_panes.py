"""Panes of several workers as one stream: every row and label once, in one order, wherever the writer is killed."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.serving.parts import CONTRACT

from flyball.adapters.prediction_log.labels import SqliteLabels
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.adapters.prediction_log.worker_panes import WorkerPanes, worker_folder
from flyball.core.log_tables import log_tables
from flyball.core.prediction import LabelRecord, PredictionRecord

TABLES = log_tables(CONTRACT, label="fraud", task="binary")


def record(name: str, at: float) -> PredictionRecord:
    return PredictionRecord(
        id=name, at=at, unit=name, arm="champion", release="r", epoch=1, outcome="answered", prediction=1
    )


class World:
    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shop"
        self.folder.mkdir()
        self.labels = SqliteLabels(self.folder / "labels.db")
        self.ids: list[str] = []

    def seal(self, worker: int, index: int, end: float, rows: int = 2) -> None:
        log = SegmentLog(worker_folder(self.folder, worker), "shop", TABLES)
        names = [f"w{worker}-{index}-{i}" for i in range(rows)]
        log.append(index, [record(name, end) for name in names], [])
        log.seal(index, start=end - 1, end=end, received=rows, labels=())
        self.ids += names

    def panes(self, now: float = 0.0) -> WorkerPanes:
        return WorkerPanes(self.folder, "shop", TABLES, self.labels, now=lambda: now)

    def stream(self) -> tuple[list[str], list[str]]:
        """Ids of predictions and of labels, in order; rows and indices follow one another."""
        row, predictions, labels = 0, list[str](), list[str]()
        for place, segment in enumerate(Segments(self.folder.parent).sealed("shop", -1)):
            assert (segment.pane.index, segment.pane.first_row) == (place, row)
            row += segment.pane.written
            predictions += segment.predictions["id"].to_list()
            labels += segment.labels["id"].to_list()
        return predictions, labels


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_panes_come_in_the_order_in_which_they_ended_and_labels_once(world: World) -> None:
    panes = world.panes()
    world.seal(1, 0, end=10.0)
    world.seal(0, 0, end=11.0)
    world.labels.put([LabelRecord(id="w0-0-0", label=1, at=11.5)])
    world.seal(1, 1, end=12.0)
    assert panes.take_over() == 3
    assert panes.take_over() == 0
    world.labels.put([LabelRecord(id="w0-0-1", label=0, at=20.0)])
    assert panes.take_over() == 1  # a pane for the label alone
    predictions, labels = world.stream()
    assert predictions == ["w1-0-0", "w1-0-1", "w0-0-0", "w0-0-1", "w1-1-0", "w1-1-1"]
    assert labels == ["w0-0-0", "w0-0-1"]
    for worker, newest in ((0, 0), (1, 1)):  # an index is never used twice, and nothing else is kept
        left = SegmentLog(worker_folder(world.folder, worker), "shop", TABLES)
        assert (left.last_sealed(), left.next_index()) == (newest, newest + 1)
        assert len(list(worker_folder(world.folder, worker).iterdir())) == 1


@pytest.mark.parametrize("line", range(14))
def test_a_kill_at_any_line_is_repaired_by_the_next_start(
    world: World, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.seal(0, 0, end=10.0)
    world.seal(1, 0, end=11.0)
    world.labels.put([LabelRecord(id="w0-0-0", label=1, at=11.5)])
    left = line

    def fragile(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KeyboardInterrupt
            return real(*args, **kwargs)

        return call

    monkeypatch.setattr(os, "link", fragile(os.link))
    for name in ("rename", "unlink", "write_bytes", "mkdir"):
        monkeypatch.setattr(Path, name, fragile(getattr(Path, name)))
    with pytest.raises(KeyboardInterrupt):
        world.panes().take_over()
    monkeypatch.undo()
    world.panes().take_over()
    world.panes().take_over()
    predictions, labels = world.stream()
    assert predictions == ["w0-0-0", "w0-0-1", "w1-0-0", "w1-0-1"]
    assert labels == ["w0-0-0"]


def test_a_disk_that_refuses_for_a_while_makes_no_row_come_twice(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    panes = world.panes()
    world.seal(0, 0, end=10.0)

    def refuses(path: Path, missing_ok: bool = False) -> None:
        raise OSError("no")

    monkeypatch.setattr(Path, "unlink", refuses)
    with pytest.raises(OSError, match="no"):
        panes.take_over()
    monkeypatch.undo()
    assert panes.take_over() == 0
    assert world.stream()[0] == ["w0-0-0", "w0-0-1"]
    assert isinstance(pl.read_parquet(world.folder / "0000000000" / "predictions.parquet"), pl.DataFrame)
    shutil.rmtree(world.folder)


def test_a_pane_of_labels_alone_is_of_now_and_not_of_what_the_labels_say(world: World) -> None:
    """Red before: a label that was known yesterday made a pane of yesterday, and marks and budgets went back to it."""
    panes = world.panes()
    world.seal(0, 0, end=20.0)
    assert panes.take_over() == 1
    world.labels.put([LabelRecord(id="w0-0-0", label=1, at=1.5)])
    assert panes.take_over() == 1
    *_, newest = Segments(world.folder.parent).sealed("shop", -1)
    assert (newest.pane.start, newest.pane.end, newest.pane.written) == (20.0, 20.0, 0)
    world.labels.put([LabelRecord(id="w0-0-1", label=1, at=1.5)])
    assert world.panes().take_over() == 1  # a writer that starts anew knows it too
    *_, newest = Segments(world.folder.parent).sealed("shop", -1)
    assert newest.pane.end == 20.0
    world.labels.put([LabelRecord(id="w0-0-1", label=0, at=9e9)])
    assert world.panes(now=30.0).take_over() == 1
    *_, newest = Segments(world.folder.parent).sealed("shop", -1)
    assert newest.pane.end == 30.0, "and no label of the future takes it along"
