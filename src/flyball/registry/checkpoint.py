"""Signed tree heads as text: what one keeps outside the database to prove it later.

The form is C2SP's tlog-checkpoint inside its signed-note: origin, size and root, then, as extension lines, the
frontier (the roots of the perfect subtrees) and the hashes of the newest entries, then an empty line and the
signature. By the frontier a signer can prove that it only ever extends; by both a verifier can say where a rewritten
ledger first differs: exactly among the newest entries, as a range among the older ones.
Source: https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Protocol

from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record
from flyball.stats.merkle import Frontier

ORIGIN = "flyball/ledger"
RECENT = 256  # newest entries whose hashes a head lists one by one
_FRONTIER, _LEAF = "frontier ", "leaf "
_SIGNED = re.compile(r"— (\S+) (\S+)")


class Signer(Protocol):
    """Port: a private key."""

    @property
    def key_id(self) -> bytes: ...

    def sign(self, data: bytes) -> bytes: ...


class Verifier(Protocol):
    """Port: a public key."""

    @property
    def key_id(self) -> bytes: ...

    def verify(self, signature: bytes, data: bytes) -> bool: ...


class Checkpoint(Record):
    """One head, as read; whether its signature holds is asked with `is_signed_by`."""

    origin: str
    size: int  # entries
    root: bytes  # 32 bytes
    frontier: tuple[bytes, ...]  # empty where the author wrote none
    leaves: tuple[bytes, ...]  # of the newest entries, oldest first
    body: bytes  # what was signed
    signatures: tuple[tuple[str, bytes, bytes], ...]  # name, 4 bytes of key id, signature

    def is_signed_by(self, key: Verifier) -> bool:
        """Whether one of the signatures is this key's; those of other keys are no fault."""
        return any(
            key_id == key.key_id and key.verify(signature, self.body) for _, key_id, signature in self.signatures
        )


def sign(frontier: Frontier, key: Signer, *, leaves: Sequence[bytes] = (), origin: str = ORIGIN) -> str:
    """The text of a signed head, ready for a file. `leaves`: hashes of the newest entries, oldest first."""
    lines = [origin, str(frontier.size), _base64(frontier.root())]
    lines += [_FRONTIER + _base64(each) for each in frontier.hashes]
    lines += [_LEAF + _base64(each) for each in leaves]
    body = "\n".join(lines) + "\n"
    signature = _base64(key.key_id + key.sign(body.encode()))
    return f"{body}\n— {origin} {signature}\n"


def parse(text: str, *, where: str) -> Checkpoint:
    """The head in a file. `where`: its name, for the faults. Raises: BadInput: it is not a checkpoint."""
    body, _, notes = text.partition("\n\n")
    lines = body.split("\n")
    if len(lines) < 3 or not re.fullmatch("0|[1-9][0-9]{0,15}", lines[1]):
        fault = Fault(where=where, path="file", expected="three lines: origin, size, root", found=repr(text[:60]))
        raise BadInput("this is not a checkpoint", (fault,))
    faults: list[Fault] = []
    size, root = int(lines[1]), _decoded(lines[2], where, "line 3", faults)
    frontier, leaves = (
        tuple(
            _decoded(line.removeprefix(kind), where, f"line {number}", faults)
            for number, line in enumerate(lines[3:], start=4)
            if line.startswith(kind)
        )
        for kind in (_FRONTIER, _LEAF)
    )
    if len(leaves) > size:
        found = f"{len(leaves)} of them"
        faults.append(Fault(where=where, path="leaf", expected=f"at most {size} leaf lines", found=found))
    if frontier and len(frontier) != size.bit_count():
        expected = f"{size.bit_count()} frontier lines for size {size}"
        faults.append(Fault(where=where, path="frontier", expected=expected, found=str(len(frontier))))
    elif frontier and not faults and Frontier(size=size, hashes=frontier).root() != root:
        faults.append(Fault(where=where, path="frontier", expected="hashes under the root", found="another root"))
    if faults:
        raise BadInput("this is not a checkpoint", tuple(faults))
    return Checkpoint(
        origin=lines[0],
        size=size,
        root=root,
        frontier=frontier,
        leaves=leaves,
        body=(body + "\n").encode(),
        signatures=tuple(_signatures(notes)),
    )


def _signatures(notes: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Those that can be read; the format asks verifiers to pass over all others."""
    for name, value in _SIGNED.findall(notes):
        with suppress(binascii.Error):
            packed = b64decode(value, validate=True)
            yield name, packed[:4], packed[4:]


def _decoded(value: str, where: str, path: str, faults: list[Fault]) -> bytes:
    try:
        found = b64decode(value, validate=True)
    except ValueError:
        found = b""
    if len(found) != 32:
        faults.append(Fault(where=where, path=path, expected="base64 of 32 bytes", found=repr(value[:60])))
    return found


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
