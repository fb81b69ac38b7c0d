"""A small file that all processes of a gateway map, and a hold on parts of it that dies with its holder.

Theory of operation. A hold is a record lock on one byte of the file (fcntl(2)): the kernel gives it back when the
process that has it ends, however it ends. Holders read and write a few words, a microsecond or two. Nobody waits for
one that was stopped in the middle: after some thousand attempts (milliseconds) the other goes on without the hold. What
was written then may be lost, one step of one record; a worker that stands still must not make all others stand still.
"""

import contextlib
import fcntl
import mmap
import os
from pathlib import Path
from types import TracebackType

from flyball.serving.shelf import Shelf, bytes_for

_TRIES, _POLITE = 2_000, 20  # attempts; after the second number each lets others run first


class SharedFile:
    """One file, in this process. No other part of the process may open it: closing it would give the holds back."""

    def __init__(self, path: Path, size: int) -> None:
        """Made where it is not there, all zero. Raises: OSError."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if os.fstat(self._file).st_size < size:
            os.ftruncate(self._file, size)
        self.buffer: memoryview[int] = memoryview(mmap.mmap(self._file, size))

    def hold(self, place: int) -> "_Held":
        """Of this part, by its number."""
        return _Held(self._file, place)


class _Held:
    __slots__ = ("_file", "_has", "_place")

    def __init__(self, file: int, place: int) -> None:
        self._file, self._place, self._has = file, place, False

    def __enter__(self) -> None:
        for attempt in range(_TRIES):
            with contextlib.suppress(BlockingIOError, PermissionError):  # fcntl(2) may say either: another has it
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, self._place)
                self._has = True
                return
            if attempt > _POLITE:
                os.sched_yield()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._has:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._place)


def shared_shelf(path: Path, *, sets: int, numbers: int) -> Shelf:
    """A shelf that all processes see which map this file. Raises: OSError."""
    file = SharedFile(path, bytes_for(sets=sets, numbers=numbers))
    return Shelf(file.buffer, sets=sets, numbers=numbers, hold=file.hold)
