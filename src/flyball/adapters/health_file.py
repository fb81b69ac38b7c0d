"""How well a service is, in a small file of the home: written by its controller when it is judged anew, read by all."""

import os
from pathlib import Path

import msgspec

from flyball.core.errors import Unavailable
from flyball.core.health_report import HealthReport


def write_report(path: Path, report: HealthReport) -> None:
    """In the place of the one before, whole or not at all. Raises: Unavailable: the disk does not take it."""
    new = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        new.write_bytes(msgspec.json.encode(report))
        os.replace(new, path)
    except OSError as error:
        raise Unavailable(f"{path.name} cannot be written: {error}") from error


def read_report(path: Path) -> HealthReport | None:
    """None: there has been none. Raises: Unavailable: what is there is none.

    >>> read_report(Path("no/such/file")) is None
    True
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=HealthReport)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise Unavailable(f"{path.name} cannot be read: {error}") from error
