"""Buckets of counted panes on SQLite: bytes by reference and start, and up to which pane they are complete.

A bucket and the pane that went into it are written in one transaction, so whenever a process dies, the panes up to the
mark are in the buckets exactly once and later ones not at all; feeding the log again repairs it.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from flyball.core.errors import Unavailable

STATES = "states.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS bucket (
  frame TEXT NOT NULL, start REAL NOT NULL, length REAL NOT NULL, state BLOB NOT NULL, PRIMARY KEY (frame, start)
);
CREATE TABLE IF NOT EXISTS mark (only INTEGER PRIMARY KEY CHECK (only = 0), pane INTEGER NOT NULL);
"""

Bucket = tuple[str, float, float, bytes]  # digest of the frame, start and length in seconds, a state


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

    def read(self, frame: str, start: float) -> bytes | None:
        """One bucket."""
        with self._open() as db:
            found = db.execute("SELECT state FROM bucket WHERE frame = ? AND start = ?", (frame, start)).fetchone()
        return None if found is None else bytes(found[0])

    def between(self, frame: str, since: float, until: float) -> Iterator[Bucket]:
        """Buckets that begin in [since, until), by start."""
        with self._open() as db:
            yield from db.execute(
                "SELECT frame, start, length, state FROM bucket "
                "WHERE frame = ? AND start >= ? AND start < ? ORDER BY start",
                (frame, since, until),
            ).fetchall()

    def record(self, pane: int, buckets: Sequence[Bucket], *, forget_before: float | None = None) -> None:
        """These buckets as they are with this pane, older ones forgotten: all or nothing."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            for bucket in buckets:
                db.execute("INSERT OR REPLACE INTO bucket VALUES (?, ?, ?, ?)", bucket)
            if forget_before is not None:
                db.execute("DELETE FROM bucket WHERE start < ?", (forget_before,))
            db.execute("INSERT OR REPLACE INTO mark VALUES (0, ?)", (pane,))
            db.execute("COMMIT")

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection a call: there is one each pane, and nobody has to close it at the right moment."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self._path, isolation_level=None, timeout=self._busy_s)) as db:
                db.execute("PRAGMA journal_mode=WAL")
                db.execute("PRAGMA synchronous=NORMAL")
                db.executescript(_SCHEMA)
                yield db
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"{self._path}: counted panes cannot be read or written: {error}") from error
