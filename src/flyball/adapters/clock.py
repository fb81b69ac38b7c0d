"""The real clock."""

import time
from datetime import UTC, datetime


class SystemClock:
    """`core.clock.Clock`: the machine's wall clock and its monotonic clock, which all its processes share."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()
