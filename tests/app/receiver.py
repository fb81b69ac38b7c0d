"""A receiver of messages on loopback: real HTTP, with the bad habits that receivers have."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from tests.loopback import beside, http_server

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()  # as the other side declares it


@dataclass
class Got:
    """One request, as it came."""

    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)

    @property
    def signature(self) -> str:
        """What Standard Webhooks asks for where the secret is `SECRET`, worked out here anew."""
        signed = f"{self.headers['Webhook-Id']}.{self.headers['Webhook-Timestamp']}.".encode() + self.body
        return f"v1,{base64.b64encode(hmac.new(KEY, signed, hashlib.sha256).digest()).decode()}"


@dataclass
class Receiver:
    """`answers`: the status of each request in turn, the last one for all that follow; "hang" and "die" are none."""

    answers: tuple[int | str, ...] = (200,)
    on_request: Callable[[Got], None] = lambda _: None
    got: list[Got] = field(default_factory=list)
    url: str = ""

    async def handle(self, request: web.Request) -> web.Response:
        found = Got({name.title(): value for name, value in request.headers.items()}, await request.read())
        self.got.append(found)
        self.on_request(found)
        said = self.answers[min(len(self.got), len(self.answers)) - 1]
        if said == "hang":
            await asyncio.sleep(3600)
        if said == "die":
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=said if isinstance(said, int) else 200, text="said so")


@contextmanager
def receiving(receiver: Receiver) -> Iterator[Receiver]:
    """On loopback, until the block ends."""
    with beside(http_server(receiver.handle, "POST")) as address:
        receiver.url = f"{address}/in"
        yield receiver
