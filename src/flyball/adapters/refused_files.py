"""Credentials that a gateway refuses, as small files of the home: left by its processes, read by the controller.

One file a key, in the place of the one before; what is lost in a crash is left again with the next refused request.
"""

import os
from collections.abc import Collection
from pathlib import Path

import msgspec

from flyball.core.access import EVERY
from flyball.core.record import Record


class Left(Record):
    key: str  # `key-ID`, or `unknown`
    at: float  # when such a request was refused last, seconds since the epoch
    services: tuple[str, ...] = (EVERY,)  # whose clients they are


def leave(folder: Path, found: Left) -> None:
    """Raises: OSError."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = folder / f".{found.key}.{os.getpid()}"
    draft.write_bytes(msgspec.json.encode(found))
    draft.replace(folder / f"{found.key}.json")


def left(folder: Path, *, since: float) -> tuple[Left, ...]:
    """Those that were refused after a moment, seconds since the epoch; older files are deleted. One that cannot be
    read is none.

    >>> left(Path("no/such/folder"), since=0.0)
    ()
    """
    found = []
    try:
        paths = sorted(folder.glob("*.json"))
    except OSError:
        return ()
    for path in paths:
        try:
            one = msgspec.json.decode(path.read_bytes(), type=Left)
            if one.at < since:
                path.unlink(missing_ok=True)
            else:
                found.append(one)
        except (OSError, msgspec.DecodeError):  # it was replaced or deleted meanwhile: the next look sees it
            continue
    return tuple(found)


def of_service(found: Collection[Left], service: str) -> dict[str, float]:
    """By key, when last."""
    return {one.key: one.at for one in found if EVERY in one.services or service in one.services}
