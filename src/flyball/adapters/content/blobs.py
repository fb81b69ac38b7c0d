"""Content-addressed files on a local disk: a blob is named by its SHA-256, and is there whole or not at all.

Crash safety: bytes go to a draft in the same folder, are flushed to the disk, and get their name by one rename; the
folder is flushed too. A crash leaves at most a draft, which nobody reads. Writing what is there already does nothing.
"""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from flyball.core.errors import NotFound, Unavailable, Untrusted
from flyball.core.ids import Digest, is_sha256
from flyball.core.ports import Blob

CHUNK = 1 << 18  # bytes of one read
_LINKS = "links"
_LINK = re.compile(r"[a-z]+/[0-9a-f]{64}")


class Blobs:
    """`core.ports.BlobStore`: `root/ab/cdef…` for the blob `sha256:abcdef…`, `root/links/…` for the links."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, data: bytes) -> Digest:
        """See the port. A blob that is there gets the present time, so that no sweep takes it for forgotten."""
        name = Digest("sha256:" + sha256(data).hexdigest())
        path = self._path(name)
        if not _used_again(path, len(data)):
            write_whole(path, data)
        return name

    def put_file(self, path: str) -> Digest:
        """See the port. The name is that of the bytes that were copied, whatever becomes of the file meanwhile."""
        total = sha256()
        try:
            with open(path, "rb") as source, _draft(self._root) as draft:
                for data in iter(lambda: source.read(CHUNK), b""):
                    total.update(data)
                    draft.write(data)
                name = Digest("sha256:" + total.hexdigest())
                target = self._path(name)
                if not _used_again(target, draft.tell()):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _publish_file(draft, target)
        except OSError as error:
            raise Unavailable(f"{path}: it cannot be stored: {error.strerror}") from error
        return name

    def get(self, name: str) -> bytes:
        """See the port."""
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise no_such_blob(name) from error
        except OSError as error:
            raise Unavailable(f"{name}: cannot be read: {error.strerror}") from error
        check_bytes(name, sha256(data).hexdigest())
        return data

    def fetch(self, name: str, target: str) -> None:
        """See the port."""
        total = sha256()
        try:
            with self._path(name).open("rb") as source, _draft(Path(target).parent) as draft:
                for data in iter(lambda: source.read(CHUNK), b""):
                    total.update(data)
                    draft.write(data)
                check_bytes(name, total.hexdigest())
                _publish_file(draft, Path(target))
        except FileNotFoundError as error:
            raise no_such_blob(name) from error
        except OSError as error:
            raise Unavailable(f"{name}: cannot be copied: {error.strerror}") from error

    def has(self, name: str) -> bool:
        return is_sha256(name) and self._path(name).is_file()

    def list(self) -> Iterator[Blob]:
        """See the port; drafts and links are not blobs."""
        for path in sorted(self._root.glob("[0-9a-f][0-9a-f]/*")):
            if is_sha256(name := f"sha256:{path.parent.name}{path.name}"):
                state = path.stat()
                yield Blob(name=Digest(name), size=state.st_size, at=state.st_mtime)

    def delete(self, name: str) -> bool:
        """See the port."""
        path = self._path(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise Unavailable(f"{name}: cannot be deleted: {error.strerror}") from error
        return True

    def link(self, name: str, to: Digest) -> None:
        """See the port."""
        if not self.has(to):
            raise no_such_blob(to)
        write_whole(self._root / _LINKS / checked_link(name), to.encode())

    def linked(self, name: str) -> Digest | None:
        """See the port."""
        try:
            return checked_target(name, (self._root / _LINKS / checked_link(name)).read_bytes())
        except FileNotFoundError:
            return None

    def _path(self, name: str) -> Path:
        if not is_sha256(name):
            raise no_such_blob(name)
        digits = name.removeprefix("sha256:")
        return self._root / digits[:2] / digits[2:]


def no_such_blob(name: str) -> NotFound:
    if not is_sha256(name):
        return NotFound(f"{name!r}: expected sha256: and 64 hex digits")
    return NotFound(f"{name}: there is no such blob")


def check_bytes(name: str, found: str) -> None:
    """Nothing where the bytes are what their name says. Raises: Untrusted."""
    if f"sha256:{found}" != name:
        raise Untrusted(f"{name}: the store holds sha256:{found}", hint="delete that blob and store it again")


def checked_link(name: str) -> str:
    """Raises: NotFound: no name of a link, `kind/<64 hex digits>`."""
    if not _LINK.fullmatch(name):
        raise NotFound(f"{name!r}: expected the name of a link, such as releases/<64 hex digits>")
    return name


def checked_target(name: str, found: bytes) -> Digest:
    """Raises: Untrusted: the link holds something else than the name of a blob."""
    target = found.decode("ascii", "replace")
    if not is_sha256(target):
        raise Untrusted(f"{name}: the link does not name a blob")
    return Digest(target)


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there with all its bytes or not at all, also after a power cut.

    Raises: Unavailable: the disk does not take it.
    """
    try:
        with _draft(path.parent) as draft:
            draft.write(data)
            _publish_file(draft, path)
    except OSError as error:
        raise Unavailable(f"{path.name}: the disk does not take it: {error.strerror}") from error


@contextmanager
def whole_file(path: Path) -> Iterator[str]:
    """A draft beside `path` for code that wants a name; it becomes `path` at the end of a block that raises nothing.

    Raises: Unavailable: the disk does not take it.
    """
    try:
        with _draft(path.parent) as draft:
            yield draft.name
            _publish_file(draft, path)
    except OSError as error:
        raise Unavailable(f"{path.name}: the disk does not take it: {error.strerror}") from error


@contextmanager
def _draft(folder: Path) -> Iterator[BinaryIO]:
    """A file without a name that anybody reads; gone at the end of the block unless it was published."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".draft-", delete=False) as draft:
        try:
            yield draft  # type: ignore[misc]  # a wrapper that has what we need of a file
        finally:
            Path(draft.name).unlink(missing_ok=True)


def _publish_file(draft: BinaryIO, path: Path) -> None:
    draft.flush()
    os.fsync(draft.fileno())
    Path(draft.name).replace(path)
    flush_folder(path.parent)


def _used_again(path: Path, size: int) -> bool:
    """Whether the blob is there with its size; then it counts as used now. A torn one is written again."""
    try:
        if path.stat().st_size != size:
            return False
        os.utime(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise Unavailable(f"{path.name}: the disk does not take it: {error.strerror}") from error
    return True


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
