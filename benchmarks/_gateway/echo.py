"""The least that a Python server can do for the same bytes: `echo.py PORT`, uvicorn and an ASGI function.

It reads the body and sends as many bytes back as an answer of the gateway has. Nothing is parsed.
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

ANSWER = (
    b'{"service":"bench","predictions":[{"id":"bench.019c2f3a4b5c0a1b2c3d0000002a0123456789","prediction":1,'
    b'"score":0.7312345678901234,"release":"sha256:25c12c43ec2365f97f133fdaa4f91a5c586b7a71ac0abc7cd3f70c8c06ad8be0",'
    b'"arm":"champion","fallback":null,"latency_ms":0.412}]}'
)
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())],
}
BODY = {"type": "http.response.body", "body": ANSWER}


async def app(
    _: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    while (await receive()).get("more_body"):
        pass
    await send(START)
    await send(BODY)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="error", lifespan="off")
