"""The signing key of a home: EC P-256, made at first use, never leaving its folder.

A new key is written whole under another name and then linked to its own, so two processes that start at once end up
with the same key. The private key is `signing.pem` (PKCS 8, mode 0600), the public one `signing.pub`.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from flyball.core.errors import BadInput, Fault, NotFound, Unavailable

PRIVATE, PUBLIC = "signing.pem", "signing.pub"
_ALGORITHM = ec.ECDSA(hashes.SHA256())


class PublicKey:
    """Verifies; also what an auditor elsewhere has."""

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        encoded = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = hashlib.sha256(encoded).digest()[:4]  # C2SP signed-note, ECDSA: first bytes of SHA-256(SPKI)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether `signature` (DER) is this key's over `data`."""
        try:
            self._key.verify(signature, data, _ALGORITHM)
        except InvalidSignature:
            return False
        return True

    def pem(self) -> bytes:
        """SubjectPublicKeyInfo, PEM."""
        return self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


class SigningKey:
    """Signs. `path` is the private key's file, for tools that take a path."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, path: Path) -> None:
        self._key, self.path = key, path
        self.public = PublicKey(key.public_key())

    @property
    def key_id(self) -> bytes:
        return self.public.key_id

    def sign(self, data: bytes) -> bytes:
        """ECDSA over SHA-256, DER."""
        return self._key.sign(data, _ALGORITHM)


def signing_key(folder: Path) -> SigningKey:
    """The key of this folder, made if there is none.

    Raises: BadInput: the file holds no EC P-256 key. Unavailable: it cannot be read or made.
    """
    path = folder / PRIVATE
    try:
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = ec.generate_private_key(ec.SECP256R1())
            _publish(path, _pem(fresh), mode=0o600)
        found = SigningKey(_private(path), path)
        if not (folder / PUBLIC).exists():
            _publish(folder / PUBLIC, found.public.pem(), mode=0o644)
    except OSError as error:
        raise Unavailable(
            f"{path}: the signing key cannot be read or made: {error}", hint="check its rights"
        ) from error
    return found


def public_key(path: Path) -> PublicKey:
    """The public key in a PEM file. Raises: NotFound: no file. BadInput: no EC P-256 public key in it."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except FileNotFoundError as error:
        raise NotFound(f"{path}: there is no public key", hint="a home makes its key at first use") from error
    except ValueError as error:
        raise _not_a_key(path, "bytes that are no PEM key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _not_a_key(path, "a key of another kind")
    return PublicKey(key)


def _private(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError) as error:
        raise _not_a_key(path, "bytes that are no PEM key, or one with a password") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _not_a_key(path, "a key of another kind")
    return key


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _publish(path: Path, data: bytes, *, mode: int) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}-") as draft:  # made with mode 0600
        draft.write(data)
        draft.flush()
        os.fchmod(draft.fileno(), mode)
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return  # another process was first, and its file is the one that counts


def _not_a_key(path: Path, found: str) -> BadInput:
    fault = Fault(where=str(path), path="file", expected="an EC P-256 key in PEM", found=found, fix="restore the file")
    return BadInput("this file is not a signing key", (fault,))
