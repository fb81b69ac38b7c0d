"""Content-addressed files on a local disk: a blob is named by its SHA-256, and is there whole or not at all.

Crash safety: bytes go to a draft in the same folder, are flushed to the disk, and get their name by one rename; the
folder is flushed too. A crash leaves at most a draft, which nobody reads. Writing what is there already does nothing.
"""

import os
import tempfile
from hashlib import sha256
from pathlib import Path

from flyball.core.errors import NotFound, Unavailable, Untrusted
from flyball.core.ids import Digest


class Blobs:
    """`root/ab/cdef…` for the blob `sha256:abcdef…`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> Digest:
        """Store; returns the name. Raises: Unavailable: the disk does not take it."""
        name = Digest("sha256:" + sha256(data).hexdigest())
        path = self._path(name)
        if not path.is_file():
            write_whole(path, data)
        return name

    def get(self, name: str) -> bytes:
        """The bytes, hashed again. Raises: NotFound. Untrusted: they are not what their name says."""
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise NotFound(f"{name}: there is no such blob") from error
        found = "sha256:" + sha256(data).hexdigest()
        if found != name:
            raise Untrusted(f"{name}: the file holds {found}", hint="restore it from a copy of the home")
        return data

    def has(self, name: str) -> bool:
        return self._path(name).is_file()

    def _path(self, name: str) -> Path:
        digits = name.removeprefix("sha256:")
        if len(digits) != 64 or not set(digits) <= set("0123456789abcdef"):
            raise NotFound(f"{name!r}: expected sha256: and 64 hex digits")
        return self._root / digits[:2] / digits[2:]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there with all its bytes or not at all, also after a power cut.

    Raises: Unavailable: the disk does not take it.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".draft-", delete=False) as draft:
            try:
                draft.write(data)
                draft.flush()
                os.fsync(draft.fileno())
                Path(draft.name).replace(path)
            except BaseException:
                Path(draft.name).unlink(missing_ok=True)
                raise
        flush_folder(path.parent)
    except OSError as error:
        raise Unavailable(f"{path.name}: the disk does not take it: {error.strerror}") from error


def publish(folder: Path, target: Path) -> bool:
    """Give a finished folder its name by one rename; False if the name is taken, and nothing was done.

    Raises: Unavailable: the disk does not take it.
    """
    try:
        for path in folder.rglob("*"):
            flush_folder(path) if path.is_dir() else _flush_file(path)
        flush_folder(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists():
            return False
        folder.rename(target)
        flush_folder(target.parent)
    except FileExistsError:
        return False
    except OSError as error:
        if target.is_dir():  # somebody else was first between the look and the rename
            return False
        raise Unavailable(f"{target.name}: the disk does not take it: {error.strerror}") from error
    return True


def flush_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _flush_file(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
