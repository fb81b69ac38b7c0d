"""Synthetic requests to a gateway: one question, and whether it was answered in time."""

import ssl
import time
from types import TracebackType

import aiohttp

from flyball.core.surroundings import Probed


class Prober:
    """One gateway's HTTP client. `certificate`: file of the chain that the gateway shows; None: no TLS."""

    def __init__(self, url: str, certificate: str | None, *, timeout_s: float) -> None:
        self._url = url
        self._tls: ssl.SSLContext | bool = True
        if certificate is not None:
            # this very certificate is believed, whatever name it has: the gateway is asked by its address
            self._tls = ssl.create_default_context(cafile=certificate)
            self._tls.check_hostname = False
            self._tls.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Prober":
        # a new connection each time, as a new client has: one that was open before says nothing about the listener
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), timeout=self._timeout)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, endpoint: str, path: str, body: bytes | None, headers: dict[str, str]) -> Probed:
        """POST where there is a body, else GET. Whatever goes wrong is the finding."""
        assert self._session is not None
        at, since = time.time(), time.monotonic()
        said = ""
        try:
            method = "GET" if body is None else "POST"
            async with self._session.request(
                method, self._url + path, data=body, headers=headers, ssl=self._tls
            ) as answer:
                text = await answer.text()
                if answer.status != 200:
                    said = f"status {answer.status}: {text[:200]}"
        except TimeoutError:
            said = f"no answer within {self._timeout.total:g} s"
        except (aiohttp.ClientError, OSError) as error:
            said = f"{type(error).__name__}: {error}"
        latency_ms = (time.monotonic() - since) * 1000.0
        return Probed(endpoint=endpoint, at=at, ok=not said, latency_ms=latency_ms, said=said)
