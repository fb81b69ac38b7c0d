"""What one of several workers does for all of them: whoever comes first, until it ends."""

import fcntl
import os
from pathlib import Path


class Duty:
    """A lock that the first who asks keeps; the kernel takes it back from a process that ends, however it ends."""

    def __init__(self, path: Path | None) -> None:
        """`path`: a file that all workers name alike; None: there is one process, and the duty is its own."""
        self._path = path
        self._file: int | None = None

    def mine(self) -> bool:
        """Whether it is this process's, from now on if nobody had it. Where no file can be had, nobody's now."""
        if self._path is None or self._file is not None:
            return True
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # another worker's
            os.close(file)
            return False
        self._file = file
        return True
