"""What the demo sees: the ledger as it grows, and waits that end with a fact or with the words for its absence."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

from flyball.core.events import Fact
from flyball.core.ledger import Entry

POLL_S = 0.05

F = TypeVar("F", bound=Fact)


class NotSeen(Exception):
    """Something that the demo promises to show did not happen in time."""


class Follower:
    """Reads the ledger, entry by entry, and remembers them all."""

    def __init__(self, read: Callable[[int], Iterable[Entry]], alarm: Callable[[], None]) -> None:
        """`read`: entries behind a sequence number. `alarm`: raises when waiting has become pointless."""
        self.entries: list[Entry] = []
        self._read, self._alarm = read, alarm

    @property
    def seq(self) -> int:
        """Number of the newest entry read."""
        return self.entries[-1].seq if self.entries else 0

    def catch_up(self) -> None:
        self.entries.extend(self._read(self.seq))

    def find(self, kind: type[F], matches: Callable[[F], bool] = lambda _: True, *, after: int = 0) -> list[F]:
        """Facts of this kind read so far, oldest first."""
        return [
            entry.fact
            for entry in self.entries
            if entry.seq > after and isinstance(entry.fact, kind) and matches(entry.fact)
        ]

    def seq_of(self, fact: Fact) -> int:
        """The number under which a fact that was read stands."""
        return next(entry.seq for entry in reversed(self.entries) if entry.fact is fact)

    async def until(
        self,
        kind: type[F],
        matches: Callable[[F], bool] = lambda _: True,
        *,
        what: str,
        after: int = 0,
        within_s: float = 45.0,
        unless: Callable[[Fact], str | None] = lambda _: None,
    ) -> F:
        """The first such fact behind entry `after`.

        Args: what: it in words. unless: words for a fact after which it will never come.
        Raises: NotSeen: it did not come within so many seconds, or never will.
        """

        def look() -> F | None:
            self.catch_up()
            found = self.find(kind, matches, after=after)
            if not found:
                for entry in self.entries:
                    if entry.seq > after and (why := unless(entry.fact)):
                        raise NotSeen(f"{what}: {why}")
            return found[0] if found else None

        return await self.wait(look, what=what, within_s=within_s)

    async def wait(self, look: Callable[[], "T | None"], *, what: str, within_s: float = 45.0) -> "T":
        """What `look` gives, as soon as it gives something. Raises: NotSeen: it did not within so many seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within_s
        while (found := look()) is None:
            self._alarm()
            if loop.time() > deadline:
                raise NotSeen(f"{what}: not within {within_s:g} s")
            await asyncio.sleep(POLL_S)
        return found


T = TypeVar("T")
