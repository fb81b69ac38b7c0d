"""What a run leaves in its folder: the end of what it printed (`log`), and what it used (`use.json`)."""

import os
from pathlib import Path

import msgspec

from flyball.core.errors import Unavailable
from flyball.core.runs import Use

LOG, USE = "log", "use.json"
LOG_BYTES = 1_000_000  # of a longer log the beginning and the end are kept, half of this each


def leave(run_folder: str, use: Use, log: Path | None) -> None:
    """Nothing where the job names no folder. Raises: Unavailable: the disk does not take it."""
    if not run_folder:
        return
    folder = Path(run_folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / USE).write_bytes(msgspec.json.encode(use))
        _write_private(folder / LOG, b"" if log is None or not log.is_file() else bounded(log))
    except OSError as error:
        raise Unavailable(f"{folder.name}: the disk does not take the notes of the run: {error.strerror}") from error


def used(run_folder: str) -> Use:
    """What the trainer noted; nothing where it did not come to that."""
    file = Path(run_folder) / USE
    return msgspec.json.decode(file.read_bytes(), type=Use) if file.is_file() else Use()


def _write_private(file: Path, data: bytes) -> None:
    """Only its owner reads a log: it may hold what the service's code has printed of the data."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        os.fchmod(descriptor, 0o600)
        out.write(data)


def bounded(log: Path, most: int = LOG_BYTES) -> bytes:
    """A log of at most `most` bytes and a line that says what was left out."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size <= most:
            return file.read()
        head = file.read(most // 2)
        file.seek(-(most // 2), os.SEEK_END)
        return head + f"\n... {size - 2 * (most // 2)} bytes left out ...\n".encode() + file.read()
