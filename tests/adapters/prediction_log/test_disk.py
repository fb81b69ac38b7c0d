"""What survives a power cut, at every single operation of the disk: the promise of each fsync policy."""

import contextlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.prediction_log.power_cut import MortalDisk, PowerFailure
from tests.adapters.prediction_log.test_segments import TABLES, record

from flyball.adapters.prediction_log.disk import Disk
from flyball.adapters.prediction_log.files import frames_of
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.core.declared.serving import Fsync


def found(folder: Path) -> list[str]:
    """Ids in sealed panes, then those in open ones; a pane that is both is read once."""
    sealed = list(Segments(folder.parent).sealed(folder.name, -1))
    done = {segment.pane.index for segment in sealed}
    ids = [name for segment in sealed for name in segment.predictions["id"]]
    for path in sorted(folder.glob("*.frames")):
        if int(path.stem) not in done:
            ids += [row.id for frame in frames_of(path) for row in frame.predictions]
    return ids


class Life:
    """Appends, syncs and seals until the power fails; notes what it was promised."""

    def __init__(self, folder: Path, fsync: Fsync, dies_at: int | None) -> None:
        folder.mkdir()
        self.disk = MortalDisk(folder, dies_at=dies_at)
        self.log = SegmentLog(folder, folder.name, TABLES, fsync=fsync, disk=self.disk)
        self.appended: list[str] = []
        self.safe = 0  # of `appended`, those that a sync covered
        self._always = fsync == "always"

    def live(self, deeds: list[str]) -> None:
        index = 0
        for number, deed in enumerate(deeds):
            if deed == "append":
                self.log.append(index, [record(number)], [])
                self.appended.append(f"s.{number}")
                self.safe = len(self.appended) if self._always else self.safe
            elif deed == "sync":
                self.log.sync()
                self.safe = len(self.appended)
            elif index in self.log.unsealed():
                self.log.seal(index, start=0.0, end=1.0, received=None, labels=[])
                self.safe = len(self.appended)
                index += 1


def deaths(deeds: list[str], fsync: Fsync) -> int:
    """Operations of a life that nothing cuts short."""
    with tempfile.TemporaryDirectory() as name:
        life = Life(Path(name) / "s", fsync, None)
        life.live(deeds)
        return life.disk.operations


@given(st.lists(st.sampled_from(["append", "append", "sync", "seal"]), min_size=1, max_size=7), st.data())
@settings(max_examples=30, deadline=None)
def test_a_power_cut_at_any_operation_loses_nothing_that_was_promised_and_doubles_nothing(
    deeds: list[str], data: st.DataObject
) -> None:
    fsync: Fsync = data.draw(st.sampled_from(["always", "interval"]))
    dies_at = data.draw(st.integers(0, deaths(deeds, fsync)))
    with tempfile.TemporaryDirectory() as name:
        life = Life(Path(name) / "s", fsync, dies_at)
        with contextlib.suppress(PowerFailure):
            life.live(deeds)
        after = Path(name) / "after" / "s"
        after.parent.mkdir()
        life.disk.after_the_cut(after)
        again = SegmentLog(after, "s", TABLES, fsync=fsync)
        for index in again.unsealed():  # the repair of the next start
            again.seal(index, start=0.0, end=1.0, received=None, labels=[])
        rows = found(after)
        assert rows[: life.safe] == life.appended[: life.safe]
        assert len(rows) == len(set(rows))
        assert set(rows) <= {f"s.{number}" for number, deed in enumerate(deeds) if deed == "append"}


def test_without_a_sync_an_interval_may_lose_what_it_has_appended(tmp_path: Path) -> None:
    """The fake is worth something only if it loses what it may lose."""
    life = Life(tmp_path / "s", "interval", None)
    life.live(["append", "sync", "append"])
    life.disk.after_the_cut(tmp_path / "after")
    assert found(tmp_path / "after") == ["s.0"]


@pytest.mark.parametrize(("fsync", "syncs"), [("always", 5), ("interval", 3), ("os", 0)])
def test_each_policy_syncs_as_often_as_it_says(tmp_path: Path, fsync: Fsync, syncs: int) -> None:
    class Counting(Disk):
        count = 0

        def sync(self, file: int) -> None:
            type(self).count += 1
            super().sync(file)

        def sync_folder(self, path: Path) -> None:
            type(self).count += 1
            super().sync_folder(path)

    log = SegmentLog(tmp_path / "s", "s", TABLES, fsync=fsync, disk=Counting())
    for number in range(3):
        log.append(0, [record(number)], [])
    log.sync()
    log.sync()
    assert Counting.count == syncs  # of the file; at first of its name and its folder's too


class Refusing(Disk):
    """Syncs when it likes: a disk with an error."""

    sick = False

    def sync(self, file: int) -> None:
        if Refusing.sick:
            raise OSError(5, "Input/output error")
        super().sync(file)


def test_a_record_that_cannot_be_synced_is_taken_back(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path / "s", "s", TABLES, fsync="always", disk=Refusing())
    log.append(0, [record(1)], [])
    Refusing.sick = True
    with pytest.raises(OSError, match="Input/output"):
        log.append(0, [record(2)], [])
    Refusing.sick = False
    log.append(0, [record(3)], [])
    assert found(tmp_path / "s") == ["s.1", "s.3"]


def test_the_frames_of_a_pane_that_was_cut_at_any_byte_are_whole_or_gone(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path / "s", "s", TABLES)
    log.append(0, [record(1)], [])
    path = tmp_path / "s" / "0000000000.frames"
    whole = path.stat().st_size
    log.append(0, [record(2), record(3)], [])
    data = path.read_bytes()
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        rows = found(tmp_path / "s")
        assert rows == (["s.1", "s.2", "s.3"] if cut == len(data) else ["s.1"] if cut >= whole else [])
    assert os.listdir(tmp_path / "s") == ["0000000000.frames"]


class Unwilling(Disk):
    """Takes half of what it is given, then nothing: full, read-only or broken."""

    error: OSError | None = None

    def write(self, file: int, data: memoryview) -> int:
        if Unwilling.error is not None:
            super().write(file, data[: len(data) // 2])
            raise Unwilling.error
        return super().write(file, data)


@pytest.mark.parametrize(
    "error", [OSError(28, "No space left"), OSError(30, "Read-only file system"), OSError(5, "I/O")]
)
def test_a_frame_that_the_disk_refuses_leaves_nothing_behind(tmp_path: Path, error: OSError) -> None:
    log = SegmentLog(tmp_path / "s", "s", TABLES, disk=Unwilling())
    log.append(0, [record(1)], [])
    Unwilling.error = error
    with pytest.raises(OSError, match=error.strerror):
        log.append(0, [record(2)], [])
    Unwilling.error = None
    log.append(0, [record(3)], [])
    assert found(tmp_path / "s") == ["s.1", "s.3"]


class Stumbling(Disk):
    """Cannot sync a folder once, after the rename of a pane."""

    stumbles = False

    def sync_folder(self, path: Path) -> None:
        if self.stumbles and (path / "0000000000").exists():
            self.stumbles = False
            raise OSError(5, "Input/output error")
        super().sync_folder(path)


def test_a_pane_whose_name_could_not_be_synced_is_sealed_by_the_next_try_and_counted_once(tmp_path: Path) -> None:
    disk = Stumbling()
    log = SegmentLog(tmp_path / "s", "s", TABLES, disk=disk)
    log.append(0, [record(1), record(2)], [])
    disk.stumbles = True
    with pytest.raises(OSError, match="Input/output"):
        log.seal(0, start=0.0, end=1.0, received=2, labels=[])
    assert log.seal(0, start=0.0, end=1.0, received=2, labels=[]).written == 2
    log.append(1, [record(3)], [])
    assert log.seal(1, start=1.0, end=2.0, received=1, labels=[]).first_row == 2
    assert found(tmp_path / "s") == ["s.1", "s.2", "s.3"]
