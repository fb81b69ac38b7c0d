"""Sums of an arm's panes over the spans that people ask for, each pane added once and then let go.

The spans end now and contain one another, so they are sums of rings: from the start of one to that of the next.
Memory goes by the number of spans and weeks, not by that of panes. Pure.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from flyball.monitor.state.frame import Frame
from flyball.monitor.state.state import State, empty
from flyball.monitor.state.windows import HOUR, MINUTES_5, WEEK, TimedState


@dataclass(kw_only=True)
class Summed:
    """Panes that begin in [since, until), seconds since the epoch."""

    since: float
    until: float
    state: State
    first: float | None = field(default=None)  # start of the oldest pane in it; None: it has none

    def add(self, pane: TimedState) -> None:
        """If it begins in here."""
        if self.since <= pane.start < self.until:
            self.state += pane.state
            self.first = pane.start if self.first is None else min(self.first, pane.start)


class ArmSums:
    """The spans, the newest whole hour, and the same hour of earlier weeks."""

    def __init__(self, frame: Frame, at: float, spans: Iterable[float], weeks: int) -> None:
        """Args: at: now, seconds since the epoch. spans: seconds back, shortest first."""
        self._rings: list[Summed] = []
        until = at
        for span in spans:
            since = (at - span) // MINUTES_5 * MINUTES_5
            self._rings.append(Summed(since=since, until=until, state=empty(frame)))
            until = since
        hour = at // HOUR * HOUR - HOUR
        self.hour = Summed(since=hour, until=hour + HOUR, state=empty(frame))
        starts = [hour - week * WEEK for week in range(1, weeks + 1)]
        self.earlier = [Summed(since=start, until=start + HOUR, state=empty(frame)) for start in starts]

    def add(self, pane: TimedState) -> None:
        """To whatever it begins in, in any order."""
        for each in (*self._rings, self.hour, *self.earlier):
            each.add(pane)

    def spans(self) -> Iterator[Summed]:
        """Shortest first, each with what the shorter ones have."""
        found: Summed | None = None
        for ring in self._rings:
            if found is None:
                found = ring
            else:
                firsts = [each for each in (ring.first, found.first) if each is not None]
                found = Summed(
                    since=ring.since,
                    until=found.until,
                    state=found.state + ring.state,
                    first=min(firsts, default=None),
                )
            yield found
