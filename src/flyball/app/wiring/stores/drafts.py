"""Drafts of trainings under `work/`: each is locked by the process that works in it, and the lock ends with it.

The lock is a file beside the draft, taken before the draft is made. Whoever can take it therefore knows that the one
who made the draft was killed, and removes what was left. Crash points: a lock without a draft, a draft of which a part
is removed, and a draft without its lock are all removed by the next `gc` or the next training.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = ".lock"
LOCKED = ("train-", "reproduce-", "drill-")  # drafts of these names have a lock


@contextmanager
def draft(work: Path, name: str) -> Iterator[Path]:
    """A folder of this name for the time of the block, and its lock; `name` begins with one of LOCKED."""
    work.mkdir(parents=True, exist_ok=True)
    folder = work / name
    held = _take(folder)
    assert held is not None
    try:
        folder.mkdir()
        yield folder
    finally:
        _remove(folder, held)


def in_use(folder: Path) -> bool:
    """Whether somebody works in a draft, or may do so: only those of a killed process are known to be left. Changes
    nothing.
    """
    if not folder.name.startswith(LOCKED):
        return True
    try:
        lock = os.open(_lock(folder), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def remove_left(work: Path) -> tuple[str, ...]:
    """Remove the drafts whose process was killed; returns their names."""
    if not work.is_dir():
        return ()
    names = {path.name.removesuffix(LOCK) for path in work.iterdir() if path.name.startswith(LOCKED)}
    left = []
    for name in sorted(names):
        held = _take(work / name, wait=False)
        if held is not None:
            _remove(work / name, held)
            left.append(name)
    return tuple(left)


def _lock(folder: Path) -> Path:
    return folder.with_name(folder.name + LOCK)


def _take(folder: Path, *, wait: bool = True) -> int | None:
    """The lock of a draft, as an open file; None: somebody has it."""
    while True:
        held = os.open(_lock(folder), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if os.fstat(held).st_nlink > 0:
                return held  # else somebody has removed the file meanwhile: another one has its name now
        except BlockingIOError:
            os.close(held)
            return None
        os.close(held)


def _remove(folder: Path, held: int) -> None:
    try:
        shutil.rmtree(folder, ignore_errors=True)
        _lock(folder).unlink(missing_ok=True)
    finally:
        os.close(held)
