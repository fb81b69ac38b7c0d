"""When a controller last kept each service: a small file in the home, written anew every second, for whoever asks.

It is tied to rounds that came to their end, not to a process that is there: a controller that hangs stops beating. A
file that lags or is gone says no more than that nobody has been seen.
"""

import os
from pathlib import Path

import msgspec

from flyball.core.errors import Unavailable
from flyball.core.record import Record


class Beat(Record):
    """What the controller wrote last."""

    owner: str
    at: float  # seconds since the epoch, when it was written
    kept: dict[str, float]  # service -> when its last round ended, seconds since the epoch


def write_beat(path: Path, beat: Beat) -> None:
    """In the place of the one before, whole or not at all. Raises: OSError."""
    new = path.with_name(path.name + ".new")
    new.write_bytes(msgspec.json.encode(beat))
    os.replace(new, path)


def read_beat(path: Path) -> Beat | None:
    """None: there has been none. Raises: Unavailable: what is there is none.

    >>> read_beat(Path("no/such/file")) is None
    True
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Beat)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{path.name} cannot be read: {error}") from error
