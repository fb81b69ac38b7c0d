"""A tracker's REST API, asked step by step: the first step that it does not take ends the message, as an answer."""

from collections.abc import Mapping
from typing import Any

import msgspec

from flyball.adapters.messages.http_client import HttpClient, Reply
from flyball.core.outbox import Answer


class NotTaken(Exception):
    """A step that the server did not take."""

    def __init__(self, reply: Reply, said: str = "") -> None:
        self.answer = Answer(ok=False, status=said) if said else reply.answer


class RestApi:
    """JSON there and back. Hide: secrets that no answer may show."""

    def __init__(self, base: str, headers: Mapping[str, str], *, hide: tuple[str, ...], deadline_s: float) -> None:
        self._base, self._headers = base.rstrip("/"), headers
        self.client = HttpClient(deadline_s=deadline_s, hide=hide)

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, params: dict[str, str] | None = None
    ) -> Any:
        """What came back; an empty body is an empty mapping. Raises: NotTaken."""
        data = None if body is None else msgspec.json.encode(body)
        reply = await self.client.ask(method, self._base + path, body=data, headers=self._headers, params=params)
        if not reply.ok:
            raise NotTaken(reply)
        try:
            return reply.json() if reply.body else {}
        except msgspec.DecodeError as error:
            raise NotTaken(reply, "no JSON came back") from error

    async def close(self) -> None:
        await self.client.close()
