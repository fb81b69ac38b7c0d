"""The ledger's SQLite file: its tables, its creation, its errors in our words.

A new file is made whole under another name and then linked to its own: of two processes that start at once one makes
it, and nobody ever sees a file without tables.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from flyball.core.errors import BadInput, Fault, LedgerBroken, Unavailable
from flyball.core.ledger import Tip

APPLICATION_ID = 0x466C7942  # "FlyB"
USER_VERSION = 2
BUSY_S = 30.0  # how long a writer waits for the one before

# layout 2: what the relay has to know of a message, and its delivery log. `sent`: 0 waits, 1 arrived, 2 refused
OUTBOX_2 = """
ALTER TABLE outbox ADD COLUMN attempts INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN since REAL NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN until REAL NOT NULL DEFAULT 0;
CREATE INDEX outbox_waiting ON outbox(destination, number) WHERE sent = 0;
CREATE TABLE delivery(
    number INTEGER PRIMARY KEY, message TEXT NOT NULL, destination TEXT NOT NULL, attempt INTEGER NOT NULL,
    at TEXT NOT NULL, outcome TEXT NOT NULL, status TEXT NOT NULL) STRICT;
CREATE INDEX delivery_destination ON delivery(destination, number);
"""

SCHEMA = f"""
CREATE TABLE ledger(
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, subject TEXT NOT NULL, event TEXT NOT NULL,
    prev_hash TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE INDEX ledger_subject ON ledger(subject, seq);
CREATE TABLE tip(
    id INTEGER PRIMARY KEY CHECK (id = 1), size INTEGER NOT NULL, last_hash TEXT NOT NULL,
    frontier BLOB NOT NULL) STRICT;
INSERT INTO tip VALUES (1, 0, '{"0" * 64}', x'');
CREATE TABLE event_id(id TEXT PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE lease(
    name TEXT PRIMARY KEY, owner TEXT, epoch INTEGER NOT NULL, taken REAL NOT NULL, until REAL NOT NULL) STRICT;
CREATE TABLE command(
    number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, subject TEXT NOT NULL,
    body TEXT NOT NULL, owner TEXT, since REAL NOT NULL DEFAULT 0, until REAL NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0, error TEXT) STRICT;
CREATE INDEX command_open ON command(subject, number) WHERE NOT finished;
CREATE TABLE outbox(
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, destination TEXT NOT NULL, body TEXT NOT NULL,
    sent INTEGER NOT NULL DEFAULT 0) STRICT;
{OUTBOX_2}PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {USER_VERSION};
"""


def connect(path: Path, *, busy_s: float = BUSY_S) -> sqlite3.Connection:
    """A connection that may write; the file is made if there is none.

    Raises: BadInput: the file is not a ledger of ours. Unavailable: it cannot be opened.
    """
    with translated(path):
        if not path.exists():
            _create(path)
        # check_same_thread: each thread has a connection of its own, but `close` closes them all
        connection = sqlite3.connect(path, timeout=busy_s, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA synchronous = FULL")
        check_ours(connection, path)
        _migrate(connection)
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection that can never write. Raises: as `connect`."""
    with translated(path):
        name = f"file:{quote(str(path.resolve()))}?mode=ro"
        if not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists():
            name += "&immutable=1"  # a folder in which nobody can write: SQLite's shared memory file neither
        connection = sqlite3.connect(name, uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
        check_ours(connection, path)
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring an older layout to this one, whole or not at all; of two processes one does it, the other waits."""
    if _version(connection) == USER_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _version(connection) < USER_VERSION:
            for statement in (*OUTBOX_2.split(";")[:-1], "DROP INDEX outbox_open"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {USER_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def check_ours(connection: sqlite3.Connection, path: Path) -> None:
    """Raises: BadInput: another program's file. Unavailable: a later version of ours wrote it."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = _version(connection)
    if application != APPLICATION_ID:
        raise BadInput(
            "this file is not a ledger",
            (
                Fault(
                    where=str(path),
                    path="application_id",
                    expected=f"{APPLICATION_ID:#x}",
                    found=f"{application:#x}",
                    fix="name another home, or move the file away",
                ),
            ),
        )
    if version > USER_VERSION:
        raise Unavailable(
            f"{path}: the ledger has layout {version}, this version knows layouts up to {USER_VERSION}",
            hint="upgrade flyball",
        )


def read_tip(connection: sqlite3.Connection) -> Tip | None:
    """Where the ledger ends; None where the row is gone or not whole."""
    row = connection.execute("SELECT size, last_hash, frontier FROM tip").fetchone()
    if row is None:
        return None
    size, last_hash, packed = row
    text = last_hash if isinstance(last_hash, str) else last_hash.decode("utf-8", "replace")  # auditors read bytes
    if len(packed) != 32 * size.bit_count():
        return None
    return Tip(size=size, last_hash=text, frontier=tuple(packed[i : i + 32] for i in range(0, len(packed), 32)))


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as ours, with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_CORRUPT:
            raise LedgerBroken(f"{path}: the file is damaged: {error}", hint="flyball ledger verify") from error
        if code == sqlite3.SQLITE_NOTADB:
            fault = Fault(where=str(path), path="file", expected="a SQLite database", found="other bytes")
            raise BadInput("this file is not a ledger", (fault,)) from error
        raise Unavailable(f"{path}: nothing was written: {error}", hint=_HINTS.get(code, "")) from error
    except OSError as error:
        raise Unavailable(f"{path}: nothing was written: {error}", hint="check folder, rights and space") from error


_HINTS = {
    sqlite3.SQLITE_FULL: "the disk or the quota is full: free space, then try again",
    sqlite3.SQLITE_BUSY: "another process holds the ledger: find out which, or try again",
    sqlite3.SQLITE_LOCKED: "another connection holds the ledger: try again",
    sqlite3.SQLITE_READONLY: "the file or its folder cannot be written: give this user the right to write",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened: check that the folder exists and its rights",
    sqlite3.SQLITE_IOERR: "the disk gave an error: check disk and file system (network file systems do not work)",
}


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".ledger-") as folder:
        draft = Path(folder) / "ledger.db"
        connection = sqlite3.connect(draft, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")  # kept in the file
        connection.executescript(f"BEGIN;{SCHEMA}COMMIT;")
        connection.close()
        draft.chmod(0o600)
        try:
            os.link(draft, path)
        except FileExistsError:
            return  # another process was first: its file is as good
    folder_of = os.open(path.parent, os.O_RDONLY)
    os.fsync(folder_of)
    os.close(folder_of)
