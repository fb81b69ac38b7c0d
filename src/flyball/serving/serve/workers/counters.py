"""The shared counter file: one slot a worker, mapped, so that counts outlive the process that made them."""

import mmap
import os
import struct
from pathlib import Path

from flyball.serving.counting.counter_file import MAGIC, SLOT_BYTES, UNITS_BYTES, Slot, Units


def mapped_slot(path: Path, worker: int = 0, units: Units | None = None) -> Slot:
    """This slot of the file, made where it is not there. Slot 0 is that of a gateway of one process, worker k of
    several has slot k + 1: their panes are numbered each by itself.

    `units`: what the slots share. Raises: OSError.
    """
    size = (worker + 1) * SLOT_BYTES
    return Slot(_mapped(path, size)[worker * SLOT_BYTES : size], units)


def mapped_slots(path: Path, least: int) -> list[Slot]:
    """All slots of the file, at least so many, also those of workers that are no more. Raises: OSError."""
    there = path.stat().st_size // SLOT_BYTES if path.exists() else 0
    whole = _mapped(path, max(least, there) * SLOT_BYTES)
    return [Slot(whole[i * SLOT_BYTES : (i + 1) * SLOT_BYTES]) for i in range(max(least, there))]


def mapped_units(path: Path) -> Units:
    """The sets of units that all workers of a service share. Raises: OSError."""
    return Units(_mapped(path, UNITS_BYTES))


def set_aside(path: Path) -> Path | None:
    """A counter file, or one of units, that another version of ours wrote makes room for a new one; where it is now.

    Called before anybody maps it; who still has it mapped goes on in the old one. None: there is nothing to be moved.
    Raises: OSError.
    """
    if not path.is_file():
        return None
    with path.open("rb") as file:
        (found,) = struct.unpack("=q", file.read(8).ljust(8, b"\0"))
    if found in (0, MAGIC):
        return None
    return path.rename(path.with_name(f"{path.name}.layout-{found & 0xFF}"))


def _mapped(path: Path, size: int) -> "memoryview[int]":
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if os.fstat(file).st_size < size:
            os.ftruncate(file, size)
        return memoryview(mmap.mmap(file, size))
    finally:
        os.close(file)
