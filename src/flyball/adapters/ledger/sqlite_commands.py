"""Leases and commands: rows that change, in the same file and transactions as the facts that do not.

Time-limited rights are measured by the monotonic clock, which all processes of a machine share and which no
correction of the wall clock moves. After a restart of the machine it begins again, so a right taken "in the future"
is over. Whoever was overtaken unawares is fenced off: an append under an old epoch is refused.
"""

import sqlite3
from collections.abc import Sequence

import msgspec

from flyball.adapters.ledger.rules import next_epoch, not_open, not_ordered, stale
from flyball.core.codec import canonical
from flyball.core.ledger import Claimed, Command, Lease

RUNNING = "since <= :now AND :now < until"


def take_lease(connection: sqlite3.Connection, name: str, owner: str, now: float, ttl_s: float) -> Lease | None:
    """Take or renew; None while another holder's runs. Inside a transaction; `now` monotonic, in seconds."""
    row = connection.execute("SELECT owner, epoch, taken, until FROM lease WHERE name = ?", (name,)).fetchone()
    epoch = next_epoch(row, owner, now)
    if epoch is None:
        return None
    connection.execute(
        "INSERT INTO lease VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
        "owner = excluded.owner, epoch = excluded.epoch, taken = excluded.taken, until = excluded.until",
        (name, owner, epoch, now, now + ttl_s),
    )
    return Lease(name=name, owner=owner, epoch=epoch)


def give_lease_back(connection: sqlite3.Connection, lease: Lease) -> None:
    """The next holder need not wait. A lease that was lost is left alone."""
    connection.execute(
        "UPDATE lease SET owner = NULL WHERE name = ? AND owner = ? AND epoch = ?",
        (lease.name, lease.owner, lease.epoch),
    )


def check_fence(connection: sqlite3.Connection, fence: Lease) -> None:
    """Raises: StaleEpoch: the lease is not the newest of its name."""
    row = connection.execute("SELECT owner, epoch FROM lease WHERE name = ?", (fence.name,)).fetchone()
    if row != (fence.owner, fence.epoch):
        raise stale(fence, row[0] if row else None, row[1] if row else 0)


def put_commands(connection: sqlite3.Connection, commands: Sequence[Command]) -> None:
    """A key that is known already changes nothing."""
    connection.executemany(
        "INSERT OR IGNORE INTO command(key, kind, subject, body) VALUES (?, ?, ?, ?)",
        [(each.key, each.kind, each.subject, canonical(each.body).decode()) for each in commands],
    )


def finish_commands(connection: sqlite3.Connection, keys: Sequence[str]) -> None:
    """Finishing twice is finishing once. Raises: NotFound: a key that was never ordered."""
    for key in keys:
        done = connection.execute("UPDATE command SET finished = 1, owner = NULL WHERE key = ?", (key,))
        if done.rowcount == 0:
            raise not_ordered(key)


def claim_command(connection: sqlite3.Connection, subject: str, owner: str, now: float, ttl_s: float) -> Claimed | None:
    """The oldest open command that nobody holds and that is not postponed. Inside a transaction."""
    row = connection.execute(
        "SELECT key, kind, body, attempts FROM command "
        f"WHERE subject = :subject AND NOT finished AND NOT ({RUNNING}) ORDER BY number LIMIT 1",
        {"subject": subject, "now": now},
    ).fetchone()
    if row is None:
        return None
    key, kind, body, attempts = row
    connection.execute(
        "UPDATE command SET owner = ?, since = ?, until = ?, attempts = attempts + 1 WHERE key = ?",
        (owner, now, now + ttl_s, key),
    )
    command = Command(key=key, kind=kind, subject=subject, body=msgspec.json.decode(body))
    return Claimed(command=command, owner=owner, attempts=attempts + 1)


def postpone_command(
    connection: sqlite3.Connection, key: str, now: float, delay_s: float, error: str, *, failed: bool
) -> None:
    """Args: failed: without it the attempt does not count. Raises: NotFound: no such open command."""
    done = connection.execute(
        "UPDATE command SET owner = NULL, since = ?, until = ?, error = ?, attempts = attempts - ? "
        "WHERE key = ? AND NOT finished",
        (now, now + delay_s, error, int(not failed), key),
    )
    if done.rowcount == 0:
        raise not_open(key)
