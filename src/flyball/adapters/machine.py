"""What the machine has left, and what the processes of a gateway hold. Each may be unknown; then it is said why."""

from pathlib import Path

import psutil

from flyball.core.surroundings import Worker

MB = 1024 * 1024


def disk_free(folder: Path) -> float:
    """Share of the folder's disk, 0..1. Raises: OSError."""
    return 1.0 - float(psutil.disk_usage(str(folder)).percent) / 100.0


def memory_used() -> float:
    """Share of the machine's memory that nobody could be given now, 0..1."""
    return float(psutil.virtual_memory().percent) / 100.0


def memory_free_mb() -> float:
    """What the machine could give to processes now."""
    return float(psutil.virtual_memory().available) / MB


def processes(pid: int) -> tuple[Worker, ...]:
    """A process and all that it has started, that are still there. Nothing: it is gone."""
    try:
        whole = psutil.Process(pid)
        family = [whole, *whole.children(recursive=True)]
    except psutil.Error:
        return ()
    found = []
    for each in family:
        try:
            found.append(Worker(pid=each.pid, memory_mb=each.memory_info().rss / MB))
        except psutil.Error:  # it ended meanwhile
            continue
    return tuple(found)
