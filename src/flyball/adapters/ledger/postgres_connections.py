"""Connections to the ledger's server: as many as there are threads that use it at once, kept for the next.

A server that was started anew has ended all that wait here. Who gets a dead one has sent nothing yet, or has only read:
so it is replaced once, in silence, and a server that is away is told the first time.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import psycopg
from psycopg import conninfo
from psycopg.pq import TransactionStatus

from flyball.adapters.ledger.postgres_schema import Connection
from flyball.adapters.ledger.postgres_url import Url
from flyball.core.errors import BadInput

CONNECT_S = 10  # how long a server may take to let somebody in
SILENT_MS = 30_000  # how long a dead network keeps a call waiting
T = TypeVar("T")

# `off` would answer before a commit is on the disk; whatever is stricter than `on` stays
_SETTINGS = """
SELECT set_config('client_encoding', 'UTF8', false), set_config('lock_timeout', %s, false),
    set_config('idle_in_transaction_session_timeout', %s, false),
    set_config('default_transaction_isolation', 'read committed', false),
    set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)
"""


def connect(url: Url, *, busy_s: float, idle_s: float) -> Connection:
    """A connection of our own settings. Raises: BadInput: libpq knows an option of the URL not. psycopg.Error."""
    try:
        known = conninfo.conninfo_to_dict(url.text)
    except psycopg.ProgrammingError:
        # without its cause, which may repeat parts of the URL
        raise BadInput(f"{url}: an option of this URL is none of libpq's", hint="compare its spelling") from None
    defaults: dict[str, str | int] = {
        "connect_timeout": CONNECT_S,
        "tcp_user_timeout": SILENT_MS,
        "application_name": "flyball",
    }
    told = {name: value for name, value in defaults.items() if name not in known}
    connection = psycopg.connect(conninfo.make_conninfo(url.text, **told), autocommit=True)
    try:
        connection.execute(_SETTINGS, (f"{busy_s * 1000:.0f}", f"{idle_s * 1000:.0f}"))
    except BaseException:
        connection.close()
        raise
    return connection


class Connections:
    """Hands out connections that are ready: `make` gives a new one."""

    def __init__(self, make: Callable[[], Connection]) -> None:
        self._make = make
        self._idle: list[Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    def ask(self, question: Callable[[Connection], T]) -> T:
        """The answer to a question that changes nothing; it is asked again where the connection had died."""
        with self._kept() as (connection, fresh):
            try:
                return question(connection)
            except psycopg.OperationalError:
                if fresh or not connection.closed:
                    raise
        self._forget()
        with self._kept() as (connection, _):
            return question(connection)

    @contextmanager
    def begun(self) -> Iterator[Connection]:
        """A connection in a transaction, which the caller commits; it is rolled back where that did not happen."""
        with self._kept() as (connection, fresh):
            try:
                connection.execute("BEGIN")
            except psycopg.OperationalError:
                if fresh:
                    raise
            else:
                yield connection
                return
        self._forget()
        with self._kept() as (connection, _):
            connection.execute("BEGIN")
            yield connection

    def close(self) -> None:
        """Close those that wait; one that is in use is closed when it comes back. Idempotent."""
        self._closed = True
        self._forget()

    @contextmanager
    def _kept(self) -> Iterator[tuple[Connection, bool]]:
        with self._lock:
            found = self._idle.pop() if self._idle else None
        connection = found or self._make()
        try:
            yield connection, found is None
        finally:
            self._put_back(connection)

    def _put_back(self, connection: Connection) -> None:
        """As it was handed out, or not at all: whatever went wrong, the server then rolls back."""
        if connection.info.transaction_status is not TransactionStatus.IDLE and not connection.closed:
            try:
                connection.rollback()
            except psycopg.Error:
                connection.close()
        with self._lock:
            if not self._closed and not connection.closed:
                self._idle.append(connection)
                return
        connection.close()

    def _forget(self) -> None:
        with self._lock:
            found, self._idle = self._idle, []
        for connection in found:
            connection.close()
