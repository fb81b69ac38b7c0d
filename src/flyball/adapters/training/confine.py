"""Writes of this process and of all that it starts, held to some folders by the kernel (Landlock, no rights needed).

A ruleset handles every way to change a file system; the folders named get them back. Reading stays free, and so are
pipes and sockets that are open already. Where the kernel has no Landlock (before 5.13, or built without it)
`available()` is false, and `listing` before and after finds what was changed, though only afterwards.
Source: landlock(7), linux/landlock.h.
"""

import ctypes
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from flyball.core.errors import Unavailable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # system calls, the same numbers on every architecture
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1
_NO_NEW_PRIVS = 38  # PR_SET_NO_NEW_PRIVS
WRITE_FILE, TRUNCATE = 1 << 1, 1 << 14
_CHANGES = WRITE_FILE | sum(1 << bit for bit in range(4, 13))  # and remove and make, of every kind
_REFER = 1 << 13  # rename and link between folders; handled from ABI 2 on, truncate from ABI 3 on


class _Ruleset(ctypes.Structure):
    _fields_ = (("handled_access_fs", ctypes.c_uint64),)


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def available() -> int:
    """Version of the kernel's Landlock interface, 0 where there is none."""
    return max(int(_libc().syscall(_CREATE, None, 0, _VERSION)), 0)


def confine(folders: Iterable[Path], *, files: Iterable[Path] = ()) -> bool:
    """From here on only `folders` may be changed, and `files` (devices, say) be written to. False: no Landlock here.

    Raises: Unavailable: the kernel refuses.
    """
    version = available()
    if not version:
        return False
    handled = _CHANGES | (_REFER if version >= 2 else 0) | (TRUNCATE if version >= 3 else 0)
    libc = _libc()
    ruleset = libc.syscall(_CREATE, ctypes.byref(_Ruleset(handled)), ctypes.sizeof(_Ruleset), 0)
    if ruleset < 0:
        raise Unavailable(f"Landlock: no ruleset: {os.strerror(ctypes.get_errno())}")
    try:
        for folder in folders:
            _allow(libc, ruleset, folder, handled)
        for file in files:
            _allow(libc, ruleset, file, handled & (WRITE_FILE | TRUNCATE))
        if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.syscall(_RESTRICT, ruleset, 0):
            raise Unavailable(f"Landlock: not in force: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(ruleset)
    return True


def listing(folders: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Files below folders: path -> (size in bytes, time of the last change in ns)."""
    found = {}
    for folder in folders:
        for path in Path(folder).rglob("*"):
            try:
                at = path.lstat()
            except FileNotFoundError:
                continue
            if not path.is_dir():
                found[str(path)] = (at.st_size, at.st_mtime_ns)
    return found


def changed(before: Mapping[str, tuple[int, int]], after: Mapping[str, tuple[int, int]]) -> tuple[str, ...]:
    """Paths that were made, removed or changed, sorted.

    >>> changed({"a": (1, 1), "b": (1, 1)}, {"a": (1, 2), "b": (1, 1), "c": (0, 3)})
    ('a', 'c')
    """
    return tuple(sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path)))


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, access: int) -> None:
    if not path.exists():
        return
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = _Beneath(access, handle)
        if libc.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0):
            raise Unavailable(f"Landlock: {path.name}: {os.strerror(ctypes.get_errno())}")
    finally:
        os.close(handle)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
