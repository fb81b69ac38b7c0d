"""The ledger on PostgreSQL: for several hosts that share it; the tables and promises are those of `sqlite.py`.

Theory of operation. An append locks the one row of `tip` before anything is read, so the tip that is read is the tip
that is written behind, and the chain stays linear whichever host writes. Everything else locks what it changes: a
lease, the commands of a subject, the outbox. Every transaction is READ COMMITTED and asks for its locks first, so what
it reads afterwards is what the holder before has left. Points at which it may end badly:

A. the writer dies, or its connection: the server rolls back, and the lock is free.
B. the writer stands still (SIGSTOP, a paused machine): after `idle_s` the server ends its session, as in A. It is told
   so when it goes on, and has written nothing.
C. the connection is lost between `COMMIT` and its answer: nobody here can know. `Unavailable` says so; an append with
   ids may be repeated, one with `expected` is then refused if it had been written.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import msgspec
import psycopg

from flyball.adapters.clock import SystemClock
from flyball.adapters.ledger import postgres_commands as rows
from flyball.adapters.ledger import postgres_outbox as outgoing
from flyball.adapters.ledger.postgres_connections import Connections, connect
from flyball.adapters.ledger.postgres_schema import Connection, check_ours, make_tables, read_tip, translated
from flyball.adapters.ledger.postgres_url import Url, parsed
from flyball.adapters.ledger.rules import check_batch, conflict, entry_of
from flyball.core.clock import Clock, timestamp
from flyball.core.errors import LedgerBroken, Unavailable
from flyball.core.events import AnyFact
from flyball.core.ledger import Claimed, Command, Entry, Head, Lease, Message, Sealed, Sealer, Tip
from flyball.core.outbox import Announcer, Delivery, Outcome, Queue, Waiting

PAGE = 1000  # entries a read fetches at once
BUSY_S = 30.0  # how long a writer waits for the one before
IDLE_S = 10.0  # how long a transaction may stand still; ours take milliseconds
_FACT = msgspec.json.Decoder(AnyFact)
_COLUMNS = ", ".join(Sealed.__struct_fields__)
_READ = "could not be read"
T = TypeVar("T")


class PostgresLedger:
    """`core.ledger.Ledger` in the database that `url` names; its tables are made if there are none.

    `clock`: a simulated world's, which then also measures leases; without one the host's says when a fact was written,
    and the database's how long a right lasts. `announcer`: says what the world outside is told of new facts.
    Raises: BadInput: the URL is none, or names another program's tables. Unavailable: it cannot be opened; any method:
    it cannot be reached or written now.
    """

    def __init__(
        self,
        url: str,
        *,
        sealer: Sealer,
        clock: Clock | None = None,
        announcer: Announcer | None = None,
        busy_s: float = BUSY_S,
        idle_s: float = IDLE_S,
    ) -> None:
        self.url: Url = parsed(url)
        self._sealer, self._simulated, self._announcer = sealer, clock, announcer
        self._wall = clock or SystemClock()
        self._connections = Connections(partial(connect, self.url, busy_s=busy_s, idle_s=idle_s))
        try:
            self._ask(self._made)
        except BaseException:
            self.close()
            raise

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
        """See the port. The entries returned are the new ones, on the server's disk."""
        subject = check_batch(facts, expected, ids)
        if self._announcer is not None and facts:
            self._announcer.prepare(subject, partial(self.read, subject=subject))
        with self._transaction() as connection:
            tip = read_tip(connection, to_write=True)
            if fence is not None:
                rows.check_fence(connection, fence)
            fresh = _unknown(connection, facts, ids)
            if expected is not None and fresh:  # a repeated append has been accepted before: no second look
                _check_version(connection, subject, expected)
            entries = self._write(connection, tip, fresh) if fresh else ()
            if ids is not None and entries:
                named = [(id_, entry.seq) for (id_, _), entry in zip(fresh, entries, strict=True)]
                connection.cursor().executemany("INSERT INTO event_id VALUES (%s, %s)", named)
            rows.put_commands(connection, commands)
            rows.finish_commands(connection, finished)
            outgoing.put_messages(connection, outbox)
            if self._announcer is not None and entries:
                history = partial(_entries, partial(_page, connection, subject))
                outgoing.put_messages(connection, self._announcer.messages(entries, history))
        return entries

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]:
        """Entries behind `after` in order, decoded; new ones that arrive while reading are read too."""
        return _entries(lambda behind: self._ask(lambda connection: _page(connection, subject, behind)), after)

    def head(self) -> Head:
        tip = self.tip()
        return Head(size=tip.size, root=self._sealer.root(tip))

    def tip(self) -> Tip:
        """Where the ledger ends, as its author keeps it."""
        return _whole(self._ask(read_tip))

    def hashes(self, after: int, upto: int) -> Iterator[bytes]:
        """Leaf hashes of the entries after < seq <= upto, 32 bytes each."""
        for start in range(after, upto, PAGE):
            yield from self._ask(partial(_hashes, after=start, upto=min(start + PAGE, upto)))

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None:
        with self._transaction() as connection:
            rows.lock_lease(connection, name)
            return rows.take_lease(connection, name, owner, self._moment(connection), ttl_s)

    def release(self, lease: Lease) -> None:
        with self._transaction() as connection:
            rows.give_lease_back(connection, lease)

    def claim(self, subject: str, owner: str, *, ttl_s: float) -> Claimed | None:
        with self._transaction() as connection:
            rows.lock_commands(connection, subject)
            return rows.claim_command(connection, subject, owner, self._moment(connection), ttl_s)

    def postpone(self, key: str, *, delay_s: float, error: str, failed: bool = True) -> None:
        with self._transaction() as connection:
            rows.postpone_command(connection, key, self._moment(connection), delay_s, error, failed=failed)

    def pending(self, limit: int = 100) -> tuple[Message, ...]:
        """Messages of the outbox that nobody acknowledged, oldest first: each is to be sent at least once."""
        return self._ask(lambda connection: outgoing.unsent(connection, limit))

    def ack(self, ids: Sequence[str]) -> None:
        """These messages have arrived."""
        with self._transaction() as connection:
            outgoing.lock_outbox(connection)
            outgoing.mark_sent(connection, ids)

    def waiting(self) -> tuple[str, ...]:
        return self._ask(outgoing.waiting)

    def queues(self) -> tuple[Queue, ...]:
        return self._ask(outgoing.queues)

    def next_due(self, destination: str) -> Waiting | None:
        return self._ask(lambda connection: outgoing.next_due(connection, destination, self._moment(connection)))

    def record(self, message: str, outcome: Outcome, status: str, *, delay_s: float = 0.0) -> None:
        at = timestamp(self._wall.now())
        with self._transaction() as connection:
            outgoing.lock_outbox(connection)
            now = self._moment(connection)
            outgoing.record(connection, message, outcome, status, at=at, now=now, delay_s=delay_s)

    def deliveries(self, *, destination: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        return self._ask(lambda connection: outgoing.deliveries(connection, destination, limit))

    def redeliver(self, *, destination: str, message: str | None = None) -> int:
        with self._transaction() as connection:
            outgoing.lock_outbox(connection)
            return outgoing.redeliver(connection, destination, message)

    def close(self) -> None:
        """Close the connections. Idempotent."""
        self._connections.close()

    def _made(self, connection: Connection) -> None:
        make_tables(connection, self.url)
        check_ours(connection, self.url)

    def _moment(self, connection: Connection) -> float:
        return self._simulated.monotonic() if self._simulated is not None else rows.moment(connection)

    def _write(
        self, connection: Connection, before: Tip | None, fresh: Sequence[tuple[str, AnyFact]]
    ) -> tuple[Entry, ...]:
        tip, at = _whole(before), timestamp(self._wall.now())
        sealed: list[Sealed] = []
        for _, fact in fresh:
            row, tip = self._sealer.seal(tip, at, fact)
            sealed.append(row)
        connection.cursor().executemany(
            f"INSERT INTO ledger({_COLUMNS}) VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [(e.seq, e.at, e.type, e.subject, e.event, e.prev_hash, e.hash) for e in sealed],
        )
        connection.execute(
            "UPDATE tip SET size = %s, last_hash = %s, frontier = %s", (tip.size, tip.last_hash, b"".join(tip.frontier))
        )
        return tuple(entry_of(row, fact) for row, (_, fact) in zip(sealed, fresh, strict=True))

    def _ask(self, question: Callable[[Connection], T]) -> T:
        with translated(self.url, _READ):
            return self._connections.ask(question)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with translated(self.url), self._connections.begun() as connection:
            yield connection
            self._commit(connection)

    def _commit(self, connection: Connection) -> None:
        try:
            done = connection.execute("COMMIT")
        except psycopg.OperationalError as error:
            raise Unavailable(
                f"{self.url}: the connection was lost in the commit: it may be written, or not: {error}",
                hint="read the ledger before doing it again; an append with ids may be repeated as it is",
            ) from error
        if done.statusmessage != "COMMIT":  # an earlier statement had failed, and somebody kept that to himself
            raise Unavailable(f"{self.url}: nothing was written: the transaction had failed before its commit")


def _entries(page: Callable[[int], list[Sealed]], after: int) -> Iterator[Entry]:
    while True:
        found = page(after)
        for sealed in found:
            yield entry_of(sealed, _FACT.decode(sealed.event))
        if len(found) < PAGE:
            return
        after = found[-1].seq


def _page(connection: Connection, subject: str | None, after: int) -> list[Sealed]:
    only, wanted = ("AND subject = %s", (after, subject)) if subject is not None else ("", (after,))
    query = f"SELECT {_COLUMNS} FROM ledger WHERE seq > %s {only} ORDER BY seq LIMIT {PAGE}"
    fields = Sealed.__struct_fields__
    return [Sealed(**dict(zip(fields, row, strict=True))) for row in connection.execute(query, wanted)]


def _hashes(connection: Connection, *, after: int, upto: int) -> list[bytes]:
    query = "SELECT hash FROM ledger WHERE seq > %s AND seq <= %s ORDER BY seq"
    return [bytes.fromhex(each) for (each,) in connection.execute(query, (after, upto))]


def _unknown(connection: Connection, facts: Sequence[AnyFact], ids: Sequence[str] | None) -> list[tuple[str, AnyFact]]:
    if ids is None:
        return [("", fact) for fact in facts]
    known = {id_ for (id_,) in connection.execute("SELECT id FROM event_id WHERE id = ANY(%s)", (list(ids),))}
    return [(id_, fact) for id_, fact in zip(ids, facts, strict=True) if id_ not in known]


def _check_version(connection: Connection, subject: str, expected: int) -> None:
    query = "SELECT coalesce(max(seq), 0) FROM ledger WHERE subject = %s"
    row = connection.execute(query, (subject,)).fetchone()
    present = row[0] if row else 0
    if present != expected:
        raise conflict(subject, expected, present)


def _whole(tip: Tip | None) -> Tip:
    if tip is None:
        raise LedgerBroken("the tip in the database is damaged: nothing can be appended", hint="flyball ledger verify")
    return tip
