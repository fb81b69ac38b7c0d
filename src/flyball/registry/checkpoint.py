"""Signed tree heads as text: what one keeps outside the database to prove it later.

The form is C2SP's tlog-checkpoint inside its signed-note: origin, size and root, then, as extension lines, the
frontier (the roots of the perfect subtrees), then an empty line and the signature. With the frontier a verifier can
say in which range of entries a rewritten ledger first differs, and a signer can prove that it only ever extends.
Source: https://c2sp.org/tlog-checkpoint and https://c2sp.org/signed-note.
"""

import re
from base64 import b64decode, b64encode
from typing import Protocol

from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record
from flyball.stats.merkle import Frontier

ORIGIN = "flyball/ledger"
_FRONTIER = "frontier "
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
    body: bytes  # what was signed
    signatures: tuple[tuple[str, bytes, bytes], ...]  # name, 4 bytes of key id, signature

    def is_signed_by(self, key: Verifier) -> bool:
        """Whether one of the signatures is this key's; those of other keys are no fault."""
        return any(
            key_id == key.key_id and key.verify(signature, self.body) for _, key_id, signature in self.signatures
        )


def sign(frontier: Frontier, key: Signer, *, origin: str = ORIGIN) -> str:
    """The text of a signed head, ready for a file."""
    lines = [origin, str(frontier.size), _base64(frontier.root())]
    lines += [_FRONTIER + _base64(each) for each in frontier.hashes]
    body = "\n".join(lines) + "\n"
    signature = _base64(key.key_id + key.sign(body.encode()))
    return f"{body}\n— {origin} {signature}\n"


def parse(text: str, *, where: str) -> Checkpoint:
    """The head in a file. `where`: its name, for the faults. Raises: BadInput: it is not a checkpoint."""
    body, _, notes = text.partition("\n\n")
    lines = body.split("\n")
    faults: list[Fault] = []

    def decoded(path: str, value: str, size: int | None) -> bytes:
        try:
            found = b64decode(value, validate=True)
        except ValueError:
            found = b""
        if not found or len(found) != (size or len(found)):
            expected = f"base64 of {size} bytes" if size else "base64"
            faults.append(Fault(where=where, path=path, expected=expected, found=repr(value[:60])))
        return found

    if len(lines) < 3 or not re.fullmatch("0|[1-9][0-9]{0,15}", lines[1]):
        found = repr(text[:60])
        fault = Fault(where=where, path="file", expected="three lines: origin, size, root", found=found)
        raise BadInput("this is not a checkpoint", (fault,))
    size, root = int(lines[1]), decoded("line 3", lines[2], 32)
    frontier = tuple(
        decoded(f"line {number}", line.removeprefix(_FRONTIER), 32)
        for number, line in enumerate(lines[3:], start=4)
        if line.startswith(_FRONTIER)
    )
    signatures = []
    for name, value in _SIGNED.findall(notes):
        packed = decoded(f"signature of {name}", value, None)
        signatures.append((name, packed[:4], packed[4:]))
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
        body=(body + "\n").encode(),
        signatures=tuple(signatures),
    )


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
