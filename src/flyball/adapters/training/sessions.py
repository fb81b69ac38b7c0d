"""A training's processes: what they use while they run, and the end of all of them.

The server that forks a training is the reaper of everything that it starts (PR_SET_CHILD_SUBREAPER), also of what
detaches itself from its session, so nothing outlives a training.
"""

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)


def become_reaper() -> None:
    """Orphans below this process become its children, instead of the init process's."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)


def below() -> list[int]:
    """Processes below this one, dead ones left out."""
    return [pid for pid in _pids() if _lives(pid)]


def resident_mb(pids: list[int]) -> float:
    """Resident memory of processes together, MB of 10**6 bytes; pages that they share count for each of them."""
    return sum(_rss(pid) for pid in pids) / 1e6


def end_all(then: Callable[[int, int, float, float], None]) -> None:
    """Kill every process below this one and wait for its end.

    Args: then: told (pid, wait status, processor seconds, peak resident MB) of each that was a child of this process.
    """
    while pids := _pids():
        for pid in pids:
            _kill(pid)
        pid, status, used = os.wait4(-1, 0)  # what is killed has ended soon, and what it leaves behind is ours then
        then(pid, status, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6)


def _pids() -> list[int]:
    """Every process below this one, dead ones included; from the kernel's own lists where it keeps them, as going
    through all processes of the machine takes several milliseconds."""
    own = os.getpid()
    if not Path(f"/proc/{own}/task/{own}/children").exists():
        return [process.pid for process in psutil.Process().children(recursive=True)]
    found, ask = [], [own]
    while ask:
        for pid in _children(ask.pop()):
            found.append(pid)
            ask.append(pid)
    return found


def _children(pid: int) -> list[int]:
    try:
        texts = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(word) for text in texts for word in text.split()]


def _lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _rss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
