"""Manifest of a set of files (`manifest/v1`): one root that names the bytes and the names of all of them.

An entry is `{path, size, sha256}`. Paths are relative, `/`, NFC, without `.` and `..`; entries are sorted by the UTF-8
bytes of the path; the root is the RFC 6962 tree over the canonical JSON of the entries. Times, modes and owners are not
in it: the same files copied elsewhere have the same root. Names are case-exact: `a.csv` and `A.csv` are two files.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from hashlib import sha256

from flyball.core.codec import canonical
from flyball.core.errors import BadInput, Fault
from flyball.core.ids import Digest
from flyball.core.record import Record
from flyball.core.release import File
from flyball.pipeline.dir_hash import dir_hash1
from flyball.stats.merkle import leaf_hash
from flyball.stats.merkle import root as tree_root


class Manifest(Record):
    """The files of a folder, sorted, and the root that names them."""

    root: Digest
    files: tuple[File, ...]
    schema: str = "manifest/v1"
    dir_hash1: str | None = None  # the same files as coreutils and Go name them, hex (`pipeline.dir_hash`)


def manifest(files: Iterable[File]) -> Manifest:
    """Sort, check and hash.

    Raises: BadInput: paths that are not plain relative paths, or that occur twice; every one of them is named.

    >>> part = lambda name, text: entry(name, text.encode())
    >>> manifest([part("part-1.csv", "a,b\\n3,4\\n"), part("part-0.csv", "a,b\\n1,2\\n")]).root[:15]
    'sha256:1725c9ad'
    """
    ordered = tuple(sorted(files, key=lambda file: file.path.encode("utf-8", "surrogatepass")))
    faults = tuple(_faults(ordered))
    if faults:
        raise BadInput("These files cannot be named in a manifest.", faults)
    root = tree_root([leaf_hash(canonical(file)) for file in ordered])
    return Manifest(root=Digest("sha256:" + root.hex()), files=ordered, dir_hash1=dir_hash1(ordered))


def of_bytes(contents: Mapping[str, bytes]) -> Manifest:
    """Manifest of files held in memory, path -> bytes."""
    return manifest(entry(path, data) for path, data in contents.items())


def entry(path: str, data: bytes) -> File:
    """One file; the path is brought to NFC, as file systems differ in how they store accents."""
    return File(path=unicodedata.normalize("NFC", path), size=len(data), sha256=sha256(data).hexdigest())


def differences(expected: Manifest, found: Manifest) -> tuple[str, ...]:
    """What is missing, extra or changed, one sentence a file; empty where the two are the same.

    >>> differences(of_bytes({"a": b"1", "b": b""}), of_bytes({"a": b"2", "c": b""}))
    ('a is changed', 'b is missing', 'c is extra')
    """
    left = {file.path: file for file in expected.files}
    right = {file.path: file for file in found.files}
    words = []
    for path in sorted(left.keys() | right.keys()):
        if path not in right:
            words.append(f"{path} is missing")
        elif path not in left:
            words.append(f"{path} is extra")
        elif left[path] != right[path]:
            words.append(f"{path} is changed")
    return tuple(words)


def _faults(files: tuple[File, ...]) -> Iterable[Fault]:
    seen: set[str] = set()
    for file in files:
        parts = file.path.split("/")
        if not file.path or any(part in ("", ".", "..") for part in parts) or "\\" in file.path or "\0" in file.path:
            yield _fault(file.path, "a relative path with `/` and without `.` or `..`")
        elif not unicodedata.is_normalized("NFC", file.path) or not _is_utf8(file.path):
            yield _fault(file.path, "a path in valid UTF-8, NFC")
        elif file.path in seen:
            yield _fault(file.path, "each path once")
        seen.add(file.path)


def _fault(path: str, expected: str) -> Fault:
    return Fault(where="manifest", path=path, expected=expected, found=repr(path), fix="rename the file")


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
