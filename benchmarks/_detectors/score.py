"""What alarms are worth when the changes are known: false alarms, delay, missed changes.

The first alarm at or after a change and before the next one detects it, within `HORIZON` rows. Every other alarm is
false: one before the first change, or one more for a change that was detected already. Detectors start anew after an
alarm, so repeated alarms are their own doing. Two dummies stand beside: one that fires at every window, one that never
does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HORIZON = 7500  # rows within which a change has to be seen
EVERY = 100  # rows between alarms of always-fire


@dataclass(frozen=True, kw_only=True)
class Score:
    rows: int
    false: int
    delays: tuple[int, ...]
    missed: int

    @property
    def per_10k(self) -> float:
        """False alarms in 10,000 rows."""
        return self.false / self.rows * 10_000

    @property
    def delay(self) -> float | None:
        """Mean delay over the changes that were seen, rows."""
        return sum(self.delays) / len(self.delays) if self.delays else None


def score(alarms: Sequence[int], changes: Sequence[tuple[int, int]], rows: int) -> Score:
    """Args: alarms: rows, rising. changes: (begins, complete), rising."""
    delays, used = [], set()
    for at, (begin, _) in enumerate(changes):
        end = changes[at + 1][0] if at + 1 < len(changes) else rows
        first = next((row for row in alarms if begin <= row < min(end, begin + HORIZON)), None)
        if first is not None:
            delays.append(first - begin)
            used.add(first)
    return Score(rows=rows, false=len(set(alarms) - used), delays=tuple(delays), missed=len(changes) - len(delays))


def dummies(rows: int) -> dict[str, list[int]]:
    return {"always-fire": list(range(0, rows, EVERY)), "never-fire": []}
