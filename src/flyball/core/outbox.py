"""Ports of the outbox: who says what the world outside is told, and the rows from which it is sent."""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, Protocol

from flyball.core.ledger import Entry, Lease, Message
from flyball.core.record import Record

History = Callable[[int], Iterator[Entry]]
"""The entries of one subject behind a number, in order."""

Outcome = Literal["delivered", "failed", "refused"]


class Announcer(Protocol):
    """Says which messages new facts become. The ledger writes them in the transaction of the facts."""

    def prepare(self, subject: str, history: History) -> None:
        """Read what is there before the transaction begins, so that it is short."""
        ...

    def messages(self, entries: Sequence[Entry], history: History) -> Sequence[Message]:
        """Messages about these new entries of one subject. Never raises: no receiver may keep a fact off the ledger."""
        ...


class Waiting(Record):
    """The message that a destination gets next. `attempts`: how many failed so far."""

    message: Message
    attempts: int


class Delivery(Record):
    """One attempt, as the delivery log keeps it."""

    number: int  # 1, 2, 3 ... in the order of the attempts
    message: str
    destination: str
    attempt: int  # of this message
    at: str  # RFC 3339, UTC
    outcome: Outcome
    status: str  # what the receiver said, or why there was no answer


class Queue(Record):
    """How one destination stands."""

    destination: str
    waiting: int  # messages that have not arrived
    delivered: int
    refused: int  # the receiver will never take them as they are
    attempts: int  # of the message that is next
    status: str | None  # of the newest attempt


class Outbox(Protocol):
    """Port: the messages of a ledger on their way out, in order for each destination."""

    def waiting(self) -> tuple[str, ...]:
        """Destinations for which a message has not arrived, by name; due or not."""
        ...

    def queues(self) -> tuple[Queue, ...]: ...

    def next_due(self, destination: str) -> Waiting | None:
        """The oldest message that has not arrived; None where there is none, or it is not to be tried yet."""
        ...

    def record(self, message: str, outcome: Outcome, status: str, *, delay_s: float = 0.0) -> None:
        """One attempt and what came of it; after a failed one it is not tried again for `delay_s` seconds."""
        ...

    def deliveries(self, *, destination: str | None = None, limit: int = 100) -> tuple[Delivery, ...]:
        """The newest attempts, newest first."""
        ...

    def redeliver(self, *, destination: str, message: str | None = None) -> int:
        """Messages that had arrived, were refused, or wait are sent (again) at once, under their old ids; how many."""
        ...

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None: ...

    def release(self, lease: Lease) -> None: ...


class Answer(Record):
    """What a receiver said. `final`: it will never take this message as it is, so the next one may go."""

    ok: bool
    status: str
    final: bool = False
    rest_s: float = 0.0  # how long it asked to be left alone; after a failure


class Receiver(Protocol):
    """Port: one destination outside. A hung one answers with a failure after its own deadline."""

    async def send(self, message: Message) -> Answer: ...

    async def close(self) -> None: ...
