"""A receiver of messages over HTTP: an OpenLineage endpoint, CloudEvents in structured mode, or notices as they are."""

import time
from collections.abc import Callable, Mapping

from flyball.adapters.messages.http_client import DEADLINE_S, HttpClient
from flyball.adapters.messages.standard_webhooks import headers as signature
from flyball.core.codec import canonical
from flyball.core.ledger import Message
from flyball.core.outbox import Answer

CONTENT: Mapping[str, str] = {
    "openlineage": "application/json",
    "cdevents": "application/cloudevents+json; charset=utf-8",
    "webhook": "application/json",
}


class HttpReceiver:
    """`core.outbox.Receiver`: one POST a message; the body is its canonical JSON, the same bytes in each attempt.

    `secret`: signs each message. `token`: bearer token. `hide`: what else is secret. `now`: seconds since the epoch.
    """

    def __init__(
        self,
        url: str,
        format_: str,
        *,
        secret: str | None = None,
        token: str | None = None,
        hide: tuple[str, ...] = (),
        deadline_s: float = DEADLINE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._content, self._secret, self._token, self._now = url, CONTENT[format_], secret, token, now
        self.client = HttpClient(deadline_s=deadline_s, hide=(token or "", secret or "", *hide))

    async def send(self, message: Message) -> Answer:
        """Never raises for anything that a receiver or a network does.

        Raises: BadInput: the secret is none of Standard Webhooks.
        """
        body = canonical(message.body)
        headers = {"content-type": self._content}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if self._secret:
            headers |= signature(self._secret, id_=message.id, at=int(self._now()), body=body)
        return (await self.client.ask("POST", self._url, body=body, headers=headers)).answer

    async def close(self) -> None:
        await self.client.close()
