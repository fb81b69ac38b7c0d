"""The ledger of a home, put together."""

from flyball.adapters.clock import SystemClock
from flyball.adapters.sqlite import SqliteLedger
from flyball.app.home import Home
from flyball.core.clock import Clock
from flyball.registry import chain


def open_ledger(home: Home, *, clock: Clock | None = None) -> SqliteLedger:
    """The ledger alone, without signed heads."""
    return SqliteLedger(home.made().ledger, sealer=chain, clock=clock or SystemClock())
