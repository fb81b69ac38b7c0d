"""The log under pressure and after a crash: received = written + dropped, to the row."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from tests.serving.parts import CONTRACT, routing
from tests.serving.stage import until

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log.disk import Disk
from flyball.adapters.prediction_log.labels import SqliteLabels
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.core.declared.serving import PredictionLog
from flyball.core.log_tables import log_tables
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import SLOT_BYTES, Slot
from flyball.serving.serve.answering.capture import Capture
from flyball.serving.serve.workers.counters import mapped_slot
from flyball.serving.unread import Unread

TABLES = log_tables(CONTRACT, label="fraud", task="binary")


def records(count: int, start: int = 0) -> list[PredictionRecord]:
    return [
        PredictionRecord(
            id=f"shop.{i}",
            at=float(i),
            unit="u",
            arm="champion",
            release="a",
            epoch=1,
            outcome="answered",
            prediction=1,
        )
        for i in range(start, start + count)
    ]


class FullDisk(SegmentLog):
    """Refuses to write while it is told so: the fault that a full disk is, at the port."""

    full = True

    def append(self, index: int, predictions: object, shadows: object, unread: object = ()) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().append(index, predictions, shadows, unread)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def as_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test says to a disk is not for the next."""
    monkeypatch.setattr(FullDisk, "full", True)
    monkeypatch.setattr(Jammed, "jammed", None)


class Desk:
    """A capture over real files."""

    def __init__(
        self,
        folder: Path,
        buffer: bytearray,
        *,
        log: type[SegmentLog] = SegmentLog,
        capacity: int = 1000,
        pane_s: float = 3600.0,
        policy: PredictionLog | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.folder = folder
        self.accounting = Accounting(Slot(buffer))
        self.accounting.route(routing())
        policy = policy or PredictionLog()
        self.log = log(folder / "shop", "shop", TABLES, fsync=policy.fsync, disk=disk)
        self.labels = SqliteLabels(folder / "labels.db", busy_s=0.01)
        self.said: list[str] = []
        self.capture = Capture(
            self.log,
            self.labels,
            self.accounting,
            SystemClock(),
            pane_s=pane_s,
            complain=self.said.append,
            capacity_rows=capacity,
            policy=policy,
        )

    def sums(self) -> tuple[int, int, int]:
        slot = self.accounting.slot
        return slot.count("received"), slot.count("written"), slot.count("dropped")

    def holds(self, rows: int) -> None:
        until(lambda: self.sums()[1] == rows, f"{rows} rows are in the log")

    def panes(self) -> list[tuple[int, int, int]]:
        sealed = Segments(self.folder).sealed("shop", -1)
        return [(segment.pane.received, segment.pane.written, segment.pane.dropped) for segment in sealed]


def test_all_that_was_offered_is_in_the_sealed_pane(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES))
    desk.capture.start()
    for i in range(7):
        desk.capture.offer(records(10, 10 * i))
    desk.capture.offer_shadows([ShadowRecord(id="shop.1", at=1.0, release="b", epoch=1, error=False, slow=False)])
    desk.labels.put([LabelRecord(id="shop.1", label=1, at=2.0)])
    desk.capture.stop()
    assert desk.sums() == (70, 70, 0)
    assert desk.panes() == [(70, 70, 0)]
    (segment,) = Segments(tmp_path).sealed("shop", -1)
    assert segment.predictions["id"].to_list() == [f"shop.{i}" for i in range(70)]
    assert (segment.shadows.height, segment.labels.height) == (1, 1)


def test_what_the_ring_cannot_hold_is_dropped_and_counted(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES), capacity=15)
    desk.accounting.open_pane(0)
    for i in range(3):
        desk.capture.offer(records(10, 10 * i))  # the writer has not begun: the second and third find no room
    desk.capture._thread.start()
    desk.capture.stop()
    assert desk.sums() == (30, 10, 20)
    assert desk.panes() == [(30, 10, 20)]


def test_a_full_disk_costs_records_never_the_count_of_them(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES), log=FullDisk)
    desk.capture.start()
    desk.capture.offer(records(10))
    until(lambda: desk.said, "the writer complains")
    FullDisk.full = False
    desk.capture.offer(records(5, 10))
    desk.capture.stop()
    assert desk.sums() == (15, 5, 10)
    assert desk.panes() == [(15, 5, 10)]
    assert "No space left" in desk.said[0]


@pytest.mark.parametrize("written", [0, 4])
def test_a_killed_writer_leaves_a_loss_that_is_counted(tmp_path: Path, written: int) -> None:
    file = bytearray(SLOT_BYTES)
    killed = Desk(tmp_path, file)
    killed.accounting.open_pane(0)
    killed.accounting.received(9)
    killed.accounting.dropped(2)
    if written:
        killed.log.append(0, records(written), [])  # on disk, but the process died before it counted them
    again = Desk(tmp_path, file)
    again.capture.start()
    assert again.panes() == [(9, written, 9 - written)]
    assert again.sums() == (9, written, 9 - written)
    again.capture.offer(records(3, 100))
    again.capture.stop()
    assert again.sums() == (12, written + 3, 9 - written)
    assert again.panes() == [(9, written, 9 - written), (3, 3, 0)]


def test_a_crash_between_two_panes_mixes_nothing(tmp_path: Path) -> None:
    file = bytearray(SLOT_BYTES)
    killed = Desk(tmp_path, file)
    killed.accounting.open_pane(0)
    killed.accounting.received(6)
    killed.log.append(0, records(6), [])
    killed.accounting.written(6)
    killed.labels.put([LabelRecord(id="shop.1", label=1, at=1.0)])
    killed.labels.take(0)
    killed.accounting.open_pane(1)  # the next pane is open, the last not yet sealed
    killed.accounting.received(5)
    killed.log.append(1, records(2, 6), [])
    again = Desk(tmp_path, file)
    again.capture.start()
    again.capture.stop()
    assert again.panes() == [(6, 6, 0), (5, 2, 3)]
    assert again.sums() == (11, 8, 3)
    assert [segment.labels.height for segment in Segments(tmp_path).sealed("shop", -1)] == [1, 0]


class Killed(Exception):
    """The process is gone."""


class Mortal:
    """Integers of a slot whose process dies at a store."""

    def __init__(self, ints: Any, stores: int) -> None:
        self._ints, self.left = ints, stores

    def __getitem__(self, at: Any) -> Any:
        return self._ints[at]

    def __setitem__(self, at: Any, value: Any) -> None:
        if not self.left:
            raise Killed
        self.left -= 1
        self._ints[at] = value


def life(desk: Desk, stores: int) -> int:
    """Two panes and the beginning of a third, until that many counters have been stored; returns how many were left."""
    counting = desk.accounting
    mortal = Mortal(counting._ints, stores)
    counting._ints = cast("Any", mortal)
    with contextlib.suppress(Killed):
        for index in range(3):
            counting.open_pane(index)
            if index and (before := counting.pane(index - 1)):
                counting.lost(index - 1, 1)  # its last row could not be written
                desk.log.seal(index - 1, start=0.0, end=1.0, received=before[0], labels=[])
            counting.received(9)
            counting.dropped(2)
            desk.log.append(index, records(6, 10 * index), [])
            counting.written(6)
    return mortal.left


def test_a_kill_between_any_two_counters_leaves_sums_that_the_disk_bears_out(tmp_path: Path) -> None:
    whole = 1000
    stores = whole - life(Desk(tmp_path / "whole", bytearray(SLOT_BYTES)), whole)
    assert stores > 25
    for at in range(stores + 1):
        file = bytearray(SLOT_BYTES)
        life(Desk(tmp_path / str(at), file), at)
        for _ in range(2):  # once more, after another kill: nothing is counted again
            again = Desk(tmp_path / str(at), file)
            again.capture._repair()
            received, written, dropped = again.sums()
            panes = again.panes()
            assert received == written + dropped
            assert written == sum(pane[1] for pane in panes)
            assert received >= sum(pane[0] for pane in panes)


def test_nothing_came_so_no_pane_is_made(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES))
    desk.capture.start()
    desk.capture.stop()
    assert desk.panes() == []


def test_the_counter_file_is_shared_by_whoever_maps_it(tmp_path: Path) -> None:
    one, other = mapped_slot(tmp_path / "counters.bin"), mapped_slot(tmp_path / "counters.bin")
    Accounting(one).received(7)
    assert other.count("received") == 7
    assert mapped_slot(tmp_path / "counters.bin", worker=1).count("received") == 0
    with pytest.raises(ValueError, match="expected a buffer"):
        Slot(bytearray(10))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else holds the label book: `database is locked`, a real refusal of SQLite."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_label_book_that_refuses_for_a_while_costs_no_row_no_label_and_no_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES), pane_s=0.0)  # every turn ends the pane
    desk.capture.start()
    desk.labels.put([LabelRecord(id="shop.1", label=1, at=2.0)])
    until(lambda: desk.panes(), "the pane with the label")
    with locked(tmp_path / "labels.db"):
        for i in range(4):
            desk.capture.offer(records(10, 10 * i))
            desk.holds(10 * i + 10)
        until(lambda: desk.said, "the writer complains")
        until(lambda: len(desk.log.unsealed()) > 2, "panes wait")
    until(lambda: sum(written for _, written, _ in desk.panes()) == 40, "the panes are sealed after all")
    desk.capture.offer(records(10, 40))
    desk.capture.stop()
    assert desk.sums() == (50, 50, 0)
    assert len(desk.said) == len(set(desk.said))
    segments = list(Segments(tmp_path).sealed("shop", -1))
    assert [name for s in segments for name in s.predictions["id"]] == [f"shop.{i}" for i in range(50)]
    assert [name for s in segments for name in s.labels["id"]] == ["shop.1"]
    assert [s.pane.index for s in segments] == list(range(len(segments)))
    rows = [s.pane.first_row for s in segments if s.pane.written]
    assert rows == list(range(0, 50, 10))


class Jammed(SegmentLog):
    """Cannot seal one pane while it is told so."""

    jammed: int | None = None

    def seal(self, index: int, **rest: object) -> object:  # type: ignore[override]
        if index == Jammed.jammed:
            raise OSError(28, "No space left on device")
        return super().seal(index, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize("killed", [False, True])
def test_a_reader_never_misses_a_pane_that_was_sealed_late(tmp_path: Path, killed: bool) -> None:
    file = bytearray(SLOT_BYTES)
    desk = Desk(tmp_path, file, log=Jammed, pane_s=0.0)
    Jammed.jammed = 1
    desk.capture.start()
    seen: list[str] = []
    after = -1
    for i in range(4):
        desk.capture.offer(records(5, 5 * i))
        desk.holds(5 * i + 5)
        for segment in Segments(tmp_path).sealed("shop", after):
            seen += segment.predictions["id"].to_list()
            after = segment.pane.index
    until(lambda: desk.said, "the writer complains")
    if killed:
        desk.capture.stop()  # what waits stays as it is, as after a kill
    Jammed.jammed = None
    again = Desk(tmp_path, file, log=Jammed) if killed else desk
    if killed:
        again.capture.start()
    again.capture.stop()
    for segment in Segments(tmp_path).sealed("shop", after):
        seen += segment.predictions["id"].to_list()
    assert seen == [f"shop.{i}" for i in range(20)]
    assert again.sums() == (20, 20, 0)


def test_a_start_while_the_disk_refuses_to_seal_still_writes(tmp_path: Path) -> None:
    file = bytearray(SLOT_BYTES)
    dead = Desk(tmp_path, file)
    dead.accounting.open_pane(0)
    dead.accounting.received(9)
    dead.log.append(0, records(4), [])
    Jammed.jammed = 0
    for start in range(2):  # the loss is counted once, however often it starts
        again = Desk(tmp_path, file, log=Jammed)
        again.capture.start()
        again.capture.offer(records(2, 100 + 2 * start))
        again.capture.stop()
        assert again.sums() == (11 + 2 * start, 6 + 2 * start, 5)
    Jammed.jammed = None
    last = Desk(tmp_path, file)
    last.capture.start()
    last.capture.stop()
    assert sum(written for _, written, _ in last.panes()) == 8
    assert last.sums() == (13, 8, 5)


def test_a_record_that_cannot_be_written_is_the_only_one_dropped(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES))
    desk.capture.start()
    odd = records(1, 5)[0]
    odd.features = {"items": 2**70}  # beyond what MessagePack has
    desk.capture.offer([*records(5), odd, *records(5, 6)])
    desk.capture.stop()
    assert desk.sums() == (11, 10, 1)
    assert desk.panes() == [(11, 10, 1)]
    assert "OverflowError" in desk.said[0]


ALWAYS = PredictionLog(fsync="always")


class SlowSync(Disk):
    """Counts its syncs and holds each until it is told to go on."""

    def __init__(self) -> None:
        self.syncs, self.may, self.sick = 0, threading.Event(), False

    def sync(self, file: int) -> None:
        self.may.wait()
        if self.sick:
            raise OSError(5, "Input/output error")
        self.syncs += 1


def test_with_always_an_answer_waits_for_its_record_and_one_sync_serves_all_that_wait(tmp_path: Path) -> None:
    disk = SlowSync()
    desk = Desk(tmp_path, bytearray(SLOT_BYTES), policy=ALWAYS, disk=disk)
    desk.capture.start()

    async def clients() -> None:
        waiting = []
        for number in range(200):
            desk.capture.offer(records(1, number))
            settled = desk.capture.settled()
            assert settled is not None
            waiting.append(settled)
        await asyncio.sleep(0)
        assert not any(future.done() for future in waiting)  # nothing is on the disk yet
        disk.may.set()
        await asyncio.gather(*waiting)

    asyncio.run(clients())
    assert desk.sums() == (200, 200, 0)
    assert disk.syncs <= 10  # what came before the writer looked, what came meanwhile; not one each
    desk.capture.stop()


def test_an_answer_goes_out_although_the_disk_refuses_and_its_record_is_counted_as_dropped(tmp_path: Path) -> None:
    disk = SlowSync()
    disk.sick = True
    disk.may.set()
    desk = Desk(tmp_path, bytearray(SLOT_BYTES), policy=ALWAYS, disk=disk)
    desk.capture.start()

    async def client(number: int) -> None:
        desk.capture.offer(records(1, number))
        settled = desk.capture.settled()
        assert settled is not None
        await settled

    asyncio.run(client(0))
    assert desk.sums() == (1, 0, 1)
    disk.sick = False
    asyncio.run(client(1))
    desk.capture.stop()
    assert desk.sums() == (2, 1, 1)
    assert desk.panes() == [(2, 1, 1)]
    assert "Input/output" in desk.said[0]


def test_with_an_interval_no_answer_waits(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES))
    assert desk.capture.settled() is None


def unread(count: int, start: int = 0, reason: str = "overload") -> Unread:
    ids = [f"shop.{i}" for i in range(start, start + count)]
    return Unread(reason=reason, release="a", epoch=1, ids=ids, at=[1.0] * count)


def test_rows_that_nobody_read_are_rows_of_the_pane_like_any_other(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES))
    desk.accounting.open_pane(0)
    desk.capture.offer(records(2))
    desk.capture.offer_unread(unread(3, 2))
    desk.capture.offer_unread(unread(1, 5))
    desk.capture.offer_unread(unread(2, 6, reason="priority"))
    desk.capture._thread.start()
    desk.capture.stop()
    assert desk.sums() == (8, 8, 0)
    assert desk.panes() == [(8, 8, 0)]
    (segment,) = Segments(tmp_path).sealed("shop", -1)
    found = segment.predictions
    assert found["id"].to_list() == [f"shop.{i}" for i in range(8)]
    assert found["outcome"].to_list() == ["answered"] * 2 + ["shed"] * 6
    assert found["reason"].to_list() == [None] * 2 + ["overload"] * 4 + ["priority"] * 2


def test_rows_that_nobody_read_take_no_more_room_than_others(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES), capacity=15)
    desk.accounting.open_pane(0)
    desk.capture.offer_unread(unread(10))
    desk.capture.offer_unread(unread(10, 10))
    desk.capture.offer(records(10, 20))
    desk.capture.offer(records(5, 30))
    desk.capture._thread.start()
    desk.capture.stop()
    assert desk.sums() == (35, 15, 20)
    assert desk.panes() == [(35, 15, 20)]


def test_rows_that_nobody_read_are_dropped_by_a_full_disk_to_the_row(tmp_path: Path) -> None:
    desk = Desk(tmp_path, bytearray(SLOT_BYTES), log=FullDisk)
    desk.log.full = True  # type: ignore[attr-defined]
    desk.capture.start()
    desk.capture.offer_unread(unread(7))
    until(lambda: desk.sums() == (7, 0, 7), "they are dropped")
    desk.log.full = False  # type: ignore[attr-defined]
    desk.capture.offer_unread(unread(4, 7))
    desk.capture.stop()
    assert desk.sums() == (11, 4, 7)
