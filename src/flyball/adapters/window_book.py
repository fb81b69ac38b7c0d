"""The window reports of one service on SQLite: what `flyball monitor` and the gateway's metrics read.

It is a memory, not a source: feeding all segments to a monitor again gives the same windows, so nothing is synced, and
a controller that starts anew writes over what it wrote before. Where its windows begin elsewhere now (the oldest
segments are gone), they take the place of those that they overlap, so windows always follow one another. The book
outlives the prediction log, whose retention is shorter, up to `MOST` windows. Readers open it read-only, and find
nothing where there is no file.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from flyball.core.errors import Unavailable
from flyball.core.seen_windows import SeenWindow
from flyball.core.watching import WindowReport

MOST = 20_000  # windows kept: a fortnight of windows of a minute
BUSY_S = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS windows (
  first_row INTEGER PRIMARY KEY, last_row INTEGER NOT NULL, start REAL NOT NULL, end REAL NOT NULL,
  report TEXT NOT NULL
);
"""
_OVERLAPPING = "DELETE FROM windows WHERE first_row <= ? AND last_row >= ?"
_KEEP = "INSERT OR REPLACE INTO windows VALUES (?, ?, ?, ?, ?)"
_BOUND = (
    "DELETE FROM windows WHERE first_row < (SELECT first_row FROM windows ORDER BY first_row DESC LIMIT 1 OFFSET ?)"
)


class SqliteWindows:
    """`core.seen_windows.WindowBook`: the writer's side. Opened for each batch: windows come minutes apart."""

    def __init__(self, path: Path, *, most: int = MOST) -> None:
        self._path, self._most = path, most
        self._begun = False  # the file was seen: whether it is there says whether windows were written once

    def keep(self, windows: Sequence[SeenWindow]) -> None:
        """In one transaction; without any windows the book is only begun. Raises: Unavailable."""
        if not windows and (self._begun or self._path.exists()):
            self._begun = True
            return
        with _told(self._path):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with closing(sqlite3.connect(self._path, timeout=BUSY_S)) as db:
                db.execute("PRAGMA synchronous=OFF")
                db.executescript(_SCHEMA)
                with db:
                    for each in windows:
                        first, last = each.report.first_row, each.report.last_row
                        text = msgspec.json.encode(each.report).decode()
                        db.execute(_OVERLAPPING, (last, first))
                        db.execute(_KEEP, (first, last, each.start, each.end, text))
                    db.execute(_BOUND, (self._most - 1,))


def windows_of(
    path: Path,
    *,
    last: int | None = None,
    since: float | None = None,
    until: float | None = None,
    busy_s: float = BUSY_S,
) -> list[SeenWindow]:
    """Windows in the order of their rows, the newest `last` of them; those that end within the span.

    Args: since, until: seconds since the epoch. busy_s: how long to wait for somebody who writes.

    Raises: Unavailable: the file cannot be read, or another version wrote it.
    """
    if not path.exists():
        return []
    query = "SELECT start, end, report FROM windows WHERE end >= ? AND end <= ? ORDER BY first_row DESC LIMIT ?"
    low, high = (-1e300 if since is None else since), (1e300 if until is None else until)
    with _told(path), closing(_reader(path, busy_s)) as db:
        lines = db.execute(query, (low, high, -1 if last is None else last)).fetchall()
    try:
        return [
            SeenWindow(start=start, end=end, report=msgspec.json.decode(text, type=WindowReport))
            for start, end, text in reversed(lines)
        ]
    except msgspec.DecodeError as error:
        raise Unavailable(
            f"{path.name}: a window was written by another version: {error}",
            hint="a running controller (flyball up) writes what it can see again; the file may be deleted",
        ) from error


def newest_window(path: Path, *, busy_s: float = BUSY_S) -> SeenWindow | None:
    """The last one. Raises: Unavailable."""
    found = windows_of(path, last=1, busy_s=busy_s)
    return found[0] if found else None


def _reader(path: Path, busy_s: float) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=busy_s)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Unavailable(f"{path.name}: the windows cannot be read or written: {error}") from error
