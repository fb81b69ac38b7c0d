"""The lock of a home's sweeps, `gc.lock`: one sweep at a time, and no hold while one deletes."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from flyball.app.home import Home
from flyball.core.errors import Conflict


@contextmanager
def alone(home: Home) -> Iterator[None]:
    """No other sweep and no hold meanwhile. Raises: Conflict."""
    with _locked(home, fcntl.LOCK_EX):
        yield


@contextmanager
def no_sweep(home: Home) -> Iterator[None]:
    """No sweep meanwhile; others that only want that none runs are welcome. Raises: Conflict: one runs."""
    with _locked(home, fcntl.LOCK_SH):
        yield


@contextmanager
def _locked(home: Home, how: int) -> Iterator[None]:
    with (home.made().root / "gc.lock").open("w") as lock:
        try:
            fcntl.flock(lock, how | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict("a sweep of this home runs, or a hold is being placed", hint="wait for its end") from error
        yield
