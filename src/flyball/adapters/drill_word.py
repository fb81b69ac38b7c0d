"""The word of the drill that runs, read by whoever does what it says: a small file, and the reader's own clock."""

import os
import time
from pathlib import Path

import msgspec

from flyball.core.drill_lease import DrillLease

LOOK_S = 0.1  # the file is looked at so often at most


class DrillWord:
    """Of one service: call it for the word in force, None where no drill of this service runs, or its time is over."""

    def __init__(self, file: Path, service: str, *, look_s: float = LOOK_S) -> None:
        self._file, self._service, self._look_s = file, service, look_s
        self._looked = -look_s  # monotonic
        self._seen: tuple[int, int] | None = None  # inode and mtime: each word is a file of its own
        self._word: DrillLease | None = None

    def __call__(self) -> DrillLease | None:
        now = time.monotonic()
        if now - self._looked >= self._look_s:
            self._looked = now
            self._look()
        word = self._word
        return word if word is not None and time.time() < word.until else None

    def _look(self) -> None:
        try:
            there = os.stat(self._file)
            seen = there.st_ino, there.st_mtime_ns
            if seen == self._seen:
                return
            word = msgspec.json.decode(self._file.read_bytes(), type=DrillLease)
        except (FileNotFoundError, msgspec.DecodeError):  # no drill; or one that is no word of ours: nothing is struck
            self._seen, self._word = None, None
            return
        self._seen, self._word = seen, word if word.service == self._service else None
