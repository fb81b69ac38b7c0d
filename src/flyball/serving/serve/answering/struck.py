"""The champion under a drill: its answers to the rows that the drill's word names come late, never, or at a price.

Stands where `flyball up` was started with `--allow-drills`, and nowhere else. Nothing here blocks: an answer is held
back in the event loop, so that whoever waits beside it waits for nothing. What shares a request with a struck row
shares its fate; while a drill strikes, no requests are put together. Only the champion is struck, so the chain has
somebody to answer in its place. Each question looks at the word, and the word at the clock: it ends by itself.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace

from flyball.core.clock import Clock
from flyball.core.drill_lease import DrillLease
from flyball.core.prediction import ArmReply, Failure
from flyball.serving.serve.answering.arms import LATE, Champion, Deliver

STALL, SLOW, LEAK = "upstream_stall", "latency", "memory_leak"
STRIKES = (STALL, SLOW, LEAK)
GIVE_BACK_S = 0.5  # how often it is asked whether what has leaked may go
MB = 1024 * 1024


class StruckChampion:
    """`arms.Champion` around another one."""

    def __init__(self, inner: Champion, word: Callable[[], DrillLease | None], clock: Clock) -> None:
        """`word`: of the drill of this service that runs now."""
        self.release = inner.release
        self._inner, self._word, self._clock = inner, word, clock
        self._loop = asyncio.get_running_loop()
        self._leaked: list[bytes] = []

    @property
    def quick(self) -> bool:
        return self._inner.quick and self._striking() is None

    @property
    def away(self) -> bool:
        return self._inner.away

    @property
    def leaked(self) -> int:
        """Bytes that it keeps."""
        return sum(map(len, self._leaked))

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        word = self._striking()
        struck = 0 if word is None else sum(map(word.strikes, rows))
        if word is None or not struck:
            self._inner.ask(rows, deliver, until)
        elif word.fault == STALL:
            self._loop.call_later(max(0.0, until - self._clock.monotonic()), deliver, LATE)
        elif word.fault == SLOW:
            self._inner.ask(rows, partial(self._later, deliver, word.slow_s), until)
        else:
            self._leak(word, struck)
            self._inner.ask(rows, deliver, until)

    def close(self) -> None:
        self._leaked.clear()
        self._inner.close()

    def _striking(self) -> DrillLease | None:
        word = self._word()
        return word if word is not None and word.release == self.release and word.fault in STRIKES else None

    def _later(self, deliver: Deliver, slow_s: float, reply: ArmReply | Failure) -> None:
        """As of a model that took so long itself."""
        if isinstance(reply, ArmReply):
            reply = replace(reply, service_ms=reply.service_ms + slow_s * 1e3)
        self._loop.call_later(slow_s, deliver, reply)

    def _leak(self, word: DrillLease, rows: int) -> None:
        if not self._leaked:
            self._loop.call_later(GIVE_BACK_S, self._give_back)
        size = word.leak_mb * MB
        room = max(0, word.most_mb * MB - self.leaked) // size if size else 0
        self._leaked += [b"x" * size for _ in range(min(rows, room))]

    def _give_back(self) -> None:
        word = self._striking()
        if word is not None and word.fault == LEAK:
            self._loop.call_later(GIVE_BACK_S, self._give_back)
        else:
            self._leaked.clear()
