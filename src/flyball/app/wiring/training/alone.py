"""One training of an experiment at a time in a home: the second waits, and then finds what the first has registered.

A lock of the kernel and not a lease with a time: it ends with the process that holds it, however that ends, so nobody
waits for one that was killed, and one that was only stopped for a while does not lose it. It is as local as the ledger.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flyball.core.errors import Unavailable


@contextmanager
def alone(folder: Path, experiment: str, *, waits: Callable[[], None]) -> Iterator[None]:
    """Hold the experiment. Whoever holds it may take a run of it that the ledger calls running for a dead one.

    Args: folder: of the locks. waits: called once, before waiting for another process.
    Raises: Unavailable: the disk does not take the lock's file.
    """
    path = folder / f"train-{experiment.rsplit(':', 1)[-1]}.lock"
    descriptor = _held(path, waits)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: who waits for this file sees that it is gone
        os.close(descriptor)


def _held(path: Path, waits: Callable[[], None]) -> int:
    told = False
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise Unavailable(f"{path}: the lock of a training cannot be made: {error.strerror}") from error
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if not told:
                    waits()
                told = True
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # the one before has removed it: there may be a new one


def _is(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
