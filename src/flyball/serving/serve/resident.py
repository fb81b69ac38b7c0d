"""How much memory a process holds now, as the kernel tells it."""

import os
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


def resident_mb(pid: int | None) -> float | None:
    """Resident memory, MB of 10^6 bytes; None: there is no such process any more, or the kernel does not tell now, as
    where we have too many files open.

    >>> resident_mb(os.getpid()) > 1.0, resident_mb(None)
    (True, None)
    """
    if pid is None:
        return None
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE / 1e6
    except (OSError, IndexError):
        return None
