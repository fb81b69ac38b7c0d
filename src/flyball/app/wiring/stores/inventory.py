"""What a home stores and a sweep may delete, and which digests the stored documents name."""

import os
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from hashlib import file_digest
from pathlib import Path

from flyball.adapters.content.blobs import Blobs
from flyball.app.home import Home
from flyball.app.wiring.stores.drafts import in_use
from flyball.core.facts.storage import StoredKind
from flyball.registry.hexes import hexes
from flyball.registry.sweep import Stored

DOCUMENT_BYTES = 16 << 20  # a larger blob is data, not a document that names others
_HEX = re.compile(r"[0-9a-f]{64}")


class Inventory:
    """For one look. Reads `releases/`, `evidence/`, `snapshots/`, `blobs/`, `steps/`, `experiments/` and `quarantine/`;
    nothing else is ever swept."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._blobs = Blobs(home.blobs)

    def items(self) -> Iterator[Stored]:
        """Everything that may be deleted."""
        yield from self._folders("release", self._home.releases)
        yield from self._folders("evidence", self._home.evidence)
        yield from self._folders("snapshot", self._home.snapshots)
        for blob in self._blobs.list():
            digest = blob.name.removeprefix("sha256:")
            place = f"blobs/{digest[:2]}/{digest[2:]}"
            yield Stored(kind="blob", name=blob.name, place=place, digests=(digest,), size=blob.size, at=blob.at)
        yield from self._folders("step", self._home.root / "steps")
        for path in self._home.experiments.glob("*.json"):
            if _HEX.fullmatch(path.stem):
                yield self._file("experiment", path, f"sha256:{path.stem}", (path.stem,))
        for path in (self._home.root / "quarantine").glob("*/*.parquet"):  # nothing names them: they have their time
            yield self._file("quarantine", path, path.relative_to(self._home.root).as_posix(), ())

    def documents(self, name: str) -> frozenset[str]:
        """The digests that the documents stored under these 64 hex digits name: of a release its manifest, say."""
        found: set[str] = set()
        for path in (*(self._home.releases / name).glob("*.json"), *self._home.experiments.glob(f"{name}.json")):
            found |= hexes(path.read_bytes())
        blob = self._home.blobs / name[:2] / name[2:]
        if blob.is_file() and blob.stat().st_size <= DOCUMENT_BYTES:
            data = blob.read_bytes()
            found |= hexes(data) if data[:1] in (b"{", b"[") else frozenset()
        for folder in self._steps.get(name, ()):
            for path in folder.rglob("*.json"):
                found |= hexes(path.read_bytes())
        return frozenset(found)

    def drafts(self) -> dict[str, str]:
        """What running trainings hold: the digests in their jobs, and the bytes of their sources, as roots."""
        found: dict[str, str] = {}
        for draft in _children(self._home.work):
            if not draft.is_dir() or not in_use(draft):
                continue
            why = f"in use by the draft {draft.name} under work/"
            for path in (path for path in draft.rglob("*") if path.is_file()):
                if path.suffix == ".json":
                    found |= dict.fromkeys(hexes(path.read_bytes()), why)
                if "service" in path.relative_to(draft).parts:
                    with path.open("rb") as file:
                        found[file_digest(file, "sha256").hexdigest()] = why
        return found

    def _file(self, kind: StoredKind, path: Path, name: str, digests: tuple[str, ...]) -> Stored:
        place, known = path.relative_to(self._home.root).as_posix(), path.stat()
        return Stored(kind=kind, name=name, place=place, digests=digests, size=known.st_size, at=known.st_mtime)

    def _folders(self, kind: StoredKind, root: Path) -> Iterator[Stored]:
        for folder in _named(root):
            place = folder.relative_to(self._home.root).as_posix()
            name = place if kind == "step" else f"sha256:{folder.name}"
            digests = tuple(_HEX.findall(folder.name))
            yield Stored(kind=kind, name=name, place=place, digests=digests, size=_size(folder), at=_used_at(folder))

    @cached_property
    def _steps(self) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for folder in _named(self._home.root / "steps"):
            for digest in _HEX.findall(folder.name):
                found.setdefault(digest, []).append(folder)
        return found


def used_within(path: Path, *, now: float, grace_s: float) -> bool:
    """Whether a stored thing was made or wanted within the grace."""
    return now - _used_at(path) < grace_s


def _named(root: Path, depth: int = 3) -> Iterator[Path]:
    """Folders whose name holds 64 hex digits, at most `depth` levels below; what is in them is theirs."""
    for path in _children(root):
        if not path.is_dir() or path.is_symlink():
            continue
        if _HEX.search(path.name):
            yield path
        elif depth > 1:
            yield from _named(path, depth - 1)


def _children(root: Path) -> Iterable[Path]:
    return sorted(root.iterdir()) if root.is_dir() else ()


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _used_at(path: Path) -> float:
    return os.stat(path).st_mtime
