"""The ledger of a home, put together."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flyball.adapters.clock import SystemClock
from flyball.adapters.keys import signing_key
from flyball.adapters.sqlite import SqliteLedger
from flyball.app.home import Home
from flyball.core.clock import Clock
from flyball.registry import chain
from flyball.registry.record import Recorder


def open_ledger(home: Home, *, clock: Clock | None = None) -> SqliteLedger:
    """The ledger alone: its heads are signed by other processes, or later."""
    return SqliteLedger(home.made().ledger, sealer=chain, clock=clock or SystemClock())


@contextmanager
def ledger_of(home: Home, *, clock: Clock | None = None) -> Iterator[Recorder]:
    """The ledger with its newest head signed within a second of each append, and at the end."""
    with recorder(home, clock=clock) as ledger:
        yield ledger


def recorder(home: Home, *, clock: Clock | None = None) -> Recorder:
    """As `ledger_of`, for processes that close it themselves. Open it anew in each process."""
    return Recorder(open_ledger(home, clock=clock), signing_key(home.keys), checkpoint_path(home))


def checkpoint_path(home: Home) -> Path:
    """The signed head beside the database."""
    return home.ledger.with_name(home.ledger.name + ".checkpoint")
