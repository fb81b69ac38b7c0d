"""How many rows may wait for one release: a limit that finds itself from how long they wait.

Theory of operation. A release answers some number of rows a second, which nobody knows beforehand and which changes.
More rows in flight than it needs to be busy make nothing faster: they wait. So the limit follows the wait. In each
window (100 ms) the *shortest* wait is read: a burst leaves at least one row that waited little, a standing queue does
not (the insight of CoDel, doi:10.1145/2208917.2209336). Above the target the limit shrinks in proportion, at most by
half, and where few rows are in flight not below the one at the start: a pause of the machine at little load is no
queue; below it, where the limit was what held rows back or is below the one at the start, it grows by a tenth (AIMD
with a gentle, relative increase: from 8 to 20,000 in 8 s). By Little's law the rows in flight settle at
throughput * (target + service time).

Admission compares the rows in flight *before* the request, so that one of any size passes an idle service; rows in
flight are therefore below the limit plus one request. Below the whole limit lower classes have smaller shares of it.
"""

from typing import Literal

Class = Literal["shadow", "canary", "low", "live"]
SHARES: dict[Class, float] = {"shadow": 0.5, "canary": 0.7, "low": 0.85, "live": 1.0}  # of the limit, first shed first
WINDOW_S = 0.1
START, LEAST = 100.0, 8.0  # rows
_GROWTH, _BINDING, _HALF = 1.1, 0.8, 0.5


class Limit:
    """Of one release. Times are monotonic seconds, handed in."""

    def __init__(self, *, target_s: float, most: int, least: float = LEAST) -> None:
        """`target_s`: the shortest wait of a window that is still no queue. `most`: rows, whatever the wait."""
        self.rows = min(START, most)  # the limit in force
        self.in_flight = 0
        self._target_s, self._most, self._least = target_s, most, min(least, most)
        self._least_idle = min(START, most)  # below this it grows whenever there is no queue
        self._since = 0.0
        self._heard_at = 0.0  # the last answer, or the first row since nobody waited
        self._peak = 0
        self._shortest: float | None = None

    def open_to(self, rank: Class) -> bool:
        """May one more request of this class begin?

        >>> limit = Limit(target_s=0.1, most=20_000)
        >>> limit.begin(80)
        >>> limit.open_to("live"), limit.open_to("low"), limit.open_to("canary")
        (True, True, False)
        """
        return self.in_flight < self.rows * SHARES[rank]

    def begin(self, rows: int, now: float = 0.0) -> None:
        if not self.in_flight:
            self._heard_at = now
        self.in_flight += rows
        self._peak = max(self._peak, self.in_flight)

    def end(self, rows: int, wait_s: float | None, now: float) -> None:
        """Rows that were answered, or given up. `wait_s`: their time less their own service time; None: says nothing
        about the queue (the release is dead, or failed)."""
        self.in_flight -= rows
        if wait_s is not None:
            self._shortest = wait_s if self._shortest is None else min(self._shortest, wait_s)
        if now - self._since >= WINDOW_S:
            self._turn(now)

    def heard(self, now: float) -> None:
        """The release has answered somebody."""
        self._heard_at = now

    def stalled(self, now: float, seconds: float) -> bool:
        """Whether rows wait, and none of them was answered for so long.

        >>> limit = Limit(target_s=0.1, most=20_000)
        >>> limit.begin(3, 5.0)
        >>> limit.stalled(5.4, 0.5), limit.stalled(5.6, 0.5)
        (False, True)
        """
        return self.in_flight > 0 and now - self._heard_at >= seconds

    def _turn(self, now: float) -> None:
        shortest, peak = self._shortest, self._peak
        if shortest is not None and shortest > self._target_s:
            share = max(_HALF, self._target_s / shortest)
            if peak >= _HALF * self.rows:
                self.rows = max(self._least, min(self.rows, float(peak)) * share)
            else:  # it is not the rows in flight that make it slow: a pause of the machine turns nobody away
                self.rows = min(self.rows, max(self._least_idle, self.rows * share))
        elif shortest is not None and (peak >= _BINDING * self.rows or self.rows < self._least_idle):
            self.rows = min(float(self._most), self.rows * _GROWTH)
        self._since, self._peak, self._shortest = now, self.in_flight, None
