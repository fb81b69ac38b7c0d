"""The word of the drill that runs: a small file in the home that whatever is injected reads, with its own end in it.

Whoever does what the file says looks at the clock himself. So the effect of a fault ends at `until` although its driver
was killed, and at once where the file is taken away.
"""

import os
from pathlib import Path

import msgspec

from flyball.app.home import Home
from flyball.core.drill_lease import DrillLease
from flyball.core.errors import Unavailable
from flyball.core.record import Record


class Allowed(Record):
    """What `flyball up` leaves in the home's run folder for as long as it runs."""

    pid: int
    url: str
    services: dict[str, str]  # name -> service.yaml
    allow_drills: bool


def lease_path(home: Home) -> Path:
    return home.root / "run" / "drill.json"


def watched_path(lease: Path) -> Path:
    """The same word while only its recovery is watched: nobody strikes by it, and it can be taken away too."""
    return lease.with_name("drill-watched.json")


def standing_word(lease: Path) -> DrillLease | None:
    """Of the drill that runs, whether its fault is made or its recovery watched; None: none runs. Raises: as
    `read_lease`."""
    return read_lease(lease) or read_lease(watched_path(lease))


def take_away(lease: Path) -> None:
    """Both words: whatever reads them stops now, and so does the driver."""
    for path in (lease, watched_path(lease)):
        path.unlink(missing_ok=True)


def allowed_path(home: Home) -> Path:
    return home.root / "run" / "up.json"


def put(path: Path, word: Record) -> None:
    """Whole or not at all. Raises: OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(path.name + ".new")
    new.write_bytes(msgspec.json.encode(word))
    os.replace(new, path)


def read_lease(path: Path) -> DrillLease | None:
    """None: no drill runs. Raises: Unavailable: what is there is none.

    >>> read_lease(Path("no/such/file")) is None
    True
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=DrillLease)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{path.name} cannot be read: {error}") from error


def read_allowed(path: Path) -> Allowed | None:
    """None: no `flyball up` has said that it runs here. Raises: Unavailable: what is there is none."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Allowed)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{path.name} cannot be read: {error}") from error
