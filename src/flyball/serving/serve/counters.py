"""The shared counter file: one slot a worker, mapped, so that counts outlive the process that made them."""

import mmap
import os
from pathlib import Path

from flyball.serving.counter_file import SLOT_BYTES, Slot


def mapped_slot(path: Path, worker: int = 0) -> Slot:
    """This worker's slot of the file, made where it is not there. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        size = (worker + 1) * SLOT_BYTES
        if os.fstat(file).st_size < size:
            os.ftruncate(file, size)
        whole = mmap.mmap(file, size)
    finally:
        os.close(file)
    return Slot(memoryview(whole)[worker * SLOT_BYTES : size])
