"""Windows as sums of panes: by rows, by time, and the same hour of earlier weeks, all from the same panes.

A sliding window adds the newest pane and subtracts those that fall out: what that costs depends on the number of bins,
not on how long the window is. A clock that runs backwards loses no pane: it is put where its own time says, and the
reason is told.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from flyball.monitor.state.frame import Frame
from flyball.monitor.state.state import State, empty

MINUTES_5, HOUR, DAY, WEEK = 300.0, 3_600.0, 86_400.0, 604_800.0  # s
_MONDAY = 345_600.0  # s, the first Monday of the epoch: 1970-01-05


@dataclass(frozen=True, kw_only=True)
class TimedState:
    """A pane's state, or that of a bucket of panes."""

    start: float  # seconds since the epoch
    end: float
    state: State


@dataclass(kw_only=True)
class SlidingWindow:
    """The newest panes: of the last `span_s` seconds, or the fewest with `least_rows` rows; one of both is given."""

    frame: Frame
    span_s: float | None = None
    least_rows: int | None = None
    panes: list[TimedState] = field(default_factory=list)  # in it, by start
    state: State = field(init=False)  # their sum

    def __post_init__(self) -> None:
        if (self.span_s is None) == (self.least_rows is None):
            raise ValueError(f"expected span_s or least_rows, found {self.span_s} and {self.least_rows}")
        self.state = empty(self.frame)

    @property
    def full(self) -> bool:
        """Whether it holds all the time or rows that it is meant to."""
        if self.least_rows is not None:
            return self.state.rows >= self.least_rows
        assert self.span_s is not None
        return bool(self.panes) and self.panes[-1].end - self.panes[0].start >= self.span_s

    def add(self, pane: TimedState) -> str:
        """One pane more; those that fall out are subtracted. Returns why its place is not the end, or nothing."""
        told = ""
        if self.panes and pane.start < self.panes[-1].start:
            late = self.panes[-1].start - pane.start
            told = f"the clock ran backwards: a pane that began {late:g} s before the one that came before it"
        self.panes.insert(
            bisect_right([each.start for each in self.panes], pane.start) if told else len(self.panes), pane
        )
        self.state += pane.state
        gone = 0
        while gone < len(self.panes) - 1 and self._falls_out(self.panes[gone]):
            self.state -= self.panes[gone].state
            gone += 1
        if told and any(each is pane for each in self.panes[:gone]):
            told += "; the window does not reach back so far"
        del self.panes[:gone]
        return told

    def _falls_out(self, oldest: TimedState) -> bool:
        if self.least_rows is not None:
            return self.state.rows - oldest.state.rows >= self.least_rows
        assert self.span_s is not None
        return oldest.start < self.panes[-1].end - self.span_s


def total(
    panes: Iterable[TimedState], frame: Frame, *, since: float = -float("inf"), until: float = float("inf")
) -> State:
    """The sum of the panes that begin in [since, until), seconds since the epoch."""
    state = empty(frame)
    for pane in panes:
        if since <= pane.start < until:
            state += pane.state
    return state


def hour_of_week(at: float) -> int:
    """0 is Monday 00:00 to 01:00 UTC, 167 the last hour of Sunday.

    >>> hour_of_week(1_796_601_600.0)  # Monday 2026-12-07 00:00 UTC
    0
    """
    return int((at - _MONDAY) % WEEK // HOUR)


@dataclass(frozen=True, kw_only=True)
class Seasonal:
    """What the same hour of the week looked like before."""

    state: State
    weeks: int  # earlier weeks that have panes in that hour
    reason: str = ""  # why there is none, if there is none


def seasonal(panes: Sequence[TimedState], frame: Frame, at: float, *, weeks: int = 4) -> Seasonal:
    """Sum of the panes in the hour of the week of `at`, over so many weeks before it; this week's are not in it.

    Args: at: seconds since the epoch.
    """
    if weeks < 1:
        raise ValueError(f"weeks={weeks}: expected at least 1")
    hour = at // HOUR * HOUR
    state, found = empty(frame), 0
    for week in range(1, weeks + 1):
        since = hour - week * WEEK
        of_week = [pane for pane in panes if since <= pane.start < since + HOUR]
        found += bool(of_week)
        state += total(of_week, frame)
    reason = "" if found else f"no pane in hour {hour_of_week(at)} of any of the last {weeks} weeks"
    return Seasonal(state=state, weeks=found, reason=reason)
