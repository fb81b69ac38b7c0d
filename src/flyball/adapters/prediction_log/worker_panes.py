"""The panes of several workers as the one stream of their service: numbered, labelled, published by one process.

Theory of operation. Each worker seals panes of its own under `telemetry/<service>/workers/<number>/`, without labels.
The supervisor takes them over one by one, in the order in which they ended: the next index and the next stream rows of
the service, and the labels that wait. The tables themselves are not written again (hard links). So a reader finds one
stream, in one order that never changes, however many workers there were, and however often their number changed.

A pane is published by one rename; then the worker's copy of the tables goes. Its header stays while it is the worker's
newest, so that no index is used twice. A crash between the two leaves the newest pane of the stream and its source: the
next start knows the one by the other. The labels of an index are the same each time they are asked for.
"""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import polars as pl
from msgspec.structs import replace

from flyball.adapters.prediction_log.disk import Disk
from flyball.core.declared.serving import Fsync
from flyball.core.log_tables import LogTables
from flyball.core.prediction import LabelRecord
from flyball.core.record import Record
from flyball.core.watching import Pane

WORKERS = "workers"
_PANE, SOURCE, _LABELS = "pane.json", "source.json", "labels.parquet"
_MARK = "predictions.parquet"
_EMPTY = ("predictions", "shadows")


class WaitingLabels(Protocol):
    """The service's label book."""

    def take(self, pane: int) -> list[LabelRecord]: ...
    def waiting(self) -> int: ...
    def newest_pane(self) -> int: ...


class Source(Record):
    """Where a pane of the stream comes from."""

    worker: str
    index: int


class NoLabels:
    """What a worker's own panes carry: labels come when they are taken over."""

    def take(self, pane: int) -> list[LabelRecord]:  # noqa: ARG002 -- there are none in any
        return []

    def waiting(self) -> int:
        return 0

    def newest_pane(self) -> int:
        return -1


def worker_folder(telemetry: Path, number: int) -> Path:
    """Where a worker writes, below its service's folder."""
    return telemetry / WORKERS / str(number)


class WorkerPanes:
    """The one writer of a service's stream where several workers answer."""

    def __init__(
        self,
        telemetry: Path,
        service: str,
        tables: LogTables,
        labels: WaitingLabels,
        *,
        fsync: Fsync = "interval",
        disk: Disk | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        """`now`: seconds since the epoch."""
        self._now = now
        self._folder, self._service, self._tables, self._labels = telemetry, service, tables, labels
        self._fsync, self._disk = fsync, disk or Disk()
        sealed = _sealed(telemetry)
        newest = _pane(sealed[-1]) if sealed else None
        self._next = newest.index + 1 if newest else 0
        self._row = newest.first_row + newest.written if newest else 0
        self._end = newest.end if newest else 0.0  # of the newest pane, seconds since the epoch
        self._owed: Path | None = None  # published, and perhaps not let go yet
        if sealed and (sealed[-1] / SOURCE).exists():
            source = msgspec.json.decode((sealed[-1] / SOURCE).read_bytes(), type=Source)
            self._owed = telemetry / WORKERS / source.worker / _name(source.index)

    def take_over(self) -> int:
        """Publish what workers have sealed since; how many panes. Raises: OSError, Unavailable: ask again."""
        self._let_go()
        found = sorted(
            ((_pane(folder), folder) for worker in self._workers() for folder in _sealed(worker) if _full(folder)),
            key=lambda each: (each[0].end, each[1].parent.name, each[0].index),
        )
        for pane, folder in found:
            self._publish(pane, folder)
        if not found and (self._labels.waiting() or self._labels.newest_pane() >= self._next):
            self._publish_labels()
            return 1
        return len(found)

    def _publish(self, pane: Pane, folder: Path) -> None:
        draft = self._draft()
        for path in folder.iterdir():
            if path.name not in (_PANE, _LABELS):
                os.link(path, draft / path.name)
        source = Source(worker=folder.parent.name, index=pane.index)
        (draft / SOURCE).write_bytes(msgspec.json.encode(source))
        self._finish(draft, pane)
        self._owed = folder
        self._let_go()

    def _let_go(self) -> None:
        """What is in the stream leaves its worker; without that nothing else is taken over."""
        if self._owed is not None:
            if self._fsync != "os":  # its name in the stream first
                self._disk.sync_folder(self._folder)
            _let_go(self._owed)
            self._owed = None

    def _publish_labels(self) -> None:
        """A pane without rows: nobody asks, and labels still arrive."""
        draft = self._draft()
        tables = (self._tables.predictions([]), self._tables.shadows([]))
        for name, table in zip(_EMPTY, tables, strict=True):
            _write(table, draft / f"{name}.parquet")
        at = max(self._end, self._now())  # and of no label's own time: that may be any, before or ahead
        self._finish(draft, Pane(service=self._service, index=self._next, start=at, end=at))

    def _draft(self) -> Path:
        draft = self._folder / f".{_name(self._next)}.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        return draft

    def _finish(self, draft: Path, pane: Pane) -> None:
        _write(self._tables.labels(self._labels.take(self._next)), draft / _LABELS)
        row = self._row
        whole = replace(pane, index=self._next, first_row=row, last_row=max(row, row + pane.written - 1))
        (draft / _PANE).write_bytes(msgspec.json.encode(whole))
        if self._fsync != "os":  # its tables were synced when its worker sealed them
            for path in sorted(draft.iterdir()):
                self._disk.sync_file(path)
            self._disk.sync_folder(draft)
        self._disk.rename(draft, self._folder / _name(self._next))
        self._next, self._row = self._next + 1, row + pane.written
        self._end = max(self._end, pane.end)

    def _workers(self) -> Sequence[Path]:
        folder = self._folder / WORKERS
        return sorted(folder.iterdir()) if folder.is_dir() else []


def _let_go(folder: Path) -> None:
    """The tables of a pane that was taken over, and the headers before it."""
    if not folder.is_dir():
        return
    tables = sorted((path for path in folder.iterdir() if path.name != _PANE), key=lambda path: path.name == _MARK)
    for path in tables:  # the one that says that it is full goes last: a kill in between begins again
        path.unlink()
    for older in _sealed(folder.parent)[:-1]:
        if not _full(older):
            shutil.rmtree(older)


def _full(folder: Path) -> bool:
    """Its tables are there: nobody has taken it over."""
    return (folder / _MARK).exists()


def _write(table: pl.DataFrame, path: Path) -> None:
    table.write_parquet(path, compression="zstd", compression_level=1)


def _pane(folder: Path) -> Pane:
    return msgspec.json.decode((folder / _PANE).read_bytes(), type=Pane)


def _sealed(folder: Path) -> list[Path]:
    """Folders of sealed panes, in order."""
    return sorted((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


def _name(index: int) -> str:
    return f"{index:010d}"
