"""Content codings of a body: gzip and deflate, in both directions, never larger than a bound.

A few kilobytes can unpack to gigabytes, so a body is unpacked only as far as the bound and refused there. `deflate`
means the zlib format (RFC 9110, 8.4.1.2); some clients send the bare stream instead, which its first bytes tell apart.
"""

import zlib
from collections.abc import Mapping

from flyball.core.errors import BadInput
from flyball.serving.protocols.bodies import fault, refusal

CODINGS = ("gzip", "deflate")
LEVEL = 1  # bytes saved by a higher one cost more time than their way through the network
MOST_MEMBERS = 100  # gzip files joined in one body: each costs a copy of all that comes after it
WORTH_BYTES = 1024  # below that a packed body is hardly smaller
_GZIP, _ZLIB, _BARE = 31, 15, -15  # window bits, as zlib names the formats


class Oversized(Exception):
    """The body would unpack to more than the bound."""


class UnknownCoding(Exception):
    """A content coding that is not one of CODINGS."""


def unpacked(body: bytes, coding: str, *, limit: int) -> bytes:
    """The body without its coding, at most `limit` bytes.

    Raises: Oversized; UnknownCoding; BadInput: damaged, cut short, with bytes behind its end, or of
    more than MOST_MEMBERS gzip files.

    >>> unpacked(packed(b"tensor" * 9, "gzip"), "gzip", limit=54) == b"tensor" * 9
    True
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        return body
    if name not in CODINGS:
        raise UnknownCoding(coding)
    bits = _GZIP if name == "gzip" else _ZLIB if _is_zlib(body) else _BARE
    out = bytearray()
    rest, members = body, 0
    while rest:
        members += 1
        if members > MOST_MEMBERS:
            expected = f"at most {MOST_MEMBERS} gzip files joined to one body"
            raise refusal("body", [fault("body", "$", expected, "more than that")])
        stream = zlib.decompressobj(bits)
        try:
            out += stream.decompress(rest, limit + 1 - len(out))
        except zlib.error as error:
            raise _damaged(name, str(error)) from error
        if len(out) > limit:
            raise Oversized
        if not stream.eof:
            raise _damaged(name, "it ends too early")
        rest = stream.unused_data
        if rest and name != "gzip":  # gzip files may be joined, zlib streams not
            raise _damaged(name, "bytes behind its end")
    return bytes(out)


def packed(body: bytes, coding: str) -> bytes:
    """The body in one of CODINGS."""
    stream = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP if coding == "gzip" else _ZLIB)
    return stream.compress(body) + stream.flush()


def accepted(header: str | None) -> str | None:
    """The coding that a client prefers in its `Accept-Encoding`; None: as it is.

    >>> accepted("gzip;q=0.5, deflate"), accepted("br, *;q=0"), accepted(None)
    ('deflate', None, None)
    """
    weights = dict(_weighed(part) for part in (header or "").split(",") if part.strip())
    offers: Mapping[str, float] = {coding: weights.get(coding, 0.0) for coding in CODINGS}
    best = max(CODINGS, key=lambda coding: offers[coding])
    return best if offers[best] > 0.0 else None


def _weighed(part: str) -> tuple[str, float]:
    """Name and weight of one offer; a weight that is no number counts as none."""
    name, _, parameter = part.partition(";")
    text = parameter.strip().removeprefix("q=") if parameter else "1"
    try:
        weight = float(text)
    except ValueError:
        weight = 0.0
    return name.strip().lower(), weight


def _is_zlib(body: bytes) -> bool:
    """RFC 1950, 2.2: method 8, and a check over the first two bytes."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and int.from_bytes(body[:2]) % 31 == 0


def _damaged(coding: str, why: str) -> BadInput:
    return refusal("body", [fault("body", "$", f"a whole {coding} body", why)])
