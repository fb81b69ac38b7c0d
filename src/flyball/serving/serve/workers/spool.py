"""Gateway facts that wait for the controller as files: written whole, named by the id that makes them happen once."""

import os
from pathlib import Path

import msgspec

from flyball.core.facts.fallback import FallbackExercised
from flyball.core.routing import Stopped


def put(folder: Path, service: str, stopped: Stopped) -> Path:
    """Leave the fact; the same fact twice is one file. The name is the event id for the ledger."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    nth = f"-{len(stopped.arms)}" if stopped.arms else ""  # the arms of an A/B test may stop one after the other
    path = folder / f"stopped-{service}-{stopped.rollout}-{stopped.epoch}{nth}.json"
    write_whole(path, msgspec.json.encode(stopped))
    return path


def put_exercised(folder: Path, finding: FallbackExercised) -> Path:
    """Leave the finding of an exercise; another worker's, or a restarted gateway's, of the same period is the same."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"exercised-{finding.service}-{finding.link}-{finding.period}.json"
    write_whole(path, msgspec.json.encode(finding))
    return path


def write_whole(path: Path, data: bytes) -> None:
    """All of it under this name, or nothing, also after a power cut. Raises: OSError: what was there is still there."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")  # two workers may write the same fact at once
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        left = memoryview(data)
        while left:  # a disk that fills up takes a part, and refuses only the next write
            left = left[os.write(file, left) :]
        os.fsync(file)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    finally:
        os.close(file)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
