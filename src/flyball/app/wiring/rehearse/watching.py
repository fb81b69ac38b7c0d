"""Shows every invariant what happens, in order: facts as soon as they are on the ledger, and before what they allow."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from flyball.app.rehearse.invariants import Invariant, Survival
from flyball.app.rehearse.witness import Effect, Stand, Violation
from flyball.core.ledger import Entry, Ledger


class Watching:
    """The invariants of one run, and what they complained about: each thing once."""

    def __init__(
        self, ledger: Ledger, invariants: Sequence[Invariant], *, seed: int, now_s: Callable[[], float]
    ) -> None:
        self._ledger, self._seed, self._now_s = ledger, seed, now_s
        self._survival = Survival()
        self._invariants = (*invariants, self._survival)
        self._said: dict[tuple[str, str], Violation] = {}
        self.seq = 0  # of the newest entry that was read

    @property
    def violations(self) -> tuple[Violation, ...]:
        return tuple(self._said.values())

    def complain(self, invariant: str, what: str) -> None:
        """Somebody saw a promise broken."""
        key = invariant, what
        if key not in self._said:
            self._said[key] = Violation(seed=self._seed, at=round(self._now_s(), 3), invariant=invariant, what=what)

    def read(self) -> None:
        """What is new on the ledger."""
        for entry in self._ledger.read(self.seq):
            self.seq = entry.seq
            self._ask(partial(_of_entry, entry))

    def acknowledged(self, entries: Sequence[Entry]) -> None:
        """The ledger has told an author that these are written."""
        self._survival.acknowledged(entries)

    def effect(self, effect: Effect) -> None:
        self.read()
        self._ask(lambda each: each.effect(effect))

    def stand(self, stand: Stand) -> None:
        self.read()
        self._ask(lambda each: each.stand(stand))

    def whole(self) -> None:
        """Read the ledger from its beginning: after a crash, and at the end."""
        self.read()
        for what in self._survival.whole(tuple(self._ledger.read())):
            self.complain(self._survival.name, what)

    def _ask(self, of: Callable[[Invariant], Iterator[str]]) -> None:
        for each in self._invariants:
            for what in of(each):
                self.complain(each.name, what)


def _of_entry(entry: Entry, invariant: Invariant) -> Iterator[str]:
    return invariant.entry(entry)
