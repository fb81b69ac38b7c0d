"""The ledger on SQLite: one file, many processes and threads, one short transaction an append.

Theory of operation. WAL with `synchronous=FULL`: what `append` returned is on the disk. `BEGIN IMMEDIATE` takes the
one write lock before anything is read, so the tip that is read is the tip that is written behind, and the chain stays
linear whoever writes. Each thread has a connection of its own; a lock inside the process keeps its threads from
polling the file's lock. Readers read page by page and so never hold a snapshot open between two entries.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from flyball.adapters.ledger import sqlite_commands as rows
from flyball.adapters.ledger import sqlite_outbox as outgoing
from flyball.adapters.ledger.rules import check_batch, conflict, entry_of
from flyball.adapters.ledger.sqlite_schema import BUSY_S, connect, read_tip, translated
from flyball.core.clock import Clock, timestamp
from flyball.core.errors import LedgerBroken
from flyball.core.events import AnyFact
from flyball.core.ledger import Claimed, Command, Entry, Head, Lease, Message, Sealed, Sealer, Tip
from flyball.core.outbox import Announcer, Delivery, Outcome, Queue, Waiting

PAGE = 1000  # entries a read fetches at once
_FACT = msgspec.json.Decoder(AnyFact)
_INSERT = "INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?)"


class SqliteLedger:
    """`core.ledger.Ledger` on the SQLite file at `path`, which is made if there is none.

    `max_pages`: a quota for the file in SQLite pages (4 KiB); beyond it appends are refused as on a full disk.
    `busy_s`: how long a writer waits for another one. `announcer`: says what the world outside is told of new facts.
    Raises: BadInput: the file is not a ledger. Unavailable: it cannot be opened; any method: it cannot be written now.
    """

    def __init__(
        self,
        path: Path,
        *,
        sealer: Sealer,
        clock: Clock,
        announcer: Announcer | None = None,
        max_pages: int | None = None,
        busy_s: float = BUSY_S,
    ) -> None:
        self.path = path
        self._announcer = announcer
        self._sealer, self._clock, self._max_pages, self._busy_s = sealer, clock, max_pages, busy_s
        self._local = threading.local()
        self._writing = threading.Lock()
        self._all: list[sqlite3.Connection] = []
        self._connection()

    def append(
        self,
        facts: Sequence[AnyFact],
        *,
        expected: int | None = None,
        ids: Sequence[str] | None = None,
        fence: Lease | None = None,
        outbox: Sequence[Message] = (),
        commands: Sequence[Command] = (),
        finished: Sequence[str] = (),
    ) -> tuple[Entry, ...]:
        """See the port. The entries returned are the new ones, on the disk."""
        subject = check_batch(facts, expected, ids)
        history = partial(self.read, subject=subject)
        if self._announcer is not None and facts:
            self._announcer.prepare(subject, history)
        with self._transaction() as connection:
            if fence is not None:
                rows.check_fence(connection, fence)
            fresh = _unknown(connection, facts, ids)
            if expected is not None and fresh:  # a repeated append has been accepted before: no second look
                _check_version(connection, subject, expected)
            entries = self._write(connection, fresh) if fresh else ()
            if ids is not None and entries:
                connection.executemany(
                    "INSERT INTO event_id VALUES (?, ?)",
                    [(id_, entry.seq) for (id_, _), entry in zip(fresh, entries, strict=True)],
                )
            rows.put_commands(connection, commands)
            rows.finish_commands(connection, finished)
            outgoing.put_messages(connection, outbox)
            if self._announcer is not None and entries:
                outgoing.put_messages(connection, self._announcer.messages(entries, history))
        return entries

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]:
        """Entries behind `after` in order, decoded; new ones that arrive while reading are read too."""
        only, connection = "AND subject = ?" if subject is not None else "", self._connection()
        query = f"SELECT seq, at, type, subject, event, prev_hash, hash FROM ledger WHERE seq > ? {only} ORDER BY seq"
        while True:
            with translated(self.path):
                wanted = (after, subject) if subject is not None else (after,)
                page = connection.execute(f"{query} LIMIT {PAGE}", wanted).fetchall()
            for row in page:
                sealed = Sealed(**dict(zip(Sealed.__struct_fields__, row, strict=True)))
                yield entry_of(sealed, _FACT.decode(sealed.event))
            if len(page) < PAGE:
                return
            after = page[-1][0]

    def head(self) -> Head:
        tip = self.tip()
        return Head(size=tip.size, root=self._sealer.root(tip))

    def tip(self) -> Tip:
        """Where the ledger ends, as its author keeps it."""
        with translated(self.path):
            return _tip(self._connection())

    def hashes(self, after: int, upto: int) -> Iterator[bytes]:
        """Leaf hashes of the entries after < seq <= upto, 32 bytes each."""
        with translated(self.path):
            found = self._connection().execute(
                "SELECT hash FROM ledger WHERE seq > ? AND seq <= ? ORDER BY seq", (after, upto)
            )
            yield from (bytes.fromhex(each) for (each,) in found)

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None:
        with self._transaction() as connection:
            return rows.take_lease(connection, name, owner, self._clock.monotonic(), ttl_s)

    def release(self, lease: Lease) -> None:
        with self._transaction() as connection:
            rows.give_lease_back(connection, lease)

    def claim(self, subject: str, owner: str, *, ttl_s: float) -> Claimed | None:
        with self._transaction() as connection:
            return rows.claim_command(connection, subject, owner, self._clock.monotonic(), ttl_s)

    def postpone(self, key: str, *, delay_s: float, error: str, failed: bool = True) -> None:
        with self._transaction() as connection:
            rows.postpone_command(connection, key, self._clock.monotonic(), delay_s, error, failed=failed)

    def pending(self, limit: int = 100) -> tuple[Message, ...]:
        """Messages of the outbox that nobody acknowledged, oldest first: each is to be sent at least once."""
        with translated(self.path):
            return outgoing.unsent(self._connection(), limit)

    def ack(self, ids: Sequence[str]) -> None:
        """These messages have arrived."""
        with self._transaction() as connection:
            outgoing.mark_sent(connection, ids)

    def waiting(self) -> tuple[str, ...]:
        with translated(self.path):
            return outgoing.waiting(self._connection())

    def queues(self) -> tuple[Queue, ...]:
        with translated(self.path):
            return outgoing.queues(self._connection())

    def next_due(self, destination: str) -> Waiting | None:
        with translated(self.path):
            return outgoing.next_due(self._connection(), destination, self._clock.monotonic())

    def record(self, message: str, outcome: Outcome, status: str, *, delay_s: float = 0.0) -> None:
        at, now = timestamp(self._clock.now()), self._clock.monotonic()
        with self._transaction() as connection:
            outgoing.record(connection, message, outcome, status, at=at, now=now, delay_s=delay_s)

    def deliveries(self, *, destination: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        with translated(self.path):
            return outgoing.deliveries(self._connection(), destination, limit)

    def redeliver(self, *, destination: str, message: str | None = None) -> int:
        with self._transaction() as connection:
            return outgoing.redeliver(connection, destination, message)

    def close(self) -> None:
        """Close the connections of all threads. Idempotent."""
        while self._all:
            self._all.pop().close()
        self._local = threading.local()

    def _write(self, connection: sqlite3.Connection, fresh: Sequence[tuple[str, AnyFact]]) -> tuple[Entry, ...]:
        tip, at = _tip(connection), timestamp(self._clock.now())
        sealed: list[Sealed] = []
        for _, fact in fresh:
            row, tip = self._sealer.seal(tip, at, fact)
            sealed.append(row)
        connection.executemany(
            _INSERT, [(e.seq, e.at, e.type, e.subject, e.event, e.prev_hash, e.hash) for e in sealed]
        )
        connection.execute(
            "UPDATE tip SET size = ?, last_hash = ?, frontier = ?", (tip.size, tip.last_hash, b"".join(tip.frontier))
        )
        return tuple(entry_of(row, fact) for row, (_, fact) in zip(sealed, fresh, strict=True))

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = connect(self.path, busy_s=self._busy_s)
            self._all.append(found)
            if self._max_pages is not None:
                found.execute(f"PRAGMA max_page_count = {self._max_pages:d}")
        return found

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        with self._writing, translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # after some errors SQLite has rolled back by itself
                    connection.execute("ROLLBACK")
                raise


def _unknown(
    connection: sqlite3.Connection, facts: Sequence[AnyFact], ids: Sequence[str] | None
) -> list[tuple[str, AnyFact]]:
    if ids is None:
        return [("", fact) for fact in facts]
    known = "SELECT 1 FROM event_id WHERE id = ?"
    pairs = zip(ids, facts, strict=True)
    return [(id_, fact) for id_, fact in pairs if connection.execute(known, (id_,)).fetchone() is None]


def _check_version(connection: sqlite3.Connection, subject: str, expected: int) -> None:
    query = "SELECT coalesce(max(seq), 0) FROM ledger WHERE subject = ?"
    present = connection.execute(query, (subject,)).fetchone()[0]
    if present != expected:
        raise conflict(subject, expected, present)


def _tip(connection: sqlite3.Connection) -> Tip:
    tip = read_tip(connection)
    if tip is None:
        raise LedgerBroken("the tip in the database is damaged: nothing can be appended", hint="flyball ledger verify")
    return tip
