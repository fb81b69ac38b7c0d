"""What a backup holds, file by file: written last, so that a folder without it is no backup."""

import hashlib
from pathlib import Path

import msgspec

from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record

NAME = "backup.json"
FORMAT = 1


class Kept(Record):
    sha256: str
    size: int  # bytes


class Manifest(Record):
    format: int
    made_at: str  # RFC 3339, UTC
    entries: int  # of the ledger
    newest_at: str  # of its newest entry; empty: it has none
    files: dict[str, Kept]  # by path within the home
    database: str = ""  # where the ledger stands, without a password; empty: in the home, and so in the backup


def of_file(path: Path) -> Kept:
    """Raises: OSError."""
    with path.open("rb") as file:
        return Kept(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=path.stat().st_size)


def read(folder: Path) -> Manifest:
    """Raises: BadInput: this is no whole backup, or one of a newer Flyball."""
    path = folder / NAME
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        fault = Fault(where=str(folder), path=NAME, expected="the list of a whole backup", found=str(error))
        raise BadInput(
            "This is no backup that came to its end.", (fault,), hint="flyball backup --out FOLDER"
        ) from error
    if found.format != FORMAT:
        fault = Fault(where=str(path), path="format", expected=str(FORMAT), found=str(found.format))
        raise BadInput("This backup is of another Flyball.", (fault,))
    return found


def differences(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    """What is not there any more as it was laid aside, in words."""
    found = []
    for name, kept in manifest.files.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is gone")
        elif of_file(path) != kept:
            found.append(f"{name} is another file than was laid aside")
    return tuple(found)
