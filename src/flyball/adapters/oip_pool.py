"""The same server asked many things at once: a bounded pool of kept connections in an event loop (aiohttp)."""

from typing import TypeVar

import aiohttp

from flyball.adapters.oip_client import MOST_BYTES, Endpoint, Inferred, Tensor, answer_of, headers, question
from flyball.core.errors import Unavailable

DEADLINE = "x-request-deadline-ms"  # what a gateway of ours reads; others leave it alone
KEPT_S = 4.0  # an idle connection; shorter than the five seconds after which uvicorn's servers close theirs
_UNKNOWN = (404, 405, 501)  # a server without this route says nothing about its health
T = TypeVar("T")


class Pool:
    """Of one endpoint, in the event loop in which it is first used."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._session: aiohttp.ClientSession | None = None

    async def infer(self, inputs: list[Tensor], output: str, seconds: float) -> list[Tensor]:
        """That output to these inputs.

        Raises: Unavailable: no answer came within so many seconds, nor its first byte within the endpoint's own bound.
        Refused: the server answered with an error.
        """
        url = f"{self.endpoint.path}/infer"
        found = await self._answer("POST", url, question(inputs, output), seconds, Inferred)
        return found.outputs

    async def away(self) -> str:
        """Why the model is not ready; empty: it is, or the server has no such route."""
        url = f"{self.endpoint.path}/ready"
        try:
            status, data = await self._asked("GET", url, None, self.endpoint.timeout_s)
        except Unavailable as error:
            return str(error)
        if status == 200 or status in _UNKNOWN:
            return ""
        return f"{url}: status {status}: {data[:200].decode(errors='replace')}"

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _answer(self, method: str, url: str, body: bytes, seconds: float, shape: type[T]) -> T:
        status, data = await self._asked(method, url, body, seconds)
        return answer_of(url, status, data, shape)

    async def _asked(self, method: str, url: str, body: bytes | None, seconds: float) -> tuple[int, bytes]:
        sent = headers(self.endpoint) | {DEADLINE: f"{max(0.0, seconds) * 1000.0:.0f}"}
        first = self.endpoint.timeout_s
        bounds = aiohttp.ClientTimeout(total=max(0.001, seconds), sock_connect=first, sock_read=first)
        try:
            async with self._opened().request(
                method, url, data=body, headers=sent, timeout=bounds, allow_redirects=False
            ) as answer:
                return answer.status, await _read(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Unavailable(f"{url}: {type(error).__name__}: {error}") from error

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            # one more than questions, so that whether it is ready can be asked while all others are taken
            pool = aiohttp.TCPConnector(limit=self.endpoint.connections + 1, keepalive_timeout=KEPT_S)
            self._session = aiohttp.ClientSession(connector=pool, cookie_jar=aiohttp.DummyCookieJar())
        return self._session


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """At most one byte more than is taken."""
    parts = bytearray()
    while len(parts) <= MOST_BYTES and (part := await answer.content.read(MOST_BYTES + 1 - len(parts))):
        parts += part
    return bytes(parts)
