"""A receiver that blocks, behind a deadline: it has one thread of its own, so a hung one holds up nobody else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from flyball.core.ledger import Message
from flyball.core.outbox import Answer


class InThread:
    """`core.outbox.Receiver` around a function that may take long. One message is with it at a time."""

    def __init__(self, send: Callable[[Message], Answer], *, name: str, deadline_s: float) -> None:
        self._send, self._deadline_s = send, deadline_s
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"receiver {name}")

    async def send(self, message: Message) -> Answer:
        future = self._thread.submit(self._send, message)
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._deadline_s)
        except TimeoutError:
            return Answer(ok=False, status=f"no answer within {self._deadline_s:g} s")

    async def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
