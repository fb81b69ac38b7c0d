"""The outbox of the simulator's world: as `sqlite_outbox`, without a disk."""

from collections.abc import Sequence
from dataclasses import dataclass

from flyball.core.clock import Clock, timestamp
from flyball.core.errors import NotFound
from flyball.core.ledger import Message
from flyball.core.outbox import Delivery, Outcome, Queue, Waiting


@dataclass
class _Row:
    message: Message
    state: str = "waiting"  # `delivered`, `refused`
    attempts: int = 0
    since: float = 0.0  # it is left alone from here ...
    until: float = 0.0  # ... to here, monotonic, in seconds


class MemoryOutbox:
    """Not locked: its ledger does that."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rows: dict[str, _Row] = {}
        self._log: list[Delivery] = []

    def put(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._rows.setdefault(message.id, _Row(message))

    def pending(self, limit: int) -> tuple[Message, ...]:
        return tuple(row.message for row in self._rows.values() if row.state == "waiting")[:limit]

    def ack(self, ids: Sequence[str]) -> None:
        for id_ in ids:
            if id_ in self._rows:
                self._rows[id_].state = "delivered"

    def queues(self) -> tuple[Queue, ...]:
        return tuple(self._queue(name) for name in sorted({row.message.destination for row in self._rows.values()}))

    def next_due(self, destination: str) -> Waiting | None:
        head = self._head(destination)
        if head is None or head.since <= self._clock.monotonic() < head.until:
            return None
        return Waiting(message=head.message, attempts=head.attempts)

    def record(self, message: str, outcome: Outcome, status: str, delay_s: float) -> None:
        row = self._rows.get(message)
        if row is None:
            raise NotFound(f"{message}: there is no such message in the outbox")
        now = self._clock.monotonic()
        row.state = "waiting" if outcome == "failed" else outcome
        row.attempts, row.since, row.until = row.attempts + 1, now, now + delay_s
        self._log.append(
            Delivery(
                number=len(self._log) + 1,
                message=message,
                destination=row.message.destination,
                attempt=row.attempts,
                at=timestamp(self._clock.now()),
                outcome=outcome,
                status=status,
            )
        )

    def deliveries(self, destination: str | None, limit: int) -> tuple[Delivery, ...]:
        found = [each for each in reversed(self._log) if destination in (None, each.destination)]
        return tuple(found[:limit])

    def redeliver(self, destination: str, message: str | None) -> int:
        rows = [
            row
            for row in self._rows.values()
            if row.message.destination == destination and message in (None, row.message.id)
        ]
        for row in rows:
            row.state, row.attempts, row.since, row.until = "waiting", 0, 0.0, 0.0
        return len(rows)

    def _head(self, destination: str) -> _Row | None:
        waiting = (r for r in self._rows.values() if r.message.destination == destination and r.state == "waiting")
        return next(waiting, None)

    def _queue(self, destination: str) -> Queue:
        states = [row.state for row in self._rows.values() if row.message.destination == destination]
        head, last = self._head(destination), self.deliveries(destination, 1)
        return Queue(
            destination=destination,
            waiting=states.count("waiting"),
            delivered=states.count("delivered"),
            refused=states.count("refused"),
            attempts=head.attempts if head else 0,
            status=last[0].status if last else None,
        )
