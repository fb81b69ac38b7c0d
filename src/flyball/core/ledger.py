"""Ports of the ledger: append facts, read them back, and hold leases and commands in the same transactions."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from flyball.core.events import AnyFact
from flyball.core.record import Record


class Entry(Record):
    """One line of the ledger. `hash`: RFC 6962 leaf hash of its canonical JSON, which names `prev_hash`."""

    seq: int  # 1, 2, 3 ...
    at: str  # RFC 3339, UTC
    type: str
    subject: str  # the service
    fact: AnyFact
    prev_hash: str  # hex
    hash: str  # hex


class Head(Record):
    """Tree head: how many entries, and the RFC 6962 root over them."""

    size: int
    root: str  # hex


class Message(Record):
    """A message to the outside, written in the transaction of the fact it tells about."""

    id: str
    destination: str
    body: dict[str, Any]


class Command(Record):
    """Something to be done at least once; `key` makes doing it twice harmless."""

    key: str
    kind: str
    subject: str
    body: dict[str, Any]


class Claimed(Record):
    command: Command
    owner: str
    attempts: int


class Lease(Record):
    """The right to act for a subject; `epoch` grows with each new holder and fences off the old one."""

    name: str
    owner: str
    epoch: int


class Ledger(Protocol):
    """Port: the only source of truth."""

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
        """Facts of one subject, their messages, the next commands and the finished ones: all or nothing.

        `expected` is the last sequence number of the subject that the author has read (0: none);
        `ids` makes the append idempotent: a fact whose id is already there is left out;
        `fence` must still be the newest lease of its name.

        Raises: Conflict (someone else wrote about the subject first), StaleEpoch (the lease was lost).
        """
        ...

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]: ...

    def head(self) -> Head: ...

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None:
        """Take or renew; None while another holder's lease runs."""
        ...

    def release(self, lease: Lease) -> None: ...

    def claim(self, subject: str, owner: str, *, ttl_s: float) -> Claimed | None:
        """The oldest command of the subject that nobody holds, or whose holder's time is over."""
        ...

    def postpone(self, key: str, *, delay_s: float, error: str) -> None:
        """Give a failed command back, to be tried later."""
        ...
