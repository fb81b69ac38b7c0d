"""The store of releases in a home: a folder a release, named by its root; every path out of it has been verified."""

import os
from pathlib import Path

import msgspec

from flyball.adapters.content import signing
from flyball.adapters.content.blobs import publish
from flyball.adapters.content.hashing import Hasher, regular_files
from flyball.adapters.content.keys import PUBLIC
from flyball.app.home import Home
from flyball.app.wiring.stores.mirror import Mirror, shared_store
from flyball.core.errors import BadInput, NotFound, Unavailable, Untrusted
from flyball.core.ids import short
from flyball.pipeline.manifest import Manifest, differences, manifest
from flyball.pipeline.packing import BESIDE, MANIFEST


class ReleaseStore:
    """`core.ports.Releases` over `home.releases`."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._mirror = Mirror(home, shared_store())

    def verified(self, root: str) -> str:
        """Folder of the release, after its signature and every byte of it were checked; done at each call.

        One that is not here is fetched from the shared store, if there is one, and verified before it gets its name.

        Raises: NotFound: no such release. Untrusted: unsigned, signed by another key, altered, or another root.
            Unavailable: it is not here, and the shared store does not answer.
        """
        folder = self.folder(root)
        if folder.is_dir():
            self._verify(folder, root)
        elif not self._mirror.fetch("releases", root, folder, lambda draft: self._verify(draft, root)):
            raise NotFound(f"{short(root)}: there is no release of that root in {self._home.releases.name}/")
        return str(folder)

    def _verify(self, folder: Path, root: str) -> None:
        signing.verify(folder, self._home.keys / PUBLIC)
        check_root(folder, root)

    def put(self, folder: Path, root: str) -> str:
        """Move a signed folder to its place; a good one that is there already stays, a broken one is set aside.

        Raises: Unavailable: the disk does not take it, or the shared store is away; the next try completes it.
        """
        target = self.folder(root)
        if not publish(folder, target):
            try:
                self.verified(root)
                os.utime(target)  # it is wanted again: no sweep takes it for forgotten
            except Untrusted:
                target.rename(folder.with_name(folder.name + "-broken"))
                publish(folder, target)
        self._mirror.keep("releases", root, target)
        return str(target)

    def held(self, root: str) -> bool:
        """Whether the release can still be had, here or in the shared store: a store that was swept forgets some."""
        return self.folder(root).is_dir() or self._mirror.has("releases", root)

    def folder(self, root: str) -> Path:
        return self._home.releases / root.removeprefix("sha256:")


def check_root(folder: Path, root: str) -> None:
    """Nothing where the files under the root are those of the manifest, and the manifest is that of the root.

    Raises: Untrusted: naming each file that differs.
    """
    try:
        expected = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise Untrusted(f"{short(root)}: its manifest cannot be read: {error}") from error
    try:
        names = [name for name in regular_files(folder) if name not in BESIDE]
        found = manifest(Hasher().scan(folder, names).files)  # no cache: a release is read in full each time
    except (BadInput, Unavailable) as error:
        raise Untrusted(f"{short(root)}: {error}") from error
    if found.root != root:
        words = "; ".join(differences(expected, found)) or f"its root is {short(found.root)}"
        raise Untrusted(f"{short(root)}: {words}")
