"""The ledger's tables on PostgreSQL, their creation, and the server's errors in our words.

The tables stand in the first schema of the connection's search path. They are made in one transaction under a lock: of
two processes that start at once one makes them, the other waits and finds them.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors
from psycopg.rows import TupleRow

from flyball.adapters.ledger.postgres_url import Url
from flyball.core.errors import BadInput, Fault, LedgerBroken, NotFound, Unavailable
from flyball.core.ledger import Tip

Connection = psycopg.Connection[TupleRow]
APPLICATION = "flyball"
LAYOUT = 1
TABLES = ("ledger", "tip", "event_id", "lease", "command", "outbox", "delivery")

# "C": names are compared byte by byte, as SQLite does, whatever language the database speaks
SCHEMA = f"""
CREATE TABLE ledger_layout(
    id INTEGER PRIMARY KEY CHECK (id = 1), application TEXT NOT NULL, layout INTEGER NOT NULL);
INSERT INTO ledger_layout VALUES (1, '{APPLICATION}', {LAYOUT});
CREATE TABLE ledger(
    seq BIGINT PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, subject TEXT COLLATE "C" NOT NULL,
    event TEXT NOT NULL, prev_hash TEXT NOT NULL, hash TEXT NOT NULL);
CREATE INDEX ledger_subject ON ledger(subject, seq);
CREATE TABLE tip(
    id INTEGER PRIMARY KEY CHECK (id = 1), size BIGINT NOT NULL, last_hash TEXT NOT NULL, frontier BYTEA NOT NULL);
INSERT INTO tip VALUES (1, 0, '{"0" * 64}', '');
CREATE TABLE event_id(id TEXT COLLATE "C" PRIMARY KEY, seq BIGINT NOT NULL);
CREATE TABLE lease(
    name TEXT COLLATE "C" PRIMARY KEY, owner TEXT, epoch BIGINT NOT NULL, taken FLOAT8 NOT NULL,
    until FLOAT8 NOT NULL);
CREATE TABLE command(
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT COLLATE "C" NOT NULL UNIQUE, kind TEXT NOT NULL,
    subject TEXT COLLATE "C" NOT NULL, body TEXT NOT NULL, owner TEXT, since FLOAT8 NOT NULL DEFAULT 0,
    until FLOAT8 NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, finished BOOLEAN NOT NULL DEFAULT FALSE,
    error TEXT);
CREATE INDEX command_open ON command(subject, number) WHERE NOT finished;
CREATE TABLE outbox(
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT COLLATE "C" NOT NULL UNIQUE,
    destination TEXT COLLATE "C" NOT NULL, body TEXT NOT NULL, sent INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0, since FLOAT8 NOT NULL DEFAULT 0, until FLOAT8 NOT NULL DEFAULT 0);
CREATE INDEX outbox_waiting ON outbox(destination, number) WHERE sent = 0;
CREATE TABLE delivery(
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, message TEXT NOT NULL,
    destination TEXT COLLATE "C" NOT NULL, attempt INTEGER NOT NULL, at TEXT NOT NULL, outcome TEXT NOT NULL,
    status TEXT NOT NULL);
CREATE INDEX delivery_destination ON delivery(destination, number);
"""


def lock(connection: Connection, what: str) -> None:
    """Wait for whoever does the same, until this transaction ends."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"flyball ledger: {what}",))


def make_tables(connection: Connection, url: Url) -> None:
    """Make them if there are none. Raises: as `check_ours`."""
    if _there(connection, "ledger_layout"):
        return
    with connection.transaction():
        lock(connection, "layout")
        if _there(connection, "ledger_layout"):
            return  # another process was first
        if strangers := [table for table in TABLES if _there(connection, table)]:
            fault = Fault(
                where=str(url),
                path="tables",
                expected="none, or those of a ledger",
                found=f"other tables of these names: {', '.join(strangers)}",
                fix="name another database, or another schema: ?options=-csearch_path%3DNAME",
            )
            raise BadInput("this database holds something else", (fault,))
        connection.execute(SCHEMA)


def check_ours(connection: Connection, url: Url) -> None:
    """Raises: NotFound: no ledger. BadInput: another program's tables, or an encoding that cannot hold every text.

    Unavailable: a later version of ours made them.
    """
    if not _there(connection, "ledger_layout"):
        raise NotFound(f"{url}: there is no ledger in this database", hint=f"flyball ledger use {url}")
    encoding = connection.info.parameter_status("server_encoding")
    row = connection.execute("SELECT application, layout FROM ledger_layout").fetchone()
    application, layout = row if row is not None else ("nobody", 0)
    faults = [
        Fault(where=str(url), path=path, expected=expected, found=str(found), fix=fix)
        for path, expected, found, fix in (
            ("ledger_layout.application", APPLICATION, application, "name another database"),
            ("encoding", "UTF8", encoding, "createdb --encoding=UTF8 --template=template0 NAME"),
        )
        if found != expected
    ]
    if faults:
        raise BadInput("this database cannot be the ledger", tuple(faults))
    if layout > LAYOUT:
        raise Unavailable(
            f"{url}: the ledger has layout {layout}, this version knows layouts up to {LAYOUT}", hint="upgrade flyball"
        )


def read_tip(connection: Connection, *, to_write: bool = False) -> Tip | None:
    """Where the ledger ends; None where the row is gone or not whole. `to_write`: nobody else may, until the end."""
    row = connection.execute(f"SELECT size, last_hash, frontier FROM tip{' FOR UPDATE' if to_write else ''}").fetchone()
    if row is None:
        return None
    size, last_hash, packed = row
    if size < 0 or len(packed) != 32 * size.bit_count():
        return None
    return Tip(size=size, last_hash=last_hash, frontier=tuple(packed[i : i + 32] for i in range(0, len(packed), 32)))


@contextmanager
def translated(url: Url, done: str = "nothing was written") -> Iterator[None]:
    """The server's errors as ours, with what to do. `done`: what became of the transaction."""
    try:
        yield
    except (errors.DataCorrupted, errors.IndexCorrupted) as error:
        raise LedgerBroken(f"{url}: the database is damaged: {_said(error)}", hint="flyball ledger verify") from error
    except psycopg.Error as error:
        raise Unavailable(f"{url}: {done}: {_said(error)}", hint=_hint(error)) from error


def _there(connection: Connection, table: str) -> bool:
    row = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (table,)).fetchone()
    return row == (True,)


def _said(error: psycopg.Error) -> str:
    return error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__


def _hint(error: psycopg.Error) -> str:
    return next((hint for kind, hint in _HINTS if isinstance(error, kind)), "")


_HINTS: tuple[tuple[type[psycopg.Error], str], ...] = (
    (errors.LockNotAvailable, "another process holds the ledger: find out which (pg_stat_activity), or try again"),
    (errors.DeadlockDetected, "two processes waited for each other: try again"),
    (errors.IdleInTransactionSessionTimeout, "this process stood still in a transaction: decide again, then try again"),
    (errors.DiskFull, "the server's disk is full: free space, then try again"),
    (errors.InsufficientPrivilege, "grant this role the rights that the page on PostgreSQL lists"),
    (errors.ReadOnlySqlTransaction, "this server is a standby or read-only: name the primary"),
    (errors.UndefinedTable, "the ledger's tables are not there any more: restore the database"),
    (psycopg.OperationalError, "check that the server runs and lets this role in, then try again"),
)
