"""The prediction log's disk under a drill: while the drill's word says `disk_full`, it takes nothing (`ENOSPC`)."""

import errno
import os
import time
from pathlib import Path

import msgspec

from flyball.adapters.prediction_log.disk import Disk
from flyball.core.drill_lease import VARIABLE, DrillLease

FAULT = "disk_full"


class DrilledDisk(Disk):
    """The real one, but for what a drill's word makes of it. A word that is over, or none, makes it nothing else."""

    def __init__(self, word: Path) -> None:
        self._word = word

    def write(self, file: int, data: memoryview) -> int:
        if self._full():
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} (a drill)")
        return super().write(file, data)

    def _full(self) -> bool:
        try:
            word = msgspec.json.decode(self._word.read_bytes(), type=DrillLease)
        except (FileNotFoundError, msgspec.DecodeError):  # no drill; or one that is no word of ours: nothing is full
            return False
        return word.fault == FAULT and time.time() < word.until


def disk() -> Disk:
    """The disk of this process: a real one, which a drill may fill where `flyball up` has allowed drills."""
    word = os.environ.get(VARIABLE)
    return DrilledDisk(Path(word)) if word else Disk()
