"""A second name for a set of files that standard tools can recompute: `dirHash1` of the in-toto DigestSet (Go's h1).

It is the SHA-256 over one line a file, sorted by the bytes of the path: the file's SHA-256 in hex, two blanks, the
path. That is what `sha256sum` prints, so coreutils recheck it (see `docs/how-to/store-artefacts.md`). It binds names
and bytes but has no inclusion proofs, so the manifest root stays the identity and this stands beside it.

Source: `golang.org/x/mod/sumdb/dirhash`, function Hash1; in-toto `digest_set.md`, `dirHash`.
"""

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256

from flyball.core.release import File


def dir_hash1(files: Iterable[File]) -> str | None:
    """Hex; None where a path holds a line break, which the format cannot say.

    >>> dir_hash1([File(path="a", size=0, sha256=sha256(b"").hexdigest())])[:12]
    'fba1930570cf'
    """
    total = sha256()
    for file in sorted(files, key=lambda file: file.path.encode()):
        if "\n" in file.path or "\r" in file.path:
            return None
        total.update(f"{file.sha256}  {file.path}\n".encode())
    return total.hexdigest()


def go_form(hex_digest: str) -> str:
    """The same digest as `go.sum` writes it.

    >>> go_form("00" * 32)
    'h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
    """
    return "h1:" + b64encode(bytes.fromhex(hex_digest)).decode()
