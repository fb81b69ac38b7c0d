"""A disk whose power fails: it works on real files, remembers what was synced, and gives just that back afterwards.

A file that was never synced comes back empty, a name that was never synced does not come back, a rename or a removal
whose folder was never synced has not happened. So everything that the system may lose is lost.
"""

import os
import weakref
from pathlib import Path

from flyball.adapters.prediction_log.disk import Disk


class PowerFailure(BaseException):
    """The machine is off: nobody handles this."""


class MortalDisk(Disk):
    """Dies at its `dies_at`-th operation, before it is done."""

    def __init__(self, root: Path, *, dies_at: int | None = None) -> None:
        self._root, self._dies_at, self.operations = root, dies_at, 0
        self._contents: dict[int, bytes] = {}  # inode -> what was in the file at its last sync
        self._names: dict[int, dict[str, int]] = {}  # inode of a folder -> its names at its last sync
        self._held: list[int] = []  # open, so that no inode is given away again
        weakref.finalize(self, _close, self._held)

    def write(self, file: int, data: memoryview) -> int:
        self._count()
        return super().write(file, data)

    def sync(self, file: int) -> None:
        self._count()
        self._held.append(os.dup(file))
        self._contents[os.fstat(file).st_ino] = Path(f"/proc/self/fd/{file}").read_bytes()

    def sync_folder(self, path: Path) -> None:
        self._count()
        self._held.append(os.open(path, os.O_RDONLY))
        for child in path.iterdir():
            self._held.append(os.open(child, os.O_RDONLY))
        self._names[path.stat().st_ino] = {child.name: child.stat().st_ino for child in path.iterdir()}

    def rename(self, path: Path, to: Path) -> None:
        self._count()
        super().rename(path, to)

    def _count(self) -> None:
        if self._dies_at is not None and self.operations >= self._dies_at:
            raise PowerFailure
        self.operations += 1

    def dies_after(self, operations: int) -> None:
        """So many from now on."""
        self._dies_at = self.operations + operations

    def after_the_cut(self, into: Path) -> None:
        """What is there when the power is back."""
        into.mkdir()
        self._rebuild(self._root.stat().st_ino, into)
        _close(self._held)

    def _rebuild(self, folder: int, into: Path) -> None:
        for name, inode in self._names.get(folder, {}).items():
            if inode in self._names:
                (into / name).mkdir()
                self._rebuild(inode, into / name)
            else:
                (into / name).write_bytes(self._contents.get(inode, b""))


def _close(held: list[int]) -> None:
    while held:
        os.close(held.pop())
