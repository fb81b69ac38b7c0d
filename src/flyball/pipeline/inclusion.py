"""Proof that one file belongs to a manifest root, for somebody who has the file and the root and nothing else.

A library for auditors: no verb of Flyball needs it, as whoever has the home has all files. Who hands out one file of a
data set calls `prove`, and who is handed it calls `proves` (docs/how-to/store-artefacts.md).
"""

from flyball.core.codec import canonical
from flyball.core.errors import NotFound
from flyball.core.ids import Digest
from flyball.core.record import Record
from flyball.core.release import File
from flyball.pipeline.manifest import Manifest
from flyball.stats.merkle import inclusion_proof, leaf_hash, verify_inclusion


class Inclusion(Record):
    """The audit path of one entry (RFC 6962); about log2(size) hashes."""

    root: Digest
    file: File
    index: int  # position of the entry, 0 is the first
    size: int  # entries of the manifest
    path: tuple[str, ...]  # hex, from the leaf upwards


def prove(manifest: Manifest, path: str) -> Inclusion:
    """Raises: NotFound: the manifest has no such file.

    >>> from flyball.pipeline.manifest import of_bytes
    >>> proof = prove(of_bytes({"a": b"1", "b": b"2", "c": b"3"}), "c")
    >>> proof.index, len(proof.path), proves(proof)
    (2, 1, True)
    """
    for index, file in enumerate(manifest.files):
        if file.path == path:
            hashes = [leaf_hash(canonical(each)) for each in manifest.files]
            found = inclusion_proof(hashes, index)
            return Inclusion(
                root=manifest.root,
                file=file,
                index=index,
                size=len(hashes),
                path=tuple(each.hex() for each in found),
            )
    raise NotFound(f"{path!r} is not among the {len(manifest.files)} files of this manifest")


def proves(proof: Inclusion) -> bool:
    """Whether the file, under exactly this path, is in the set that the root names."""
    try:
        path = [bytes.fromhex(each) for each in proof.path]
        head = bytes.fromhex(proof.root.removeprefix("sha256:"))
    except ValueError:
        return False
    return verify_inclusion(leaf_hash(canonical(proof.file)), proof.index, proof.size, path, head)
