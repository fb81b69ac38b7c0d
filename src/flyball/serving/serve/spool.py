"""Gateway facts that wait for the controller as files: written whole, named by the id that makes them happen once."""

import os
from pathlib import Path

import msgspec

from flyball.core.routing import Stopped


def put(folder: Path, service: str, stopped: Stopped) -> Path:
    """Leave the fact; the same fact twice is one file. The name is the event id for the ledger."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"stopped-{service}-{stopped.rollout}-{stopped.epoch}.json"
    write_whole(path, msgspec.json.encode(stopped))
    return path


def write_whole(path: Path, data: bytes) -> None:
    """All of it under this name, or nothing, also after a power cut. Raises: OSError: what was there is still there."""
    draft = path.with_name(f".{path.name}.draft")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        left = memoryview(data)
        while left:  # a disk that fills up takes a part, and refuses only the next write
            left = left[os.write(file, left) :]
        os.fsync(file)
    finally:
        os.close(file)
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
