"""What the ledger says of the releases and runs of a service, folded as far as it was read."""

from flyball.core.ledger import Ledger
from flyball.registry import releases, runs
from flyball.registry.releases import Registry
from flyball.registry.runs import Book


class History:
    """Reads on from where it stopped; entries that were folded before are not read again."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._known: dict[str, tuple[Registry, Book]] = {}

    def registry(self, service: str) -> Registry:
        """Its releases, as the ledger says now."""
        return self._read(service)[0]

    def book(self, service: str) -> Book:
        """Its runs, as the ledger says now."""
        return self._read(service)[1]

    def _read(self, service: str) -> tuple[Registry, Book]:
        state, book = self._known.get(service, (Registry(), Book()))
        for entry in self._ledger.read(state.seq, subject=service):
            state, book = releases.fold(state, entry), runs.fold(book, entry)
        self._known[service] = state, book
        return state, book
