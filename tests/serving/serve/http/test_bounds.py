"""Bounds of ways in that are not HTTP: the limit of a body goes with the request. The others are tried as attacks."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from flyball.serving.serve.http.bounds import Bounds, limited
from flyball.serving.serve.http.exchange import MAX_BODY_BYTES, Receive, Scope, Send, TooLarge, body_of


async def reading(scope: Scope, receive: Receive, _send: Send) -> None:
    scope["read"] = await body_of(scope, receive)


def read(limit: int, size: int) -> int:
    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"x" * size, "more_body": False}

    async def send(_message: MutableMapping[str, Any]) -> None:
        """Nobody listens."""

    scope: dict[str, Any] = {"type": "http", "headers": []}
    asyncio.run(limited(reading, Bounds(body_bytes=limit))(scope, receive, send))  # type: ignore[arg-type]
    return len(scope["read"])


def test_a_body_at_the_limit_is_read_and_one_above_it_is_not() -> None:
    assert read(100, 100) == 100
    with pytest.raises(TooLarge, match="100"):
        read(100, 101)


def test_the_usual_limit_needs_nothing_around_the_application() -> None:
    assert limited(reading, Bounds()) is reading
    assert read(MAX_BODY_BYTES, 1_000_000) == 1_000_000
