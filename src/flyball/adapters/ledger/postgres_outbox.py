"""The outbox on PostgreSQL: as `sqlite_outbox`, where its rules are told, with the times of `postgres_commands`.

Whoever changes what is there already holds one lock for it; new messages come in beside them.
"""

from collections.abc import Sequence

import msgspec

from flyball.adapters.ledger.postgres_commands import RUNNING, storable
from flyball.adapters.ledger.postgres_schema import Connection, lock
from flyball.core.codec import canonical
from flyball.core.errors import NotFound
from flyball.core.ledger import Message
from flyball.core.outbox import Delivery, Outcome, Queue, Waiting

KEPT = 10_000  # messages that are no longer waiting, and attempts in the log, of each destination
_WAITS, _ARRIVED, _REFUSED = 0, 1, 2
_STATE: dict[Outcome, int] = {"failed": _WAITS, "delivered": _ARRIVED, "refused": _REFUSED}


def lock_outbox(connection: Connection) -> None:
    """Before anything that is there is changed, and before the clock is asked for it."""
    lock(connection, "outbox")


def put_messages(connection: Connection, messages: Sequence[Message]) -> None:
    """An id that is known already changes nothing."""
    for each in messages:
        connection.execute(
            "INSERT INTO outbox(id, destination, body) VALUES (%s, %s, %s) ON CONFLICT (id) DO NOTHING",
            (each.id, each.destination, canonical(each.body).decode()),
        )


def unsent(connection: Connection, limit: int) -> tuple[Message, ...]:
    """Messages not acknowledged yet, oldest first."""
    rows = connection.execute(
        "SELECT id, destination, body FROM outbox WHERE sent = 0 ORDER BY number LIMIT %s", (limit,)
    )
    return tuple(_message(*row) for row in rows)


def mark_sent(connection: Connection, ids: Sequence[str]) -> None:
    connection.execute("UPDATE outbox SET sent = 1 WHERE id = ANY(%s)", (list(ids),))


def waiting(connection: Connection) -> tuple[str, ...]:
    """Destinations for which a message has not arrived."""
    rows = connection.execute("SELECT DISTINCT destination FROM outbox WHERE sent = 0 ORDER BY destination")
    return tuple(destination for (destination,) in rows)


def queues(connection: Connection) -> tuple[Queue, ...]:
    """Each destination that a message was ever for, by name."""
    rows = connection.execute(
        "SELECT destination, count(*) FILTER (WHERE sent = 0), count(*) FILTER (WHERE sent = 1), "
        "count(*) FILTER (WHERE sent = 2) FROM outbox GROUP BY destination ORDER BY destination"
    ).fetchall()
    found = []
    for destination, waiting, delivered, refused in rows:
        head = _head(connection, destination)
        last = connection.execute(
            "SELECT status FROM delivery WHERE destination = %s ORDER BY number DESC LIMIT 1", (destination,)
        ).fetchone()
        found.append(
            Queue(
                destination=destination,
                waiting=waiting,
                delivered=delivered,
                refused=refused,
                attempts=head[3] if head else 0,
                status=last[0] if last else None,
            )
        )
    return tuple(found)


def next_due(connection: Connection, destination: str, now: float) -> Waiting | None:
    """The head of the queue, unless it is to be left alone at `now` (in seconds)."""
    head = _head(connection, destination)
    if head is None:
        return None
    id_, body, number, attempts = head
    resting = f"SELECT 1 FROM outbox WHERE number = %(number)s AND {RUNNING}"
    if connection.execute(resting, {"number": number, "now": now}).fetchone() is not None:
        return None
    return Waiting(message=_message(id_, destination, body), attempts=attempts)


def record(
    connection: Connection, id_: str, outcome: Outcome, status: str, *, at: str, now: float, delay_s: float
) -> None:
    """Behind `lock_outbox`. Raises: NotFound: no such message."""
    row = connection.execute("SELECT destination, attempts FROM outbox WHERE id = %s", (id_,)).fetchone()
    if row is None:
        raise NotFound(f"{id_}: there is no such message in the outbox")
    destination, attempts = row
    connection.execute(
        "UPDATE outbox SET sent = %s, attempts = attempts + 1, since = %s, until = %s WHERE id = %s",
        (_STATE[outcome], now, now + delay_s, id_),
    )
    connection.execute(
        "INSERT INTO delivery(message, destination, attempt, at, outcome, status) VALUES (%s, %s, %s, %s, %s, %s)",
        (id_, destination, attempts + 1, at, outcome, storable(status)),
    )
    _forget(connection, destination)


def deliveries(connection: Connection, destination: str | None, limit: int) -> tuple[Delivery, ...]:
    """The newest attempts, newest first."""
    only, wanted = ("", (limit,)) if destination is None else ("WHERE destination = %s", (destination, limit))
    columns = ", ".join(Delivery.__struct_fields__)
    rows = connection.execute(f"SELECT {columns} FROM delivery {only} ORDER BY number DESC LIMIT %s", wanted)
    return tuple(Delivery(**dict(zip(Delivery.__struct_fields__, row, strict=True))) for row in rows)


def redeliver(connection: Connection, destination: str, message: str | None) -> int:
    """Put back to waiting, due at once; ids, bodies and order stay. Behind `lock_outbox`."""
    only, wanted = ("", (destination,)) if message is None else ("AND id = %s", (destination, message))
    done = connection.execute(
        f"UPDATE outbox SET sent = 0, attempts = 0, since = 0, until = 0 WHERE destination = %s {only}", wanted
    )
    return done.rowcount


def _head(connection: Connection, destination: str) -> tuple[str, str, int, int] | None:
    found: tuple[str, str, int, int] | None = connection.execute(
        "SELECT id, body, number, attempts FROM outbox WHERE destination = %s AND sent = 0 ORDER BY number LIMIT 1",
        (destination,),
    ).fetchone()
    return found


def _forget(connection: Connection, destination: str) -> None:
    """Keep the newest; what waits is never forgotten."""
    for table, done in (("outbox", "AND sent != 0"), ("delivery", "")):
        connection.execute(
            f"DELETE FROM {table} WHERE destination = %s {done} AND number <= "
            f"(SELECT number FROM {table} WHERE destination = %s {done} ORDER BY number DESC LIMIT 1 OFFSET {KEPT})",
            (destination, destination),
        )


def _message(id_: str, destination: str, body: str) -> Message:
    return Message(id=id_, destination=destination, body=msgspec.json.decode(body))
