"""Labels by prediction id on SQLite: idempotent, corrections kept, each handed on in exactly one pane.

Of several labels of a prediction the one with the latest time stands, of two with the same time the greater as text, as
in the monitor. Every label that comes to stand is a line; one that is older than the label that stands changes nothing
and is none. The same label again is no line either, but it stands as of its later time from then on.

`take(pane)` gives the lines that wait to a pane, in one transaction, and asked again for the same pane it gives the
same lines: a pane that is sealed a second time after a crash has the same labels, and no label is in two panes.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import msgspec

from flyball.core.errors import Unavailable
from flyball.core.prediction import LabelRecord

BOOK = "labels.db"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS labels (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL, label TEXT NOT NULL, at REAL NOT NULL, pane INTEGER
);
CREATE TABLE IF NOT EXISTS confirmed (id TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS labels_by_id ON labels (id, seq);
CREATE INDEX IF NOT EXISTS labels_waiting ON labels (pane);
"""


class SqliteLabels:
    """`core.ports.LabelBook` of one service; safe to use from several threads. Everything raises Unavailable."""

    def __init__(self, path: Path, *, busy_s: float = 10.0, synced: bool = False) -> None:
        """`busy_s`: how long to wait for another process that writes. `synced`: also a power cut loses no label that
        was acknowledged. Raises: Unavailable: it cannot be opened."""
        self._path = path
        self.on_first: Callable[[LabelRecord], None] | None = None  # told of each first label that was kept
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=busy_s)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
            self._db.executescript(_SCHEMA)
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(f"{path}: the label book cannot be opened: {error}") from error

    def put(self, labels: Sequence[LabelRecord]) -> tuple[int, int, int]:
        """New, duplicate (the same value, or an older one: it changes nothing), corrected; all or nothing."""
        firsts: list[LabelRecord] = []
        duplicate = corrected = 0
        with self._transaction() as db:
            for label in labels:
                before = _standing(db, label.id)
                if before is not None and not outlives(label, before):
                    duplicate += 1
                    if before.label == label.label and label.at > before.at:
                        db.execute("INSERT OR REPLACE INTO confirmed VALUES (?, ?)", (label.id, label.at))
                    continue
                if before is None:
                    firsts.append(label)
                else:
                    corrected += 1
                text = msgspec.json.encode(label.label).decode()
                db.execute("INSERT INTO labels (id, label, at) VALUES (?, ?, ?)", (label.id, text, label.at))
                db.execute("DELETE FROM confirmed WHERE id = ?", (label.id,))
        if self.on_first is not None:
            for label in firsts:
                self.on_first(label)
        return len(firsts), duplicate, corrected

    def take(self, pane: int) -> list[LabelRecord]:
        """The labels of this pane: those that waited, and those it was given before."""
        with self._transaction() as db:
            db.execute("UPDATE labels SET pane = ? WHERE pane IS NULL", (pane,))
            lines = db.execute("SELECT id, label, at FROM labels WHERE pane = ? ORDER BY seq", (pane,)).fetchall()
        return [LabelRecord(id=name, label=msgspec.json.decode(label), at=at) for name, label, at in lines]

    def waiting(self) -> int:
        """Labels that no pane has yet."""
        with self._held() as db:
            found: int = db.execute("SELECT count(*) FROM labels WHERE pane IS NULL").fetchone()[0]
        return found

    def newest_pane(self) -> int:
        """Highest pane that was ever given labels; -1: none."""
        with self._held() as db:
            found = db.execute("SELECT max(pane) FROM labels").fetchone()[0]
        return -1 if found is None else int(found)

    def forget(self, before: int) -> int:
        """Labels of the panes below, which are gone. Returns how many; one that is sent again counts as new."""
        with self._transaction() as db:
            gone = db.execute("DELETE FROM labels WHERE pane < ?", (before,)).rowcount
            db.execute("DELETE FROM confirmed WHERE id NOT IN (SELECT id FROM labels)")
            return gone

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _held(self) -> Iterator[sqlite3.Connection]:
        """The database for one thread, its words translated."""
        with self._lock:
            try:
                yield self._db
            except sqlite3.Error as error:
                raise Unavailable(f"the label book {self._path.name} refuses: {error}") from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """BEGIN IMMEDIATE ... COMMIT; nothing has happened where anything is raised, the COMMIT included."""
        with self._held() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise


def outlives(label: LabelRecord, standing: LabelRecord) -> bool:
    """Whether another value comes to stand in place of the one that does.

    >>> outlives(LabelRecord(id="p", label=0, at=2.0), LabelRecord(id="p", label=1, at=1.0))
    True
    """
    return label.label != standing.label and (label.at, str(label.label)) > (standing.at, str(standing.label))


def _standing(db: sqlite3.Connection, name: str) -> LabelRecord | None:
    """The label of this prediction, as of the latest time that it was told for."""
    found = db.execute(
        "SELECT l.label, max(l.at, coalesce(c.at, l.at)) FROM labels l LEFT JOIN confirmed c ON c.id = l.id "
        "WHERE l.id = ? ORDER BY l.at DESC, l.seq DESC LIMIT 1",
        (name,),
    ).fetchone()
    return None if found is None else LabelRecord(id=name, label=msgspec.json.decode(found[0]), at=found[1])


def waiting_labels(folder: Path, after: int) -> list[LabelRecord]:
    """Labels of a service that no sealed pane has: those that wait, and those of panes above `after`."""
    return _read(folder / BOOK, "pane IS NULL OR pane > ?", after)


def labels_of(folder: Path, prediction: str) -> list[LabelRecord]:
    """All labels of one prediction, in the order in which they came; the last one stands."""
    return _read(folder / BOOK, "id = ?", prediction)


def _read(book: Path, which: str, value: int | str) -> list[LabelRecord]:
    """By somebody who does not write. Raises: Unavailable."""
    if not book.exists():
        return []
    try:
        with closing(sqlite3.connect(f"file:{quote(str(book))}?mode=ro", uri=True, timeout=10.0)) as db:
            lines = db.execute(f"SELECT id, label, at FROM labels WHERE {which} ORDER BY seq", (value,)).fetchall()
    except sqlite3.Error as error:
        raise Unavailable(f"the label book {book.name} cannot be read: {error}") from error
    return [LabelRecord(id=name, label=msgspec.json.decode(label), at=at) for name, label, at in lines]
