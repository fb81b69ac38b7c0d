"""Asking a server over HTTP on behalf of the outbox: whatever it does comes back as a value, with its wish to rest."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import msgspec

from flyball.core.outbox import Answer
from flyball.core.record import Record

DEADLINE_S = 10.0  # from the connection to the last byte of the answer
TOLD = 200  # characters of a refusal that are kept
MOST_B = 8 * 1024 * 1024  # of an answer that is read
_NEVER = frozenset({400, 413, 415, 422})  # about the message; anything else is about the moment


class Reply(Record):
    """What came back. `status` 0: nothing did, and `said` tells why."""

    status: int
    said: str
    body: bytes = b""
    rest_s: float = 0.0

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def answer(self) -> Answer:
        """As the outbox keeps it."""
        if self.ok:
            return Answer(ok=True, status=f"HTTP {self.status}")
        if not self.status:
            return Answer(ok=False, status=self.said)
        status = f"HTTP {self.status} {self.said}".rstrip()
        return Answer(ok=False, status=status, final=self.status in _NEVER, rest_s=self.rest_s)

    def json(self) -> Any:
        """Raises: msgspec.DecodeError: the body is none."""
        return msgspec.json.decode(self.body)


class HttpClient:
    """One session. Hide: secrets, which nothing that is kept of an answer or an error may show. A redirect is not
    followed: it could lead a signed message, or a token, anywhere."""

    def __init__(self, *, deadline_s: float = DEADLINE_S, hide: tuple[str, ...] = ()) -> None:
        self.deadline_s = deadline_s
        self._hide = tuple(sorted(filter(None, hide), key=len, reverse=True))
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Reply:
        """Never raises for anything that a server or a network does."""
        given = {"user-agent": "flyball", **(headers or {})}
        try:
            async with self._open().request(
                method, url, data=body, headers=given, params=params, allow_redirects=False
            ) as answer:
                found = bytearray()
                async for part in answer.content.iter_chunked(65_536):
                    found += part
                    if len(found) > MOST_B:
                        break
        except TimeoutError:
            return Reply(status=0, said=f"no answer within {self.deadline_s:g} s")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return Reply(status=0, said=self._shown(f"{type(error).__name__}: {error}"))
        said = self._shown(bytes(found[: 4 * TOLD]).decode(errors="replace"))
        rest_s = rest_of(answer.headers.get("retry-after", ""), time.time())
        return Reply(status=answer.status, said=said, body=bytes(found), rest_s=rest_s)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self.deadline_s))
        return self._session

    def _shown(self, text: str) -> str:
        for secret in self._hide:
            text = text.replace(secret, "***")
        return " ".join(text.split())[:TOLD]


def rest_of(text: str, now: float) -> float:
    """Seconds that a `Retry-After` asks for: a number, or a date. Source: RFC 9110, section 10.2.3.

    >>> rest_of("120", 0.0), rest_of("Thu, 01 Jan 1970 00:01:00 GMT", 10.0), rest_of("soon", 0.0)
    (120.0, 50.0, 0.0)
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except ValueError:
            return 0.0
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0
