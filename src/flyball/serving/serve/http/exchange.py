"""The few things of ASGI that the routes need: read a body within its limit, send an answer."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from flyball.serving.access.own_probe import HEADER as OWN_PROBE
from flyball.serving.protocols.bodies import encode_error
from flyball.serving.protocols.compression import WORTH_BYTES, Oversized, accepted, packed, unpacked
from flyball.serving.protocols.terms import DEADLINE, OVERRIDE, PLAIN, PRIORITY, PROBE, Terms, terms_of

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

ALONE = "flyball.alone"  # in the ASGI scope of a request that is not to be joined with others
BODY_BYTES = "flyball.body_bytes"  # in the ASGI scope, where the limit is another one
MAX_BODY_BYTES = 16 * 1024 * 1024
MOST_ID = 200  # characters of a request's name that are kept
JSON: Header = (b"content-type", b"application/json")
ON_THE_LOOP_BYTES = 64 * 1024  # larger bodies are packed and unpacked in a thread
RETRY_AFTER: Header = (b"retry-after", b"1")


_TERMS = frozenset(name.encode() for name in (DEADLINE, PRIORITY, PROBE, OVERRIDE))
ASKING = _TERMS | {b"content-encoding", b"x-request-id", OWN_PROBE}  # headers by which a request asks for something


class TooLarge(Exception):
    """The body is above the limit, as it came or unpacked; its only argument is the limit, in bytes."""


class Gone(Exception):
    """The client went away before its body was whole."""


async def body_of(scope: Scope, receive: Receive, *, coded: bool = True) -> bytes:
    """The whole body, unpacked; `coded`: it may be compressed.

    Raises: TooLarge, Gone, UnknownCoding, BadInput (a damaged coding).
    """
    limit: int = scope.get(BODY_BYTES, MAX_BODY_BYTES)
    body = await _received(scope, receive, limit)
    coding = header(scope, b"content-encoding") if coded else None
    if coding is None:
        return body
    try:
        if len(body) <= ON_THE_LOOP_BYTES // 16:  # it may unpack to a thousand times as much
            return unpacked(body, coding, limit=limit)
        return await asyncio.to_thread(unpacked, body, coding, limit=limit)
    except Oversized as error:
        raise TooLarge(limit) from error


async def _received(scope: Scope, receive: Receive, limit: int) -> bytes:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise TooLarge(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    first: bytes = message.get("body", b"")
    if len(first) > limit:
        raise TooLarge(limit)
    if not message.get("more_body"):
        return first
    parts = bytearray(first)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts += message.get("body", b"")
        if len(parts) > limit:
            raise TooLarge(limit)
    return bytes(parts)


def is_quiet(scope: Scope) -> bool:
    """Whether no header asks for anything: the body is as it is, and the request has no terms and no name."""
    return all(name not in ASKING for name, _ in scope["headers"])


def header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found.decode("latin-1")
    return None


def terms_in(scope: Scope, cohort: frozenset[str] = frozenset()) -> Terms:
    """What the headers say of the request. `cohort`: names that the service's rules look at. Raises: BadInput."""
    found = {name: value for name, value in scope["headers"] if name in _TERMS}
    if cohort:
        found |= {name: value for name, value in scope["headers"] if name.decode("latin-1") in cohort}
    if not found:
        return PLAIN
    return terms_of({name.decode("latin-1"): value.decode("latin-1") for name, value in found.items()}.get, cohort)


def retry_after(status: int, seconds: int) -> list[Header]:
    """When to come back, where that may help.

    >>> retry_after(429, 3), retry_after(500, 3)
    ([(b'retry-after', b'3')], [])
    """
    return [(b"retry-after", str(seconds).encode())] if status in (429, 503) else []


async def wrong_method(allowed: str, method: str, send: Send) -> bool:
    """True, and a 405 sent, where the method is another one; HEAD goes where GET goes."""
    if method == allowed or (allowed == "GET" and method == "HEAD"):
        return False
    await send_error(send, 405, f"method {method}: use {allowed}", [(b"allow", allowed.encode())])
    return True


async def send_json(send: Send, status: int, body: bytes, headers: Sequence[Header] = ()) -> None:
    await send_body(send, status, body, [JSON, *headers])


async def send_packed(scope: Scope, send: Send, status: int, body: bytes, headers: Sequence[Header]) -> None:
    """A body in the coding that the client accepts, where that is worth it."""
    coding = accepted(header(scope, b"accept-encoding")) if len(body) >= WORTH_BYTES else None
    if coding is None:
        await send_body(send, status, body, [*headers])
        return
    small = packed(body, coding) if len(body) <= ON_THE_LOOP_BYTES else await asyncio.to_thread(packed, body, coding)
    more = [(b"content-encoding", coding.encode()), (b"vary", b"accept-encoding")]
    await send_body(send, status, small, [*headers, *more])


async def send_error(send: Send, status: int, message: str, headers: Sequence[Header] = ()) -> None:
    await send_body(send, status, encode_error(message), [JSON, *headers])


async def send_body(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
