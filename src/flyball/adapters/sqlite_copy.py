"""A copy of an SQLite file while others write to it: SQLite's own online backup, whole and of one moment."""

import sqlite3
from contextlib import closing
from pathlib import Path

from flyball.core.errors import Unavailable

PAGES = 1000  # copied at a time; writers have their turn between two


def is_sqlite(path: Path) -> bool:
    """Whether a file is an SQLite database, by its first bytes. Raises: OSError."""
    with path.open("rb") as file:
        return file.read(16) == b"SQLite format 3\0"


def copied(source: Path, to: Path) -> None:
    """Raises: Unavailable: it cannot be read or written, or is damaged."""
    try:
        with closing(sqlite3.connect(source, timeout=30.0)) as read, closing(sqlite3.connect(to)) as written:
            read.backup(written, pages=PAGES)
            # the copy is read by whoever has it, on a disk that may take no further file beside it
            written.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise Unavailable(f"{source}: no copy can be made: {error}", hint="look at disk and space") from error
