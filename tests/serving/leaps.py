"""Time that a test may leap over: a deadline far enough away that no slow machine misses it, and nobody waits for."""

import asyncio

from flyball.adapters.clock import SystemClock


class Leaping(SystemClock):
    """The machine's clocks, and ahead of them by what was leapt over. Made in an event loop, whose timers go by it."""

    def __init__(self) -> None:
        self._ahead_s = 0.0
        asyncio.get_running_loop().time = self.monotonic  # type: ignore[method-assign]

    def monotonic(self) -> float:
        return super().monotonic() + self._ahead_s

    async def leap(self, seconds: float) -> None:
        """Timers that are due by then have been called when this returns."""
        self._ahead_s += seconds
        await asyncio.sleep(0.001)  # timers are called in the order of their times, this one last
