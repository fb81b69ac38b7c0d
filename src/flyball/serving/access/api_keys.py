"""API keys: made once, shown once, kept as salted hashes.

A key is `fbk_ID_SECRET` with 256 random bits in SECRET, so nobody can guess it from its hash however fast the hash is;
a slow password hash would only make each request slow. The hash is BLAKE2b keyed by a salt of its own.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from flyball.core.access import Denied, Grant
from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record

PREFIX = "fbk_"
ID_BYTES, SECRET_BYTES, SALT_BYTES = 6, 32, 16
UNKNOWN = Denied(reason="no such key", kind="unknown")
ScopeText = Annotated[str, Meta(pattern=r"^(\*|[a-z0-9][a-z0-9_-]{0,62}):(predict|labels|metrics|verdict|admin)$")]


class KeyEntry(Record):
    """One key, as the key file holds it."""

    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{12}$")]
    salt: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$")]
    hash: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    scopes: tuple[ScopeText, ...]
    created: float  # seconds since the epoch
    expires: float | None = None  # seconds since the epoch
    rate_rps: float | None = None  # requests a second; None: the gateway's limit
    note: str = ""  # whose it is


class KeyFile(Record):
    kind: Literal["flyball/keys/v1"] = "flyball/keys/v1"
    keys: tuple[KeyEntry, ...] = ()


def made(
    random: bytes,
    scopes: Sequence[str],
    *,
    now: float,
    expires: float | None = None,
    rate_rps: float | None = None,
    note: str = "",
) -> tuple[str, KeyEntry]:
    """A new key's text, which nobody can read again, and its entry. `random`: 54 bytes of the system's best.

    >>> text, entry = made(bytes(54), ["fraud:predict"], now=0.0)
    >>> text[:17], entry.scopes, granted({entry.id: entry}, text, now=1.0).subject
    ('fbk_000000000000_', ('fraud:predict',), 'key-000000000000')
    """
    if len(random) != ID_BYTES + SECRET_BYTES + SALT_BYTES:
        raise ValueError(f"{len(random)} random bytes, needed {ID_BYTES + SECRET_BYTES + SALT_BYTES}")
    name = random[:ID_BYTES].hex()
    secret = urlsafe_b64encode(random[ID_BYTES : ID_BYTES + SECRET_BYTES]).decode().rstrip("=")
    salt = random[ID_BYTES + SECRET_BYTES :].hex()
    entry = KeyEntry(
        id=name,
        salt=salt,
        hash=_hash(secret, salt),
        scopes=tuple(scopes),
        created=now,
        expires=expires,
        rate_rps=rate_rps,
        note=note,
    )
    return f"{PREFIX}{name}_{secret}", entry


def granted(entries: Mapping[str, KeyEntry], text: str, *, now: float) -> Grant | Denied:
    """What the key that a client sent allows; compared in constant time."""
    name, _, secret = text.removeprefix(PREFIX).partition("_")
    entry = entries.get(name)
    if entry is None:
        return UNKNOWN
    if not hmac.compare_digest(_hash(secret, entry.salt), entry.hash):
        return Denied(reason=f"key-{name}: the secret is another", kind="unknown")
    if entry.expires is not None and now >= entry.expires:
        return Denied(reason=f"key-{name}: expired", kind="expired", key=f"key-{name}")
    subject = f"key-{name}"
    return Grant(
        subject=subject,
        scopes=frozenset(entry.scopes),
        rate_rps=entry.rate_rps,
        expires=entry.expires,
        person=subject,
    )


def read(data: bytes, where: str) -> KeyFile:
    """A key file. Raises: BadInput: it is none; nothing of its content is repeated."""
    try:
        return msgspec.json.decode(data, type=KeyFile)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        _, _, path = str(error).partition(" - at ")
        place = path.strip("`") or "$"
        fault = Fault(where=where, path=place, expected="a key file", found="something else", fix="flyball keys new")
        raise BadInput(f"{where} is no key file.", (fault,)) from error


def _hash(secret: str, salt: str) -> str:
    return blake2b(secret.encode(), digest_size=32, key=bytes.fromhex(salt), person=b"api-key").hexdigest()
