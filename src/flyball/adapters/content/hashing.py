"""SHA-256 of files on disk: in constant memory, by several threads, and by a look alone where nothing has changed.

Theory of operation. `hashlib` lets go of the interpreter while it hashes, so threads use all cores for big files; many
small ones go to a thread in batches, largest files first, so that no thread ends with a big one left. Symbolic links
and other things that are no regular files are refused, each by name. A file is looked at before and after it was read:
one that changes meanwhile has no digest, and the caller is told.
With a `StatCache` a file in a known state is not read. A share of those is read all the same at each scan (`sample`,
with the dice that were handed in), and `paranoid` reads all; a cache that is found to lie is emptied, and the scan
reads everything.
"""

import os
import random
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

from flyball.adapters.content.stat_cache import StatCache
from flyball.core.errors import BadInput, Fault, Unavailable
from flyball.core.record import Record
from flyball.core.release import File

CHUNK = 1 << 18  # bytes of one read: stays in the processor's cache until it is hashed
BATCH_FILES, BATCH_BYTES = 256, 1 << 26  # what one thread takes at a time
SAMPLE = 0.01  # share of known files that are read all the same

Read = tuple[str, os.stat_result, str]  # path, its state, SHA-256 in hex


class Hashed(Record):
    """What a scan found, and what it cost."""

    files: tuple[File, ...]  # in the order of their paths
    read: int  # files whose bytes were hashed; the others were only looked at
    lied: tuple[str, ...] = ()  # files that had other bytes than the cache knew, in the same state


def regular_files(folder: Path) -> tuple[str, ...]:
    """Relative paths of all regular files below, sorted.

    Raises: BadInput: symbolic links, sockets and the like; every one is named. Unavailable: a folder cannot be read.
    """
    faults: list[Fault] = []
    found = sorted(_walk(str(folder), "", faults))
    if faults:
        raise BadInput(f"{folder} holds what has no bytes of its own.", tuple(faults))
    return tuple(found)


def _walk(folder: str, prefix: str, faults: list[Fault]) -> Iterator[str]:
    """As `os.walk`, which would pass over a folder that it cannot read. Plain strings: there may be millions."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = prefix + entry.name
                if entry.is_file(follow_symlinks=False):
                    yield name
                elif entry.is_dir(follow_symlinks=False):
                    yield from _walk(entry.path, name + "/", faults)
                else:
                    kind = "a symbolic link" if entry.is_symlink() else "neither file nor folder"
                    faults.append(Fault(where=folder, path=name, expected="a regular file", found=kind, fix="copy it"))
    except OSError as error:
        raise Unavailable(f"{folder}: cannot be read: {error.strerror}") from error


def hash_file(path: str | Path) -> tuple[os.stat_result, str]:
    """State and SHA-256 (hex) of one regular file.

    Raises: Unavailable: it cannot be read, is no regular file, or changed while it was read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror}") from error
    try:
        before = os.fstat(handle)
        if not stat.S_ISREG(before.st_mode):
            raise Unavailable(f"{path}: expected a regular file")
        total = sha256()
        if before.st_size < CHUNK:
            while data := os.read(handle, before.st_size + 1):
                total.update(data)
                if len(data) <= before.st_size:  # fewer bytes than asked for: that was the end
                    break
        else:
            view = memoryview(bytearray(CHUNK))
            while count := os.readv(handle, [view]):
                total.update(view[:count])
        if _state(os.fstat(handle)) != _state(before):
            raise Unavailable(f"{path}: it changed while it was read", hint="run again when nobody writes to it")
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror}") from error
    finally:
        os.close(handle)
    return before, total.hexdigest()


class Hasher:
    """Hashes sets of files. Without a cache every byte is read, which is what verification needs."""

    def __init__(
        self,
        cache: StatCache | None = None,
        *,
        now_ns: Callable[[], int] = lambda: 0,
        dice: random.Random | None = None,
        sample: float = SAMPLE,
        paranoid: bool = False,
        workers: int | None = None,
    ) -> None:
        """Args: now_ns: wall time, needed with a cache. dice: draw the sample; None: no sample. workers: threads."""
        self._cache, self._now_ns, self._dice = cache, now_ns, dice
        self._sample, self._paranoid = sample, paranoid
        self._workers = workers or os.cpu_count() or 1

    def scan(self, folder: Path, names: Iterable[str] | None = None) -> Hashed:
        """All regular files below a folder, or those named, by paths relative to it.

        Raises: BadInput: links or other things among them. Unavailable: a file cannot be read, or changes meanwhile.
        """
        paths = regular_files(folder) if names is None else tuple(names)
        known = self._known(folder, paths)
        doubted = {path for path in known if self._dice is not None and self._dice.random() < self._sample}
        digests = {path: digest for path, digest in known.items() if path not in doubted}
        read = self._read(folder, [path for path in paths if path not in digests])
        lied = tuple(sorted(path for path in doubted if (read[path][1]) != known[path][1]))
        if lied and self._cache is not None:
            self._cache.clear()
            read |= self._read(folder, [path for path in paths if path in digests])
        found = digests | read
        return Hashed(
            files=tuple(
                File(path=unicodedata.normalize("NFC", path), size=found[path][0].st_size, sha256=found[path][1])
                for path in sorted(paths)
            ),
            read=len(read),
            lied=lied,
        )

    def _known(self, folder: Path, paths: Sequence[str]) -> dict[str, tuple[os.stat_result, str]]:
        if self._cache is None or self._paranoid:
            return {}
        states = [(path, _look(folder, path)) for path in paths]
        digests = self._cache.known(state for _, state in states)
        return {path: (state, digest) for (path, state), digest in zip(states, digests, strict=True) if digest}

    def _read(self, folder: Path, paths: Sequence[str]) -> dict[str, tuple[os.stat_result, str]]:
        """Read and remember, batch by batch, so that a scan that is killed goes on where it was."""
        if not paths:
            return {}
        found: dict[str, tuple[os.stat_result, str]] = {}
        begun = self._now_ns()
        for batch in self._batches(folder, paths):
            found |= {path: (state, digest) for path, state, digest in batch}
            if self._cache is not None:
                self._cache.remember(((state, digest) for _, state, digest in batch), now_ns=begun)
        return found

    def _batches(self, folder: Path, paths: Sequence[str]) -> Iterator[list[Read]]:
        work = list(_portions(folder, paths))
        if self._workers == 1 or len(work) == 1:
            yield from (_read_batch(folder, batch) for batch in work)
            return
        with ThreadPoolExecutor(max_workers=min(self._workers, len(work)), thread_name_prefix="hash") as threads:
            yield from threads.map(lambda batch: _read_batch(folder, batch), work)


def _portions(folder: Path, paths: Sequence[str]) -> Iterator[list[str]]:
    sizes = sorted(((_look(folder, path).st_size, path) for path in paths), reverse=True)
    batch: list[str] = []
    total = 0
    for size, path in sizes:
        batch.append(path)
        total += size
        if len(batch) >= BATCH_FILES or total >= BATCH_BYTES:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch


def _read_batch(folder: Path, paths: Sequence[str]) -> list[Read]:
    base = os.path.join(folder, "")
    return [(path, *hash_file(base + path)) for path in paths]


def _look(folder: Path, path: str) -> os.stat_result:
    try:
        return os.lstat(os.path.join(folder, path))
    except OSError as error:
        raise Unavailable(f"{path}: cannot be read: {error.strerror}") from error


def _state(state: os.stat_result) -> tuple[int, ...]:
    return state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns
