"""The prediction log's disk under a drill: while the drill's word says `disk_full`, it takes nothing (`ENOSPC`)."""

import errno
import os
from collections.abc import Callable

from flyball.adapters.prediction_log.disk import Disk
from flyball.core.drill_lease import DrillLease

FAULT = "disk_full"


class DrilledDisk(Disk):
    """The real one, but for what a drill's word makes of it. A word that is over, or none, makes it nothing else."""

    def __init__(self, word: Callable[[], DrillLease | None]) -> None:
        """`word`: that of the drill of the service whose log this is."""
        self._word = word

    def write(self, file: int, data: memoryview) -> int:
        word = self._word()
        if word is not None and word.fault == FAULT:
            raise OSError(errno.ENOSPC, f"{os.strerror(errno.ENOSPC)} (a drill)")
        return super().write(file, data)
