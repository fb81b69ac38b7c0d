"""One way to turn a record into bytes: RFC 8785 canonical JSON; and one way to name bytes: SHA-256 with a domain."""

import hashlib
from typing import Any

import msgspec
import rfc8785

from flyball.core.ids import Digest


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of a record or a plain value.

    Raises: ValueError: NaN, infinity, an integer beyond 2**53, or a key that is not a string.

    >>> canonical({"b": 1.0, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    return rfc8785.dumps(msgspec.to_builtins(value))


def digest(domain: str, value: Any) -> Digest:
    """SHA-256 over `domain`, a zero byte and the canonical form: digests of different kinds never collide.

    >>> digest("flyball/test/v1", {"a": 1}) == digest("flyball/test/v1", {"a": 1.0})
    True
    """
    return Digest("sha256:" + hashlib.sha256(domain.encode() + b"\0" + canonical(value)).hexdigest())
