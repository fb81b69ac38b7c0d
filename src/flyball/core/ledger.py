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


class Tip(Record):
    """Where a ledger ends: all that sealing the next entry needs."""

    size: int  # entries
    last_hash: str  # hex; 64 zeros for an empty ledger
    frontier: tuple[bytes, ...]  # roots of the perfect subtrees, largest first, 32 bytes each


class Sealed(Record):
    """One row of the table `ledger`, ready to be written."""

    seq: int
    at: str
    type: str
    subject: str
    event: str  # RFC 8785 JSON text of the fact
    prev_hash: str  # hex
    hash: str  # hex


class Sealer(Protocol):
    """Port: puts a fact behind the tip; the tree hashes are the registry's knowledge, not an adapter's."""

    def seal(self, tip: Tip, at: str, fact: AnyFact) -> tuple[Sealed, Tip]: ...

    def root(self, tip: Tip) -> str:
        """RFC 6962 root of the whole ledger, hex."""
        ...


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

    def postpone(self, key: str, *, delay_s: float, error: str, failed: bool = True) -> None:
        """Give a command back, to be tried later. Without `failed` the attempt does not count: it only waits."""
        ...
