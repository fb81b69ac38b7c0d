"""The ledger as every author sees it: whoever is told that something is written, the invariants hear of it too."""

from collections.abc import Callable, Iterator, Sequence

from flyball.core.errors import Unavailable
from flyball.core.events import AnyFact
from flyball.core.ledger import Claimed, Command, Entry, Head, Lease, Ledger, Message


class WitnessedLedger:
    """`core.ledger.Ledger`. `told`: entries that an author was told of. `full`: whether the disk takes nothing now."""

    def __init__(self, ledger: Ledger, told: Callable[[tuple[Entry, ...]], None], full: Callable[[], bool]) -> None:
        self._ledger, self._told, self._full = ledger, told, full

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
        self._demand_room()
        entries = self._ledger.append(
            facts, expected=expected, ids=ids, fence=fence, outbox=outbox, commands=commands, finished=finished
        )
        self._told(entries)
        return entries

    def read(self, after: int = 0, *, subject: str | None = None) -> Iterator[Entry]:
        return self._ledger.read(after, subject=subject)

    def head(self) -> Head:
        return self._ledger.head()

    def lease(self, name: str, owner: str, *, ttl_s: float) -> Lease | None:
        self._demand_room()
        return self._ledger.lease(name, owner, ttl_s=ttl_s)

    def release(self, lease: Lease) -> None:
        self._ledger.release(lease)

    def claim(self, subject: str, owner: str, *, ttl_s: float) -> Claimed | None:
        self._demand_room()
        return self._ledger.claim(subject, owner, ttl_s=ttl_s)

    def postpone(self, key: str, *, delay_s: float, error: str, failed: bool = True) -> None:
        self._demand_room()
        self._ledger.postpone(key, delay_s=delay_s, error=error, failed=failed)

    def _demand_room(self) -> None:
        if self._full():
            raise Unavailable("the ledger's disk is full: nothing was written")
