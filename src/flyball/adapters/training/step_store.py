"""`core.ports.StepStore`: a folder an output, named by the digest of the inputs, written whole or not at all.

An output is drafted under another name and gets its own by one rename, with a list of its files and their digests in
it. Nothing is flushed to the disk: a killed process loses nothing that way, and after a power cut a file that is short
or empty does not match its digest, so the step is simply done again. That keeps a step at a fraction of a millisecond
where a flush of each file would cost several.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from flyball.core.errors import Unavailable

INDEX = "index.json"
KEPT_MB, KEPT = 2000.0, 400  # MB of 10**6 bytes, and outputs, of a service together


class FolderSteps:
    """Outputs under one folder; several processes may use it at once."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, key: str) -> Mapping[str, bytes] | None:
        """See the port. A damaged output is removed, so that it can be made again."""
        folder = self._folder(key)
        try:
            index = msgspec.json.decode((folder / INDEX).read_bytes(), type=dict[str, str])
            files = {name: (folder / "files" / name).read_bytes() for name in index}
        except (OSError, msgspec.DecodeError, msgspec.ValidationError):
            _remove(folder)
            return None
        if any(sha256(files[name]).hexdigest() != digest for name, digest in index.items()):
            _remove(folder)
            return None
        os.utime(folder)  # what is used stays longest
        return files

    def put(self, step: str, key: str, files: Mapping[str, bytes]) -> None:  # noqa: ARG002 -- for those who watch
        """See the port."""
        target = self._folder(key)
        draft: Path | None = None
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            draft = Path(tempfile.mkdtemp(dir=self._root, prefix=".draft-"))
            for name, data in files.items():
                path = draft / "files" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            index = {name: sha256(data).hexdigest() for name, data in files.items()}
            (draft / INDEX).write_bytes(msgspec.json.encode(index))
            draft.rename(target)
        except OSError as error:
            if target.is_dir():  # somebody else has made the same
                return
            raise Unavailable(f"{target.name}: the disk does not take it: {error.strerror}") from error
        finally:
            if draft is not None and draft.is_dir():
                shutil.rmtree(draft, ignore_errors=True)

    def prune(self, kept_mb: float = KEPT_MB, kept: int = KEPT) -> int:
        """Remove what was not used for longest, until no more is left than may be kept; returns how many went."""
        if not self._root.is_dir():
            return 0
        sized = [(path.stat().st_mtime, _size(path), path) for path in self._root.iterdir() if path.is_dir()]
        left = sum(size for _, size, _ in sized)
        gone = 0
        for _, size, path in sorted(sized):
            if left <= kept_mb * 1e6 and len(sized) - gone <= kept:
                break
            shutil.rmtree(path, ignore_errors=True)
            left, gone = left - size, gone + 1
        return gone

    def _folder(self, key: str) -> Path:
        return self._root / key.removeprefix("sha256:")


def _remove(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder, ignore_errors=True)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
