"""The word of the drill that runs, as whatever is injected reads it from a file: which fault, how much, until when."""

import zlib
from collections.abc import Mapping
from typing import Any

from flyball.core.record import Record

KEYS = "drill-"  # how the keys of a drill's own rows begin, where the key is a text


class DrillLease(Record):
    """Who does what it says looks at the clock himself: over is over, whoever wrote it was killed or not."""

    drill: str  # id
    fault: str
    service: str
    share: float  # of the rows, 0..1
    until: float  # seconds since the epoch
    driver: int  # process id of whoever began it
    release: str = ""  # the one whose answers are struck by the gateway; empty: none is, its model reads this
    column: str = ""  # the key, where it is a text: the drill's own keys are struck; empty: the share of all rows
    slow_s: float = 0.0  # `latency`: an answer that is struck comes so much later
    leak_mb: int = 0  # `memory_leak`: so much stays behind a row
    most_mb: int = 0  # ... and at most so much in one process

    def strikes(self, row: Mapping[str, Any]) -> bool:
        """Whether this row is struck; asked again it is the same.

        >>> word = DrillLease(drill="d", fault="latency", service="s", share=0.1, until=0, driver=1, column="card")
        >>> word.strikes({"card": "drill-007"}), word.strikes({"card": "c-7"}), word.strikes({})
        (True, False, False)
        """
        if self.column:
            return str(row.get(self.column, "")).startswith(KEYS)
        return zlib.crc32(repr(sorted(row.items())).encode()) % 10_000 < self.share * 10_000


VARIABLE = "FLYBALL_DRILLS"  # names the file; `flyball up --allow-drills` sets it for its processes
