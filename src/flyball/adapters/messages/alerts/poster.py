"""A receiver that gets each notice as one JSON document, in its own words: Alertmanager, PagerDuty, Slack, Teams."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from flyball.adapters.messages.alerts.words import notice_of
from flyball.adapters.messages.http_client import DEADLINE_S, HttpClient
from flyball.core.ledger import Message
from flyball.core.notice import Notice
from flyball.core.outbox import Answer

Translate = Callable[[Notice], Any]
"""None: there is nothing to say of this."""


class AlertPoster:
    """`core.outbox.Receiver`. The same notice is the same bytes in each attempt. Hide: secrets in address or body."""

    def __init__(
        self,
        url: str,
        translate: Translate,
        *,
        headers: Mapping[str, str] | None = None,
        hide: tuple[str, ...] = (),
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._url, self._translate = url, translate
        self._headers = {"content-type": "application/json", **(headers or {})}
        self.client = HttpClient(deadline_s=deadline_s, hide=hide)

    async def send(self, message: Message) -> Answer:
        """Never raises for anything that a receiver or a network does."""
        body = self._translate(notice_of(message.body))
        if body is None:
            return Answer(ok=True, status="nothing to say there")
        reply = await self.client.ask("POST", self._url, body=msgspec.json.encode(body), headers=self._headers)
        return reply.answer

    async def close(self) -> None:
        await self.client.close()
