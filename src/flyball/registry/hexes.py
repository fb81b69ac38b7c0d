"""SHA-256 names inside documents, found by their form: who follows them all keeps too much rather than too little."""

import re

_HEX = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])")


def hexes(document: bytes) -> frozenset[str]:
    """Every run of exactly 64 hex digits.

    >>> sorted(hexes(b'{"code": "sha256:' + b"a" * 64 + b'", "key": "' + b"b" * 65 + b'"}')) == ["a" * 64]
    True
    """
    return frozenset(found.decode() for found in _HEX.findall(document))


def digits(name: str) -> str:
    """The hex digits of a digest of any kind.

    >>> digits("fx1:sha256:0123"), digits("sha256:0123")
    ('0123', '0123')
    """
    return name.rsplit(":", 1)[-1]
