"""What files hashed to when they were last read, so that an unchanged file is looked at and not read again.

A file is known by device and inode, its state by size, mtime and ctime in nanoseconds; ctime cannot be set back, so a
copy that keeps its time (`cp -p`, `touch -r`) is still seen. A clock has steps: a file written twice within one step
keeps its times. So what was changed less than `GRANULARITY_NS` before it was read is never remembered, as git does it.
A cache is no evidence: whoever verifies a release reads every byte. It is for file systems of this machine, whose
clock is ours.

Crash safety: SQLite with a write-ahead log; a lost entry costs one reading. A file that is no cache is thrown away.
"""

import os
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from flyball.core.errors import Unavailable

GRANULARITY_NS = 2_000_000_000  # the coarsest clock of a common file system (FAT)
LIMIT = 1_000_000  # entries, about 130 bytes each

_MADE = (
    "CREATE TABLE IF NOT EXISTS known("
    "file BLOB PRIMARY KEY, state BLOB NOT NULL, sha256 BLOB NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID"
)


class StatCache:
    """A file of its own in the home. `now_ns` is wall time, handed in with each batch."""

    def __init__(self, path: Path, *, limit: int = LIMIT) -> None:
        """Raises: Unavailable: the folder cannot be written."""
        self._path, self._limit = path, limit
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = self._open()
        except OSError as error:
            raise Unavailable(f"{path}: the cache of file hashes cannot be made: {error.strerror}") from error

    def known(self, states: Iterable[os.stat_result]) -> Iterator[str | None]:
        """The SHA-256 (hex) of each file in exactly this state; None where it has to be read."""
        for state in states:
            row = self._connection.execute("SELECT state, sha256 FROM known WHERE file = ?", (_file(state),)).fetchone()
            yield row[1].hex() if row is not None and row[0] == _state(state) else None

    def remember(self, found: Iterable[tuple[os.stat_result, str]], *, now_ns: int) -> int:
        """Keep what was read from `now_ns` on; returns how many. What had just been changed by then is left out."""
        rows = [
            (_file(state), _state(state), bytes.fromhex(digest), now_ns)
            for state, digest in found
            if max(state.st_mtime_ns, state.st_ctime_ns) + GRANULARITY_NS <= now_ns
        ]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO known VALUES (?, ?, ?, ?)", rows)
            (count,) = self._connection.execute("SELECT count(*) FROM known").fetchone()
            if count > self._limit:  # the longest unread first; files that are gone are among them
                self._connection.execute(
                    "DELETE FROM known WHERE file IN (SELECT file FROM known ORDER BY used LIMIT ?)",
                    (count - self._limit,),
                )
        return len(rows)

    def clear(self) -> None:
        """Forget everything."""
        with self._connection:
            self._connection.execute("DELETE FROM known")

    def close(self) -> None:
        self._connection.close()

    def _open(self) -> sqlite3.Connection:
        try:
            return _connect(self._path)
        except sqlite3.DatabaseError:  # no cache, or a broken one: nothing is lost by starting anew
            for end in ("", "-wal", "-shm"):
                Path(f"{self._path}{end}").unlink(missing_ok=True)
            return _connect(self._path)


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30.0)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_MADE)
        with closing(connection.execute("SELECT file, state, sha256, used FROM known LIMIT 1")) as row:
            row.fetchall()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _file(state: os.stat_result) -> bytes:
    return struct.pack("<QQ", state.st_dev, state.st_ino)


def _state(state: os.stat_result) -> bytes:
    return struct.pack("<Qqq", state.st_size, state.st_mtime_ns, state.st_ctime_ns)
