"""A receiver of messages in a file: one line of canonical JSON each, on the disk before it counts as arrived."""

import fcntl
import os
from pathlib import Path

from flyball.core.codec import canonical
from flyball.core.ledger import Message
from flyball.core.outbox import Answer


class FileLines:
    """Appends; a line that a kill cut off is removed before the next one, so each line of the file is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: Message) -> Answer:
        """Blocks while another process writes to the file."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                end = _whole(descriptor)
                os.ftruncate(descriptor, end)
                data = memoryview(canonical(message.body) + b"\n")
                while data:
                    written = os.pwrite(descriptor, data, end)
                    data, end = data[written:], end + written
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except OSError as error:
            return Answer(ok=False, status=f"{type(error).__name__}: {error.strerror}")
        return Answer(ok=True, status="written")


def _whole(descriptor: int) -> int:
    """Where the last whole line ends, in bytes."""
    at = os.lseek(descriptor, 0, os.SEEK_END)
    while at > 0:
        step = min(at, 65536)
        newline = os.pread(descriptor, step, at - step).rfind(b"\n")
        if newline >= 0:
            return at - step + newline + 1
        at -= step
    return 0
