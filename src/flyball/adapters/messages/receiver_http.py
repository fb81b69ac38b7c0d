"""A receiver of messages over HTTP: an OpenLineage endpoint, or CloudEvents in structured mode."""

import time
from collections.abc import Callable, Mapping

import aiohttp

from flyball.adapters.messages.standard_webhooks import headers as signature
from flyball.core.codec import canonical
from flyball.core.destination import EventFormat
from flyball.core.ledger import Message
from flyball.core.outbox import Answer

DEADLINE_S = 10.0  # from the connection to the last byte of the answer
TOLD = 200  # characters of a refusal that are kept
CONTENT: Mapping[str, str] = {
    "openlineage": "application/json",
    "cdevents": "application/cloudevents+json; charset=utf-8",
}
_NEVER = frozenset({400, 413, 415, 422})  # about the message; anything else is about the moment


class HttpReceiver:
    """`core.outbox.Receiver`: one POST a message; the body is its canonical JSON, the same bytes in each attempt.

    `secret`: signs each message. `token`: bearer token. `now`: seconds since the epoch. A redirect is not followed: it
    could lead a signed message anywhere.
    """

    def __init__(
        self,
        url: str,
        format_: EventFormat,
        *,
        secret: str | None = None,
        token: str | None = None,
        deadline_s: float = DEADLINE_S,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._url, self._content, self._secret, self._token = url, CONTENT[format_], secret, token
        self._deadline_s, self._now = deadline_s, now
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Message) -> Answer:
        """Never raises for anything that a receiver or a network does.

        Raises: BadInput: the secret is none of Standard Webhooks.
        """
        body = canonical(message.body)
        headers = {"content-type": self._content, "user-agent": "flyball"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        if self._secret:
            headers |= signature(self._secret, id_=message.id, at=int(self._now()), body=body)
        try:
            async with self._open().post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                said = (await answer.content.read(4 * TOLD)).decode(errors="replace")
        except TimeoutError:
            return Answer(ok=False, status=f"no answer within {self._deadline_s:g} s")
        except (aiohttp.ClientError, OSError) as error:
            return Answer(ok=False, status=f"{type(error).__name__}: {error}"[:TOLD])
        if 200 <= answer.status < 300:
            return Answer(ok=True, status=f"HTTP {answer.status}")
        status = f"HTTP {answer.status} {' '.join(said.split())[:TOLD]}".rstrip()
        return Answer(ok=False, status=status, final=answer.status in _NEVER)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._deadline_s))
        return self._session
