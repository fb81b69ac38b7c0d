"""What stands before the API's application: bodies within their bound, so many requests at once, and who asks.

A body is read before a place is taken: whoever sends it slowly holds a connection, which has limits of its own, and
keeps nobody from being answered.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from flyball.core.access import Grant
from flyball.core.errors import BadInput
from flyball.serving.protocols.bodies import line
from flyball.serving.protocols.compression import UnknownCoding
from flyball.serving.serve.http.exchange import Gone, Receive, Scope, Send, TooLarge, body_of, send_error
from flyball.serving.serve.http.guard import GRANT, Guard

BODY_BYTES = 1024 * 1024  # a thousand epochs are a quarter of it
AT_ONCE = 32  # requests that are worked at; the ledger is read by one of them at a time


class Doorway:
    """An ASGI application around the API's."""

    def __init__(self, inner: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._inner = inner
        self.busy = 0  # requests that are being answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        try:
            body = await body_of(scope, receive)
        except Gone:
            return  # nobody is there to be answered
        except TooLarge as error:
            await send_error(send, 413, f"the body is larger than {error.args[0]} bytes")
            return
        except UnknownCoding as error:
            await send_error(send, 415, f"content-encoding {error}: send it as it is")
            return
        except BadInput as error:
            await send_error(send, 400, line(error))
            return
        if self.busy >= AT_ONCE:
            await send_error(send, 503, f"{AT_ONCE} requests are being answered: come back", [(b"retry-after", b"1")])
            return
        self.busy += 1
        try:
            await self._inner(scope, _again(body, receive), send)
        finally:
            self.busy -= 1


class Known:
    """`app.api.application.Visitors`: by what the guard has found. Without a guard nobody has to say who they are."""

    def __init__(self) -> None:
        self.guard: Guard | None = None

    @property
    def asked(self) -> bool:
        return self.guard is not None

    def of(self, scope: Any) -> Grant | None:
        found: Grant | None = scope.get(GRANT)
        return found

    def judge(self, text: str, scope: Any) -> Grant | None:
        client = scope.get("client")
        return self.guard.judge(text, str(client[0]) if client else "") if self.guard is not None else None


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, whole; then whatever comes."""
    parts = [body]

    async def told() -> MutableMapping[str, Any]:
        if parts:
            return {"type": "http.request", "body": parts.pop(), "more_body": False}
        return await receive()

    return told
