"""The simulator's world: time that only moves when told, ids that repeat run by run, a ledger without a disk.

`MemoryLedger` passes the same conformance suite as the ledger on SQLite (`tests/conformance/test_ledger.py`).
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from flyball.adapters.ledger.memory_outbox import MemoryOutbox
from flyball.adapters.ledger.rules import check_batch, conflict, entry_of, next_epoch, not_open, not_ordered, stale
from flyball.core.clock import Clock, timestamp
from flyball.core.events import AnyFact
from flyball.core.ledger import Claimed, Command, Entry, Head, Lease, Message, Sealer, Tip
from flyball.core.outbox import Announcer, Delivery, Outcome, Queue, Waiting

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedClock:
    """`core.clock.Clock` that stands still until it is moved."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._now, self._monotonic = start, 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Time goes by. Raises: ValueError: backwards."""
        if seconds < 0:
            raise ValueError(f"time cannot go by for {seconds} s: use `set` for a corrected wall clock")
        self._now += timedelta(seconds=seconds)
        self._monotonic += seconds

    def set(self, at: datetime) -> None:
        """The wall clock is corrected, in either direction; no time goes by."""
        self._now = at


class SequentialIds:
    """`core.ids.Ids` that gives the same ids in each run: `ro-000001`, `ro-000002`, one count for all prefixes."""

    def __init__(self) -> None:
        self._count = 0

    def new(self, prefix: str) -> str:
        self._count += 1
        return f"{prefix}-{self._count:06d}"


@dataclass
class _Order:
    """A command and who holds it till when; `since` and `until` in monotonic seconds."""

    command: Command
    attempts: int = 0
    since: float = 0.0
    until: float = 0.0
    finished: bool = False
    error: str = ""


@dataclass
class _Holding:
    """The newest lease of a name; without an owner it was given back."""

    lease: Lease
    since: float
    until: float
    held: bool = True


class MemoryLedger:
    """`core.ledger.Ledger` for one process and as long as it lives."""

    def __init__(self, *, sealer: Sealer, clock: Clock, announcer: Announcer | None = None) -> None:
        self._sealer, self._clock, self._announcer = sealer, clock, announcer
        self._lock = threading.RLock()
        self._tip = Tip(size=0, last_hash="0" * 64, frontier=())
        self._entries: list[Entry] = []
        self._newest: dict[str, int] = {}  # subject -> seq
        self._ids: set[str] = set()
        self._leases: dict[str, _Holding] = {}
        self._orders: dict[str, _Order] = {}
        self._outbox = MemoryOutbox(clock)

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
        """See the port. Everything is checked before anything is changed."""
        subject = check_batch(facts, expected, ids)
        with self._lock:
            if fence is not None:
                self._check_fence(fence)
            fresh = [fact for number, fact in enumerate(facts) if ids is None or ids[number] not in self._ids]
            if expected is not None and fresh and self._newest.get(subject, 0) != expected:
                raise conflict(subject, expected, self._newest.get(subject, 0))
            for key in finished:
                if key not in self._orders and all(each.key != key for each in commands):
                    raise not_ordered(key)
            entries, tip = self._sealed(fresh)  # may refuse a fact: the last thing that can
            self._tip = tip
            self._entries += entries
            if entries:
                self._newest[subject] = entries[-1].seq
            self._ids.update(ids or ())
            for command in commands:
                self._orders.setdefault(command.key, _Order(command))
            for key in finished:
                self._orders[key].finished = True
            self._outbox.put(outbox)
            if self._announcer is not None and entries:
                self._outbox.put(self._announcer.messages(entries, partial(self.read, subject=subject)))
            return entries

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]:
        while after < len(self._entries):
            entry = self._entries[after]  # entry of seq n stands at n - 1
            if subject is None or entry.subject == subject:
                yield entry
            after += 1

    def head(self) -> Head:
        tip = self._tip
        return Head(size=tip.size, root=self._sealer.root(tip))

    def tip(self) -> Tip:
        return self._tip

    def hashes(self, after: int, upto: int) -> Iterator[bytes]:
        """Leaf hashes of the entries after < seq <= upto, 32 bytes each."""
        return (bytes.fromhex(entry.hash) for entry in self._entries[after:upto])

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None:
        with self._lock:
            now, last = self._clock.monotonic(), self._leases.get(name)
            before = None
            if last is not None:
                before = (last.lease.owner if last.held else None, last.lease.epoch, last.since, last.until)
            epoch = next_epoch(before, owner, now)
            if epoch is None:
                return None
            lease = Lease(name=name, owner=owner, epoch=epoch)
            self._leases[name] = _Holding(lease, since=now, until=now + ttl_s)
            return lease

    def release(self, lease: Lease) -> None:
        with self._lock:
            last = self._leases.get(lease.name)
            if last is not None and last.lease == lease:
                last.held = False

    def claim(self, subject: str, owner: str, *, ttl_s: float) -> Claimed | None:
        with self._lock:
            now = self._clock.monotonic()
            for order in self._orders.values():
                if order.command.subject == subject and not order.finished and not order.since <= now < order.until:
                    order.since, order.until = now, now + ttl_s
                    order.attempts += 1
                    return Claimed(command=order.command, owner=owner, attempts=order.attempts)
            return None

    def postpone(self, key: str, *, delay_s: float, error: str, failed: bool = True) -> None:
        with self._lock:
            order = self._orders.get(key)
            if order is None or order.finished:
                raise not_open(key)
            now = self._clock.monotonic()
            order.since, order.until, order.error = now, now + delay_s, error
            order.attempts -= not failed

    def pending(self, limit: int = 100) -> tuple[Message, ...]:
        """Messages of the outbox that nobody acknowledged, oldest first."""
        with self._lock:
            return self._outbox.pending(limit)

    def ack(self, ids: Sequence[str]) -> None:
        with self._lock:
            self._outbox.ack(ids)

    def waiting(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(queue.destination for queue in self._outbox.queues() if queue.waiting)

    def queues(self) -> tuple[Queue, ...]:
        with self._lock:
            return self._outbox.queues()

    def next_due(self, destination: str) -> Waiting | None:
        with self._lock:
            return self._outbox.next_due(destination)

    def record(self, message: str, outcome: Outcome, status: str, *, delay_s: float = 0.0) -> None:
        with self._lock:
            self._outbox.record(message, outcome, status, delay_s)

    def deliveries(self, *, destination: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        with self._lock:
            return self._outbox.deliveries(destination, limit)

    def redeliver(self, *, destination: str, message: str | None = None) -> int:
        with self._lock:
            return self._outbox.redeliver(destination, message)

    def close(self) -> None:
        """Nothing to close; for those who can hold either ledger."""

    def _sealed(self, facts: Sequence[AnyFact]) -> tuple[tuple[Entry, ...], Tip]:
        tip, at = self._tip, timestamp(self._clock.now())
        entries: list[Entry] = []
        for fact in facts:
            row, tip = self._sealer.seal(tip, at, fact)
            entries.append(entry_of(row, fact))
        return tuple(entries), tip

    def _check_fence(self, fence: Lease) -> None:
        last = self._leases.get(fence.name)
        if last is None or last.lease != fence or not last.held:
            holder = last.lease.owner if last is not None and last.held else None
            raise stale(fence, holder, last.lease.epoch if last is not None else 0)
