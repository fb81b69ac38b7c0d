"""The few things of ASGI that the routes need: read a body within its limit, send an answer."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from flyball.serving.bodies import encode_error

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

MAX_BODY_BYTES = 16 * 1024 * 1024
JSON: Header = (b"content-type", b"application/json")
RETRY_AFTER: Header = (b"retry-after", b"1")


class TooLarge(Exception):
    """The body is above the limit."""


async def body_of(scope: Scope, receive: Receive) -> bytes:
    """The whole body. Raises: TooLarge."""
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY_BYTES:
            raise TooLarge
    message = await receive()
    if not message.get("more_body"):
        first: bytes = message.get("body", b"")
        if len(first) > MAX_BODY_BYTES:
            raise TooLarge
        return first
    parts = bytearray(message.get("body", b""))
    while message.get("more_body"):
        message = await receive()
        parts += message.get("body", b"")
        if len(parts) > MAX_BODY_BYTES:
            raise TooLarge
    return bytes(parts)


def header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            found: bytes = value
            return found.decode("latin-1")
    return None


async def wrong_method(allowed: str, method: str, send: Send) -> bool:
    """True, and a 405 sent, where the method is another one; HEAD goes where GET goes."""
    if method == allowed or (allowed == "GET" and method == "HEAD"):
        return False
    await send_error(send, 405, f"method {method}: use {allowed}", [(b"allow", allowed.encode())])
    return True


async def send_json(send: Send, status: int, body: bytes, headers: Sequence[Header] = ()) -> None:
    await send_body(send, status, body, [JSON, *headers])


async def send_error(send: Send, status: int, message: str, headers: Sequence[Header] = ()) -> None:
    await send_body(send, status, encode_error(message), [JSON, *headers])


async def send_body(send: Send, status: int, body: bytes, headers: list[Header]) -> None:
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
