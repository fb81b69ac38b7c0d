"""The prediction log on disk: an open pane is a file of frames, a sealed one a folder of Parquet tables.

Theory of operation. Frames are appended with one `write` each, so a killed process leaves whole frames and at most one
torn tail, which is cut when the file is read again. Sealing reads the frames back (the same code that repairs), writes
the tables and the pane's header into a draft folder, renames it to its index, then removes the frames. A crash anywhere
leaves either the frames, or the folder, or both: sealing again gives the same folder. What is renamed is never written
again.

A killed process loses nothing that was appended; a power cut loses what was not synced. With `always` an append returns
when its frame is synced, with `interval` whoever appends calls `sync` now and then, with `os` nothing is ever synced. A
pane is sealed in the order tables, their names, the folder's name, then away with the frames, each synced before the
next, so a power cut leaves what a kill leaves.
"""

import os
import shutil
import weakref
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import polars as pl

from flyball.adapters.prediction_log.disk import Disk
from flyball.adapters.prediction_log.files import (
    HEADER,
    PANE,
    TABLES,
    Frame,
    Sealed,
    frames_of,
    name_of,
    open_files,
    sealed,
)
from flyball.core.declared.serving import Fsync
from flyball.core.log_columns import LogColumns, columns_of, joined
from flyball.core.log_tables import LogTables
from flyball.core.ports import Segment
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.core.watching import Pane

_PART_ROWS = 4096


class SegmentLog:
    """The writer's side, for one service; one thread at a time."""

    def __init__(
        self, folder: Path, service: str, tables: LogTables, *, fsync: Fsync = "interval", disk: Disk | None = None
    ) -> None:
        self._folder, self._service, self._tables = folder, service, tables
        self._fsync, self._disk = fsync, disk or Disk()
        self._file: int | None = None
        self._closing: Callable[[], object] = lambda: None
        self._index = -1
        self._unsynced = False  # something was appended since the last sync
        self._named = False  # the open file's name is on the disk too
        new = [each for each in (folder, *folder.parents) if not each.is_dir()]
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if fsync != "os":
            for each in reversed(new):  # its name, and those of the folders that it needed
                self._disk.sync_folder(each.parent)
        there = sealed(folder)
        newest = there[-1].panes()[-1] if there else None
        # a pane without rows has a last row all the same
        self._row = newest.first_row + newest.written if newest else 0
        self._last = newest.index if newest else -1  # sealed; the folder is long, so it is not listed for each pane
        self._encoder = msgspec.msgpack.Encoder()

    def next_index(self) -> int:
        """The first index that no pane on disk has."""
        return max([self.last_sealed(), *self.unsealed()]) + 1

    def unsealed(self) -> list[int]:
        """Panes that a process left open, oldest first."""
        return [int(path.stem) for path in open_files(self._folder)]

    def last_sealed(self) -> int:
        """Index of the newest sealed pane; -1: none."""
        return max((each.last for each in sealed(self._folder)), default=-1)

    def append(
        self,
        index: int,
        predictions: Sequence[PredictionRecord],
        shadows: Sequence[ShadowRecord],
        unread: Sequence[LogColumns] = (),
    ) -> None:
        """One frame; when this returns, a killed process does not lose it, and with `always` nor does a power cut.

        `unread`: further rows, which are columns already.

        Raises: OSError: nothing was appended.
        """
        parts = [columns_of(predictions)] if predictions or not unread else []
        parts += unread
        columns = parts[0] if len(parts) == 1 else joined(parts)
        body = self._encoder.encode(Frame(columns, list(shadows)))
        if self._file is None or self._index != index:
            self._open(index)
        assert self._file is not None
        data = memoryview(HEADER.pack(len(body), zlib.crc32(body)) + body)
        whole = os.fstat(self._file).st_size
        self._unsynced = True
        try:
            while data:
                data = data[self._disk.write(self._file, data) :]
            if self._fsync == "always":
                self.sync()
        except OSError:
            os.ftruncate(self._file, whole)  # half a frame would hide the whole ones that come after it
            raise

    def sync(self) -> None:
        """What was appended survives a power cut. Raises: OSError: perhaps not; nothing else has changed."""
        if self._file is None or not self._unsynced or self._fsync == "os":
            return
        self._disk.sync(self._file)
        if not self._named:
            self._disk.sync_folder(self._folder)
        self._unsynced, self._named = False, True

    def rows(self, index: int) -> int:
        """Prediction records of an open pane that are whole on disk."""
        return sum(frame.columns.rows for frame in self._frames(index))

    def seal(
        self, index: int, *, start: float, end: float, received: int | None, labels: Sequence[LabelRecord]
    ) -> Pane:
        """Make the open pane a folder. `received` None: nobody knows, so what is written is what was received.

        Panes are sealed in the order of their indices, so that rows and panes are in one order and a reader that has
        seen pane n has seen all before it. Raises: OSError: nothing is lost, the frames stay.
        """
        if self._index == index:
            self.close()
        known = _sealed_pane(self._folder, index) if index <= self._last else None
        if known is not None:  # sealed by a process that was killed before it removed the frames
            if self._fsync != "os":
                self._disk.sync_folder(self._folder)
            (self._folder / f"{name_of(index)}.frames").unlink(missing_ok=True)
            return known
        predictions, shadows = self._read(index)
        written = predictions.height
        offered = written if received is None else max(received, written)
        pane = Pane(
            service=self._service,
            index=index,
            start=min(start, predictions["at"][0] if written else start),
            end=end,
            first_row=self._row,
            last_row=max(self._row, self._row + written - 1),
            received=offered,
            written=written,
            dropped=offered - written,
        )
        self._publish(pane, (predictions, shadows, self._tables.labels(labels)))
        (self._folder / f"{name_of(index)}.frames").unlink(missing_ok=True)
        return pane

    def _read(self, index: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Predictions and shadows of an open pane. A part at a time becomes a table, so that what is held of a large
        pane is bytes a value, not an object a value."""
        parts: list[pl.DataFrame] = []
        shadows: list[ShadowRecord] = []
        several: list[LogColumns] = []
        for frame in self._frames(index):
            several.append(frame.columns)
            shadows += frame.shadows
            if sum(columns.rows for columns in several) >= _PART_ROWS:
                parts.append(self._tables.predictions(joined(several)))
                several = []
        if several or not parts:
            parts.append(self._tables.predictions(joined(several)))
        if any(part.schema != parts[0].schema for part in parts):  # they know different classes, in `scores`
            parts = [self._tables.predictions(joined(frame.columns for frame in self._frames(index)))]
        return pl.concat(parts), self._tables.shadows(shadows)

    def _publish(self, pane: Pane, tables: Sequence[pl.DataFrame]) -> None:
        draft = self._folder / f".{name_of(pane.index)}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        for name, table in zip(TABLES, tables, strict=True):
            table.write_parquet(draft / f"{name}.parquet", compression="zstd", compression_level=1)
        (draft / PANE).write_bytes(msgspec.json.encode(pane))
        if self._fsync != "os":
            for path in sorted(draft.iterdir()):
                self._disk.sync_file(path)
            self._disk.sync_folder(draft)
        self._disk.rename(draft, self._folder / name_of(pane.index))
        self._row, self._last = self._row + pane.written, pane.index  # it is sealed, whatever is raised from here on
        if self._fsync != "os":
            self._disk.sync_folder(self._folder)

    def _frames(self, index: int) -> Iterator[Frame]:
        """Whole frames of an open pane; stops at a torn one."""
        return frames_of(self._folder / f"{name_of(index)}.frames")

    def _open(self, index: int) -> None:
        """Another pane's file. The one before may wait long to be sealed, so it is synced first."""
        self.sync()
        self.close()
        path = self._folder / f"{name_of(index)}.frames"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._closing = weakref.finalize(self, os.close, self._file)  # also when a log is dropped with a pane open
        self._index, self._named = index, False

    def close(self) -> None:
        """Give the open file back. Nothing is sealed; appending goes on with the same pane."""
        if self._file is not None:
            self._closing()
            self._file, self._unsynced = None, False


class Segments:
    """`core.ports.Telemetry`: what the gateways of a home have sealed."""

    def __init__(self, root: Path) -> None:
        """`root`: the folder with one folder a service."""
        self._root = root

    def sealed(self, service: str, after: int) -> Iterable[Segment]:
        """Segments with a pane index above `after`, in order; each is read when it is asked for, so that a reader who
        begins with a long history holds one folder of it at a time."""
        folder = self._root / service
        again = True
        while again:
            again = False
            for each in sealed(folder):
                if each.last <= after:
                    continue
                try:
                    segments = _segments(each)
                except FileNotFoundError:
                    if each.path.exists():
                        raise
                    again = True  # it was merged with others, or its time was over: look anew what there is
                    break
                for segment in segments:
                    if segment.pane.index > after:
                        after = segment.pane.index
                        yield segment


def _sealed_pane(folder: Path, index: int) -> Pane | None:
    """The header of a pane that is sealed, perhaps merged with others by now."""
    for each in sealed(folder):
        if each.first <= index <= each.last:
            return next((pane for pane in each.panes() if pane.index == index), None)
    return None


def _segments(each: Sealed) -> list[Segment]:
    """The panes of a folder as they were sealed."""
    predictions, shadows, labels = (pl.read_parquet(each.table(name)) for name in TABLES)
    if not each.merged:
        return [Segment(pane=each.panes()[0], predictions=predictions, shadows=shadows, labels=labels)]
    found: list[Segment] = []
    row = shadow = label = 0
    for part in each.parts():
        found.append(
            Segment(
                pane=part.pane,
                predictions=predictions.slice(row, part.pane.written),
                shadows=shadows.slice(shadow, part.shadows),
                labels=labels.slice(label, part.labels),
            )
        )
        row, shadow, label = row + part.pane.written, shadow + part.shadows, label + part.labels
    return found
