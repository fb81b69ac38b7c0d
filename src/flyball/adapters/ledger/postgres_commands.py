"""Leases and commands on PostgreSQL: rows that change, in the transactions of the facts that do not.

Time-limited rights are measured by the database's clock, which all hosts share: a host whose clock is wrong gains
nothing by it. It is asked after the lock is held, so that what is compared with it was written before. A right that
was taken "in the future" is over: the database's clock was set back. Whoever was overtaken unawares is fenced off, and
whoever is under way behind a fence keeps the lease from changing hands until the transaction ends.
"""

from collections.abc import Sequence

import msgspec

from flyball.adapters.ledger.postgres_schema import Connection, lock
from flyball.adapters.ledger.rules import next_epoch, not_open, not_ordered, stale
from flyball.core.codec import canonical
from flyball.core.ledger import Claimed, Command, Lease

RUNNING = "since <= %(now)s AND %(now)s < until"


def moment(connection: Connection) -> float:
    """The database's clock, in seconds."""
    row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
    assert row is not None
    return float(row[0])


def lock_lease(connection: Connection, name: str) -> None:
    """Before the clock is asked: whoever holds a fence on this lease, or takes it, comes first."""
    lock(connection, f"lease {name}")
    connection.execute("SELECT 1 FROM lease WHERE name = %s FOR UPDATE", (name,))


def take_lease(connection: Connection, name: str, owner: str, now: float, ttl_s: float) -> Lease | None:
    """Take or renew; None while another holder's runs. Behind `lock_lease`; `now` in seconds."""
    row = connection.execute("SELECT owner, epoch, taken, until FROM lease WHERE name = %s", (name,)).fetchone()
    epoch = next_epoch(row, owner, now)
    if epoch is None:
        return None
    connection.execute(
        "INSERT INTO lease VALUES (%s, %s, %s, %s, %s) ON CONFLICT (name) DO UPDATE SET "
        "owner = excluded.owner, epoch = excluded.epoch, taken = excluded.taken, until = excluded.until",
        (name, owner, epoch, now, now + ttl_s),
    )
    return Lease(name=name, owner=owner, epoch=epoch)


def give_lease_back(connection: Connection, lease: Lease) -> None:
    """The next holder need not wait. A lease that was lost is left alone."""
    connection.execute(
        "UPDATE lease SET owner = NULL WHERE name = %s AND owner = %s AND epoch = %s",
        (lease.name, lease.owner, lease.epoch),
    )


def check_fence(connection: Connection, fence: Lease) -> None:
    """From here to the end of the transaction nobody takes the lease.

    Raises: StaleEpoch: the lease is not the newest of its name.
    """
    query = "SELECT owner, epoch FROM lease WHERE name = %s FOR SHARE"
    row = connection.execute(query, (fence.name,)).fetchone()
    if row != (fence.owner, fence.epoch):
        raise stale(fence, row[0] if row else None, row[1] if row else 0)


def put_commands(connection: Connection, commands: Sequence[Command]) -> None:
    """A key that is known already changes nothing."""
    for each in commands:
        connection.execute(
            "INSERT INTO command(key, kind, subject, body) VALUES (%s, %s, %s, %s) ON CONFLICT (key) DO NOTHING",
            (each.key, each.kind, each.subject, canonical(each.body).decode()),
        )


def finish_commands(connection: Connection, keys: Sequence[str]) -> None:
    """Finishing twice is finishing once. Raises: NotFound: a key that was never ordered."""
    for key in keys:
        done = connection.execute("UPDATE command SET finished = TRUE, owner = NULL WHERE key = %s", (key,))
        if done.rowcount == 0:
            raise not_ordered(key)


def lock_commands(connection: Connection, subject: str) -> None:
    """Before the clock is asked: one claims at a time."""
    lock(connection, f"commands of {subject}")


def claim_command(connection: Connection, subject: str, owner: str, now: float, ttl_s: float) -> Claimed | None:
    """The oldest open command that nobody holds and that is not postponed. Behind `lock_commands`."""
    row = connection.execute(
        "SELECT key, kind, body, attempts FROM command "
        f"WHERE subject = %(subject)s AND NOT finished AND NOT ({RUNNING}) ORDER BY number LIMIT 1 FOR UPDATE",
        {"subject": subject, "now": now},
    ).fetchone()
    if row is None:
        return None
    key, kind, body, attempts = row
    connection.execute(
        "UPDATE command SET owner = %s, since = %s, until = %s, attempts = attempts + 1 WHERE key = %s",
        (owner, now, now + ttl_s, key),
    )
    command = Command(key=key, kind=kind, subject=subject, body=msgspec.json.decode(body))
    return Claimed(command=command, owner=owner, attempts=attempts + 1)


def postpone_command(connection: Connection, key: str, now: float, delay_s: float, error: str, *, failed: bool) -> None:
    """Args: failed: without it the attempt does not count. Raises: NotFound: no such open command."""
    done = connection.execute(
        "UPDATE command SET owner = NULL, since = %s, until = %s, error = %s, attempts = attempts - %s "
        "WHERE key = %s AND NOT finished",
        (now, now + delay_s, storable(error), int(not failed), key),
    )
    if done.rowcount == 0:
        raise not_open(key)


def storable(said: str) -> str:
    """What others said, as PostgreSQL can keep it: its texts hold no zero character.

    >>> storable("HTTP 500: a\\x00b") == "HTTP 500: a\\ufffdb"
    True
    """
    return said.replace("\x00", "\N{REPLACEMENT CHARACTER}")
