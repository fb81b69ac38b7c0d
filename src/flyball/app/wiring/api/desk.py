"""The ledger of the API's process: one thread reads it, so that its folds need no lock, and another one writes.

A ledger that cannot be read is closed and opened anew with the next question; its folds begin again then.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from flyball.adapters.clock import SystemClock
from flyball.app.api.books import Books
from flyball.app.home import Home
from flyball.app.wiring.asking.newest_figures import newest_figures
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.app.wiring.ledger_place import OpenLedger
from flyball.core.clock import timestamp
from flyball.core.errors import Unavailable
from flyball.core.ledger import Ledger

Found = TypeVar("Found")
AT_ONCE = 2  # computations that need no ledger


class LedgerDesk:
    """`app.api.application.Desk` on the ledger of a home."""

    def __init__(self, home: Home, only: Collection[str] = ()) -> None:
        self._home, self._only, self._clock = home, only, SystemClock()
        self._open: tuple[OpenLedger, Books] | None = None
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="api-reads")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="api-writes")
        self._others = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="api-computes")

    async def read(self, question: Callable[[Books], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._asked, question)

    async def write(self, word: Callable[[Ledger], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._said, word)

    async def compute(self, work: Callable[[], Found]) -> Found:
        return await asyncio.get_running_loop().run_in_executor(self._others, work)

    def close(self) -> None:
        """What is under way is finished first."""
        for pool in (self._reader, self._writer, self._others):
            pool.shutdown()
        self._drop()

    def _asked(self, question: Callable[[Books], Found]) -> Found:
        if self._open is None:
            ledger = open_ledger(self._home)
            self._open = ledger, Books(ledger, self._only, self._newest)
        try:
            return question(self._open[1])
        except Unavailable:
            self._drop()
            raise

    def _newest(self, service: str) -> Mapping[str, str]:
        return newest_figures(self._home, service, timestamp(self._clock.now()))

    def _said(self, word: Callable[[Ledger], Found]) -> Found:
        with ledger_of(self._home) as ledger:
            return word(ledger)

    def _drop(self) -> None:
        if self._open is not None:
            self._open[0].close()
            self._open = None
