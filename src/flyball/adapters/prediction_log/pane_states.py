"""Buckets of counted panes on SQLite: bytes by reference and start, and up to which pane they are complete.

A bucket and the pane that went into it are written in one transaction, so whenever a process dies, the panes up to the
mark are in the buckets exactly once and later ones not at all; feeding the log again repairs it. Beside the buckets
stands what they count, written and forgotten in the same transactions, so that a reader needs neither the declaration
nor the contract that the writer went by. Readers open the file read-only, and find nothing where there is none.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from flyball.core.errors import Unavailable

STATES = "states.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS bucket (
  frame TEXT NOT NULL, start REAL NOT NULL, length REAL NOT NULL, state BLOB NOT NULL, PRIMARY KEY (frame, start)
);
CREATE INDEX IF NOT EXISTS bucket_start ON bucket (start);
CREATE TABLE IF NOT EXISTS mark (only INTEGER PRIMARY KEY CHECK (only = 0), pane INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS series (
  release TEXT NOT NULL, arm TEXT NOT NULL, name TEXT NOT NULL, without TEXT NOT NULL, PRIMARY KEY (release, arm)
);
"""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Buckets that add up: of one release's rows in one arm, counted on one frame."""

    release: str
    arm: str
    name: str  # in the column `frame` of its buckets
    without: tuple[str, ...]  # features that are not counted


Bucket = tuple[Series, float, float, bytes]  # start and length in seconds, a state


class PaneStates:
    """The buckets of one service. Everything raises Unavailable."""

    def __init__(self, path: Path, *, busy_s: float = 2.0) -> None:
        """`busy_s`: how long to wait for another process that writes."""
        self._path, self._busy_s = path, busy_s

    def mark(self) -> int:
        """The newest pane that is in the buckets; -1: none."""
        with self._open() as db:
            found = db.execute("SELECT pane FROM mark").fetchone()
        return -1 if found is None else int(found[0])

    def read(self, series: str, start: float) -> bytes | None:
        """One bucket."""
        with self._open() as db:
            found = db.execute("SELECT state FROM bucket WHERE frame = ? AND start = ?", (series, start)).fetchone()
        return None if found is None else bytes(found[0])

    def is_only_of(self, name: str, release: str, arm: str) -> bool:
        """Whether there are buckets of that name, and no other release or arm has them."""
        query = (
            "SELECT EXISTS (SELECT 1 FROM bucket WHERE frame = ?) "
            "AND NOT EXISTS (SELECT 1 FROM series WHERE name = ? AND (release, arm) != (?, ?))"
        )
        with self._open() as db:
            return bool(db.execute(query, (name, name, release, arm)).fetchone()[0])

    def record(self, pane: int, buckets: Sequence[Bucket], *, forget_before: float | None = None) -> None:
        """These buckets as they are with this pane, older ones forgotten: all or nothing.

        A series takes the place of what its release and arm were counted by before: another frame, whose buckets cannot
        be added to these. It is forgotten with its last bucket.
        """
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            for series, *bucket in buckets:
                line = (series.release, series.arm, series.name, msgspec.json.encode(series.without).decode())
                db.execute("INSERT OR REPLACE INTO series VALUES (?, ?, ?, ?)", line)
                db.execute("INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?)", (series.name, *bucket))
            if forget_before is not None:
                db.execute("DELETE FROM bucket WHERE start < ?", (forget_before,))
                db.execute("DELETE FROM series WHERE NOT EXISTS (SELECT 1 FROM bucket WHERE frame = series.name)")
            db.execute("INSERT OR REPLACE INTO mark VALUES (0, ?)", (pane,))
            db.execute("COMMIT")

    def replace(self, buckets: Sequence[Bucket]) -> int:
        """Take the place of buckets that are there, all or nothing; the mark stays. Returns how many there were."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            query = "UPDATE bucket SET state = ? WHERE frame = ? AND start = ? AND length = ?"
            done = sum(
                db.execute(query, (state, series.name, start, length)).rowcount
                for series, start, length, state in buckets
            )
            db.execute("COMMIT")
        return done

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection a call: there is one each pane, and nobody has to close it at the right moment."""
        with _told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self._path, isolation_level=None, timeout=self._busy_s)) as db:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=NORMAL")
                db.executescript(_SCHEMA)
                yield db


def series_of(path: Path, release: str, arm: str, *, busy_s: float = 2.0) -> Series | None:
    """None: nothing of that release in that arm was counted. Raises: Unavailable."""
    query = "SELECT name, without FROM series WHERE release = ? AND arm = ?"
    found = list(_read(path, query, (release, arm), busy_s))
    if not found:
        return None
    ((name, without),) = found
    return Series(release=release, arm=arm, name=name, without=msgspec.json.decode(without, type=tuple[str, ...]))


def buckets_between(
    path: Path, series: str, since: float, until: float, *, busy_s: float = 2.0
) -> Iterator[tuple[float, float, bytes]]:
    """Start, length and state of buckets that begin in [since, until), seconds since the epoch, by start. One at a
    time, because a week of them is large. Raises: Unavailable."""
    query = "SELECT start, length, state FROM bucket WHERE frame = ? AND start >= ? AND start < ? ORDER BY start"
    return _read(path, query, (series, since, until), busy_s)


def _read(path: Path, query: str, values: tuple[object, ...], busy_s: float) -> Iterator[tuple[Any, ...]]:
    if not path.exists():
        return
    with _told(path), closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=busy_s)) as db:
        try:
            yield from db.execute(query, values)
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):  # written before there were series: the next pane adds them
                raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{path}: counted panes cannot be read or written: {error}") from error
