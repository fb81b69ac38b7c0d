"""The ledger's file as an auditor reads it: one consistent snapshot, never opened for writing, bytes not decoded."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from flyball.adapters.ledger.sqlite_schema import connect_to_read, read_tip, translated
from flyball.core.ledger import Tip

Row = tuple[int, bytes, bytes, bytes, bytes, bytes, bytes]  # seq, at, type, subject, event, prev_hash, hash


class Snapshot:
    """What the ledger held when this was opened, whoever appends meanwhile.

    Raises: BadInput: the file is not a ledger. Unavailable: it cannot be read. LedgerBroken, from any method: the
    file is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect_to_read(path)
        self._connection.text_factory = bytes  # damaged text must reach the check, not fail on its way
        with translated(path):
            self._connection.execute("BEGIN")  # the first read fixes what is seen

    def rows(self, after: int = 0, upto: int | None = None) -> Iterator[Row]:
        """Entries after < seq <= upto in order."""
        query = (
            "SELECT seq, at, type, subject, event, prev_hash, hash FROM ledger WHERE seq > ? AND seq <= ? ORDER BY seq"
        )
        with translated(self._path):
            yield from self._connection.execute(query, (after, upto if upto is not None else 2**63 - 1))

    def events(self) -> int:
        """How many entries there are."""
        with translated(self._path):
            return int(self._one("SELECT count(*) FROM ledger")[0])

    def last(self) -> int:
        """Number of the newest entry, 0 without one."""
        with translated(self._path):
            return int(self._one("SELECT coalesce(max(seq), 0) FROM ledger")[0])

    def tip(self) -> Tip | None:
        """Where the ledger ends, as its author keeps it; None where that is damaged."""
        with translated(self._path):
            return read_tip(self._connection)

    def index_faults(self) -> tuple[str, ...]:
        """Where the index by service does not tell what the table says: readers of one service would be misled."""
        with translated(self._path):
            found = self._connection.execute("PRAGMA integrity_check(ledger)").fetchall()
        return tuple(each.decode() for (each,) in found if each != b"ok")

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _one(self, query: str) -> sqlite3.Row:
        found: sqlite3.Row = self._connection.execute(query).fetchone()
        return found
