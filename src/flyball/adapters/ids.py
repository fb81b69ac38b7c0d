"""Fresh identities: a prefix and a UUID of version 7, which sorts by time.

Source: RFC 9562, section 5.7: 48 bits of Unix milliseconds, the version, 12 bits that we use as a counter within the
millisecond (method 1 of section 6.2), the variant, 62 random bits.
"""

import os
import threading
from uuid import UUID

from flyball.core.clock import Clock

COUNTS = 1 << 12


class TimeIds:
    """`core.ids.Ids`: sorted by time, strictly within one process, and never reused."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._last = (0, 0)  # milliseconds, counter

    def new(self, prefix: str) -> str:
        """`<prefix>-<32 hex digits>`."""
        milliseconds = int(self._clock.now().timestamp() * 1000)
        with self._lock:
            # a clock that stands or goes back continues the last count; a full count borrows the next millisecond
            before, count = self._last
            if milliseconds <= before:
                milliseconds, count = before + (count + 1) // COUNTS, (count + 1) % COUNTS
            else:
                count = 0
            self._last = (milliseconds, count)
        random = int.from_bytes(os.urandom(8)) >> 2
        number = milliseconds << 80 | 7 << 76 | count << 64 | 2 << 62 | random
        return f"{prefix}-{UUID(int=number).hex}"
