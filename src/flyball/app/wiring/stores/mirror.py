"""Releases and snapshots in a blob store that several machines share (`FLYBALL_BLOBS`), so that each can fetch them.

A folder becomes a blob a file, a bundle (the manifest of all its files) and a link from the root to the bundle, written
in this order: a crash leaves blobs that nobody reads, and doing it again completes them. What comes back is a draft
until the caller has verified it: a link is no evidence.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Literal

import msgspec

from flyball.adapters.content.blobs import Blobs, publish
from flyball.adapters.content.blobs_fsspec import open_s3
from flyball.adapters.content.hashing import Hasher, regular_files
from flyball.app.home import Home
from flyball.core.codec import canonical
from flyball.core.errors import BadInput, Untrusted
from flyball.core.ids import is_sha256, short
from flyball.core.ports import BlobStore
from flyball.pipeline.manifest import Manifest, manifest

BLOBS_VARIABLE = "FLYBALL_BLOBS"
Kind = Literal["releases", "snapshots"]


def shared_store() -> BlobStore | None:
    """The store that `FLYBALL_BLOBS` names: `s3://bucket/prefix?endpoint=...`, or a folder. None without one.

    Raises: BadInput: no such address. Unavailable: its extra is not installed.
    """
    address = os.environ.get(BLOBS_VARIABLE, "")
    if not address:
        return None
    return open_s3(address) if "://" in address else Blobs(Path(address).resolve())


class Mirror:
    """Copies in the shared store; without one it keeps nothing and has nothing."""

    def __init__(self, home: Home, store: BlobStore | None) -> None:
        self._home, self._store = home, store

    def keep(self, kind: Kind, root: str, folder: Path) -> None:
        """Put a verified folder; what is there already is not sent again. Raises: Unavailable."""
        if self._store is None:
            return
        found = manifest(Hasher().scan(folder, regular_files(folder)).files)
        bundle = canonical(found)
        link = _link(kind, root)
        if self._store.linked(link) == f"sha256:{sha256(bundle).hexdigest()}":
            return
        for file in found.files:
            self._store.put_file(str(folder / file.path))
        self._store.link(link, self._store.put(bundle))

    def has(self, kind: Kind, root: str) -> bool:
        """Whether the store has a copy. Raises: Unavailable."""
        return self._store is not None and self._store.linked(_link(kind, root)) is not None

    def fetch(self, kind: Kind, root: str, target: Path, verify: Callable[[Path], None]) -> bool:
        """Make `target` from the store's copy, verified before it gets its name; False where there is none.

        Raises: Untrusted: what `verify` says, or the store's copy is altered. Unavailable.
        """
        if self._store is None or not is_sha256(root):
            return False
        name = self._store.linked(_link(kind, root))
        if name is None:
            return False
        bundle = _bundle(self._store.get(name), root)
        with self._draft(root) as draft:
            for file in bundle.files:
                self._store.fetch(f"sha256:{file.sha256}", str(draft / file.path))
            verify(draft)
            publish(draft, target)
        return True

    @contextmanager
    def _draft(self, root: str) -> Iterator[Path]:
        work = self._home.made().work
        work.mkdir(exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f"fetch-{short(root)}-", dir=work))
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)  # it has its name by now, or is no good


def _link(kind: Kind, root: str) -> str:
    return f"{kind}/{root.removeprefix('sha256:')}"


def _bundle(data: bytes, root: str) -> Manifest:
    """Its paths are checked before anything is written under them."""
    try:
        return manifest(msgspec.json.decode(data, type=Manifest).files)
    except (msgspec.DecodeError, BadInput) as error:
        raise Untrusted(f"{short(root)}: the shared store lists files that cannot be: {error}") from error
