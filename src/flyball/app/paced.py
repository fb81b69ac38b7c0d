"""Clients that ask at a steady pace over real HTTP, and tell labels a moment later: what demo and drills share.

What is asked, and how answers are counted, is the subclass's. Use it as a context: requests are sent inside it.
"""

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any, Self

import aiohttp

LABELS_EVERY_S = 0.4


class Paced(ABC):
    """`rate` may be changed at any time."""

    def __init__(self, url: str, *, rate: float, label_delay_s: float, most: int, timeout_s: float) -> None:
        """`rate`: requests a second. `most`: requests on their way at once; beyond it the next one comes later."""
        self.rate = rate
        self._url, self._label_delay_s, self._most, self._timeout_s = url, label_delay_s, most, timeout_s
        self._labels: deque[tuple[float, str, Any]] = deque()  # due (loop time), prediction id, label
        self._in_flight: set[asyncio.Task[None]] = set()
        self._running: list[asyncio.Task[None]] = []
        self._session: aiohttp.ClientSession | None = None

    @abstractmethod
    async def _ask(self) -> None:
        """One request, and what becomes of it."""

    @abstractmethod
    async def _tell(self, labels: Sequence[dict[str, Any]]) -> bool:
        """Whether they were taken; what was not is told the next time round."""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            self._url,
            connector=aiohttp.TCPConnector(limit=self._most),
            timeout=aiohttp.ClientTimeout(total=self._timeout_s),
        )
        self._running = [asyncio.create_task(self._send()), asyncio.create_task(self._tell_labels())]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nobody new comes; whoever waits is waited for."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=self._timeout_s)
        if self._session is not None:
            await self._session.close()

    def check(self) -> None:
        """Raises: what ended the requests, if it has ended them."""
        for task in self._running:
            if task.done():
                task.result()

    def _label_later(self, prediction: str, label: Any) -> None:
        self._labels.append((asyncio.get_running_loop().time() + self._label_delay_s, prediction, label))

    async def _send(self) -> None:
        """Each request at its time; a pause of this process is not made up for by a burst."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            now = loop.time()
            due = max(due + 1.0 / self.rate, now - 0.1)
            if due > now:
                await asyncio.sleep(due - now)
            while len(self._in_flight) >= self._most:
                await asyncio.wait(self._in_flight, return_when=asyncio.FIRST_COMPLETED)
            request = asyncio.create_task(self._ask())
            self._in_flight.add(request)
            request.add_done_callback(self._in_flight.discard)

    async def _tell_labels(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(LABELS_EVERY_S)
            ready = list(self._due(loop.time()))
            if ready and not await self._tell([{"id": id_, "label": label} for id_, label in ready]):
                self._labels.extendleft((0.0, *each) for each in reversed(ready))

    def _due(self, now: float) -> Iterator[tuple[str, Any]]:
        while self._labels and self._labels[0][0] <= now:
            _, id_, label = self._labels.popleft()
            yield id_, label
