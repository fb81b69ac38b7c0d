"""Keeps a prediction log small: sealed panes are merged into folders of an hour or a day, days that are over go.

Theory of operation. Whatever is sealed is never written again; a merge writes a new folder beside its parts, and from
the moment of its rename readers count it and not them (`files.sealed`). The parts stay for a while, so that a query
that has begun finds its files, and go with a later run. Every step is one rename; points at which a crash may come, and
in each case it is enough to run again:

A. while a merged folder is written: it is a draft, which the next run throws away.
B. after its rename, before its parts are gone: they are covered by it, and a later run removes them.
C. while something is removed: it was renamed out of the way first; the next run removes the rest.

What is merged are neighbours of one UTC day (of the running day: of one hour that is over) with the same columns, up to
a number of rows. Retention takes whole days from the old end only. Neither touches the newest folder: the writer finds
there where to go on. One upkeep at a time; the writer of the log is not disturbed.
"""

import fcntl
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
import polars as pl

from flyball.adapters.prediction_log.disk import Disk
from flyball.adapters.prediction_log.files import PANES, TABLES, Part, Sealed, folders, name_of, sealed
from flyball.core.errors import Conflict
from flyball.core.watching import Pane

DAY_S, HOUR_S = 86_400.0, 3_600.0
GRACE_S = 600.0  # parts of a merged folder stay so long for those who read them
_OLD, _OVER = ".old-", ".over-"  # out of the way, to be removed: covered by a merge; beyond the retention


@dataclass(frozen=True, kw_only=True, slots=True)
class Over:
    """A folder that retention has taken out of the log; its bytes are still there."""

    path: Path
    name: str  # that it had
    size: int  # bytes


def is_beyond(retention_s: float, now: float, end: float) -> bool:
    """Whether the day of `end` ended longer ago than the retention. Times: seconds since the epoch.

    >>> is_beyond(DAY_S, 3 * DAY_S, DAY_S + 1), is_beyond(DAY_S, 3 * DAY_S, 2 * DAY_S)
    (True, False)
    """
    return end // DAY_S < (now - retention_s) // DAY_S


class Upkeep:
    """Of the log of one service. `now`: seconds since the epoch."""

    def __init__(self, folder: Path, *, now: float, disk: Disk | None = None) -> None:
        self._folder, self._now, self._disk = folder, now, disk or Disk()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Raises: Conflict: another upkeep of this log runs."""
        file = os.open(self._folder / "upkeep.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(file)
            raise Conflict("another upkeep of this log runs", hint="it is done by `flyball up` too; wait") from error
        try:
            yield
        finally:
            os.close(file)

    def sweep(self, grace_s: float = GRACE_S) -> int:
        """Throw drafts away, and parts whose merged folder is older than the grace. Returns how many parts went."""
        for draft in self._folder.glob(".*-*.draft"):
            shutil.rmtree(draft)
        counted = {each.path for each in sealed(self._folder)}
        young = [each for each in sealed(self._folder) if each.path.stat().st_mtime > self._now - grace_s]
        for each in folders(self._folder):
            if each.path not in counted and not any(new.first <= each.first <= new.last for new in young):
                self._disk.rename(
                    each.path, self._folder / f"{_OLD}{each.path.name}"
                )  # crash point B is before, C after
        gone = list(self._folder.glob(f"{_OLD}*"))
        for path in gone:
            shutil.rmtree(path)
        return len(gone)

    def due(self, retention_s: float) -> list[Sealed]:
        """What retention would take now: folders of days that ended longer ago, from the old end."""
        beyond = partial(is_beyond, retention_s, self._now)
        return list(itertools.takewhile(lambda each: beyond(each.panes()[-1].end), sealed(self._folder)[:-1]))

    def expire(self, retention_s: float) -> list[Over]:
        """Take them out of the log. Returns all that is to be removed, also what a killed run has left."""
        due = self.due(retention_s)
        last = due[-1].last if due else -1
        for each in folders(self._folder):  # its parts too
            if each.last <= last:
                self._disk.rename(each.path, self._folder / f"{_OVER}{each.path.name}")
        if due:
            self._disk.sync_folder(self._folder)
        return [
            Over(path=path, name=path.name.removeprefix(_OVER), size=sum(f.stat().st_size for f in path.iterdir()))
            for path in sorted(self._folder.glob(f"{_OVER}*"))
        ]

    def remove(self, over: Sequence[Over]) -> None:
        """For good, once it has been told."""
        for each in over:
            shutil.rmtree(each.path)

    def merge(self, most_rows: int, *, stopping: Callable[[], bool] = lambda: False) -> int:
        """Merge what may be merged, a group at a time, until all is or `stopping`. Returns how many folders are new."""
        made = 0
        for group in self._groups(most_rows):
            if stopping():
                break
            self._merged(group)
            made += 1
        return made

    def _groups(self, most_rows: int) -> Iterator[list[Sealed]]:
        """Neighbours that belong together; of what one group would be too large for, the next one begins."""
        group: list[Sealed] = []
        key: object = None
        rows = 0
        for each in sealed(self._folder)[:-1]:
            panes = each.panes()
            own, more = self._period(panes), sum(pane.written for pane in panes)
            if own is not None:
                own = (own, _schemas(each))
            if group and (own != key or rows + more > most_rows):
                yield from [group] if len(group) > 1 else []
                group, rows = [], 0
            key = own
            if own is not None:
                group, rows = [*group, each], rows + more
        yield from [group] if len(group) > 1 else []

    def _period(self, panes: Sequence[Pane]) -> object:
        """The day of a folder, or on the running day its hour; None: that is not over."""
        start, end = panes[0].start, panes[-1].start
        for name, length in (("day", DAY_S), ("hour", HOUR_S)):
            if start // length == end // length < self._now // length:
                return name, start // length
        return None

    def _merged(self, group: Sequence[Sealed]) -> None:
        name = f"{name_of(group[0].first)}-{name_of(group[-1].last)}"
        draft = self._folder / f".{name}.draft"
        draft.mkdir(mode=0o700)
        parts = [part for each in group for part in _parts(each)]
        for table in TABLES:
            rows = pl.concat([pl.read_parquet(each.table(table)) for each in group])
            rows.write_parquet(draft / f"{table}.parquet", compression="zstd", compression_level=3)
        (draft / PANES).write_bytes(msgspec.json.encode(parts))
        for path in sorted(draft.iterdir()):
            self._disk.sync_file(path)
        self._disk.sync_folder(draft)
        self._disk.rename(draft, self._folder / name)  # crash point A is before, B after
        self._disk.sync_folder(self._folder)


def _parts(each: Sealed) -> list[Part]:
    if each.merged:
        return each.parts()
    shadows, labels = (
        int(pl.scan_parquet(each.table(name)).select(pl.len()).collect().item()) for name in ("shadows", "labels")
    )
    return [Part(pane=each.panes()[0], shadows=shadows, labels=labels)]


def _schemas(each: Sealed) -> tuple[object, ...]:
    """Columns and dtypes: tables that differ stay apart, so that each pane can be given back as it was."""
    return tuple(tuple(pl.read_parquet_schema(each.table(name)).items()) for name in TABLES)
