"""The supervisor's end of the wire to one worker: orders out, each answered once or failed when the wire ends."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

import msgspec

from flyball.core.errors import Unavailable
from flyball.serving.orders import CouldNot, Did, FromWorker, Here, Last, Order, Sum, Summed, ToWorker, error_of

LIMIT = 4 * 1024 * 1024  # bytes of one message


class Gone(Unavailable):
    """The worker ended with the order in its hands; the one that takes its place begins with the newest table."""


class Link:
    """One connection of one life of a worker."""

    def __init__(
        self,
        here: Here,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        sum_up: Callable[[], Awaitable[str]],
    ) -> None:
        """`sum_up`: the reports of all workers as one, for the one that was asked for it."""
        self.worker, self.pid = here.worker, here.pid
        self._reader, self._writer, self._sum_up = reader, writer, sum_up
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[str]] = {}
        self._answers: set[asyncio.Task[None]] = set()
        self.alive = True
        self.over = asyncio.Event()  # nothing comes any more
        self.told = ""  # its newest report
        self.opened = False  # it was told to take connections
        self.fresh_mb: float | None = None  # what it held at that moment, everything loaded

    async def ask(self, make: Callable[[int], Order], *, within_s: float) -> str:
        """The worker's answer. Raises: Gone; TimeoutError; what kept the worker from obeying."""
        if not self.alive:
            raise Gone(f"worker {self.worker} has ended")
        number = next(self._numbers)
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._open[number] = future
        try:
            self._send(make(number))
            async with asyncio.timeout(within_s):
                return await future
        finally:
            self._open.pop(number, None)

    async def listen(self) -> None:
        """Until the wire ends."""
        try:
            while line := await self._reader.readline():
                self._take(msgspec.json.decode(line, type=FromWorker))
        except (ConnectionError, ValueError):
            return  # it died in the middle of a word
        finally:
            self.alive = False
            self.over.set()
            self._writer.close()
            for task in self._answers:
                task.cancel()
            for future in self._open.values():
                if not future.done():
                    future.set_exception(Gone(f"worker {self.worker} has ended"))

    def _take(self, message: FromWorker) -> None:
        if isinstance(message, Sum):
            task = asyncio.create_task(self._answer(message.number))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)
        elif isinstance(message, Last):
            self.told = message.text
        elif isinstance(message, (Did, CouldNot)):
            future = self._open.get(message.number)
            if future is None or future.done():
                return
            if isinstance(message, Did):
                future.set_result(message.text)
            else:
                future.set_exception(error_of(message))

    async def _answer(self, number: int) -> None:
        self._send(Summed(number=number, text=await self._sum_up()))

    def _send(self, message: ToWorker) -> None:
        self._writer.write(msgspec.json.encode(message) + b"\n")
