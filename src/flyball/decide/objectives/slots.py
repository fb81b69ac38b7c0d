"""Good and all events in slots of time, so that any window up to a length is one subtraction.

Running sums are kept for each slot with events. Adding costs the same whatever was added before, a window is two
look-ups, and what is older than the longest window is dropped now and then. Short windows are read from fine slots,
long ones from coarse ones; each event is in all of them.
"""

from bisect import bisect_left, bisect_right
from typing import Final

from flyball.core.declared.objectives import Events

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
FINE: Final = ((MINUTE_S, 6 * HOUR_S), (5 * MINUTE_S, 3 * DAY_S))  # length of a slot, longest window read from them


class Slots:
    """Sums by slot; a window counts each slot that it touches, so it is up to one slot longer than it says."""

    def __init__(self, slot_s: float, keep_s: float) -> None:
        self.slot_s, self.keep_s = slot_s, keep_s
        self._most = int(keep_s // slot_s) + 2  # slots that a window may touch
        self._at: list[int] = []  # numbers of slots with events, ascending
        self._good: list[float] = []  # of all events up to the end of that slot
        self._total: list[float] = []
        self._gone = Events()  # of slots that were dropped

    def add(self, at: float, events: Events) -> None:
        """At: seconds since the epoch. Events that come late go into their own slot, so the order in which they came
        makes no difference."""
        slot = int(at // self.slot_s)
        place = bisect_left(self._at, slot)
        if place == len(self._at) or self._at[place] != slot:
            before = self._until(place)
            self._at.insert(place, slot)
            self._good.insert(place, before.good)
            self._total.insert(place, before.total)
        for each in range(place, len(self._at)):  # one, but for what comes late
            self._good[each] += events.good
            self._total[each] += events.total
        if len(self._at) > 2 * self._most:
            self._drop(bisect_left(self._at, self._at[-1] - self._most))

    def put_back(self, now: float) -> None:
        """The clock shows an earlier time than it did: events of its future are taken along to now."""
        slot, so_far = int(now // self.slot_s), self.sum
        if not self._at or self._at[-1] <= slot:
            return
        while self._at and self._at[-1] > slot:
            self._at.pop(), self._good.pop(), self._total.pop()
        if not self._at or self._at[-1] != slot:
            self._at.append(slot)
            self._good.append(0.0)
            self._total.append(0.0)
        self._good[-1], self._total[-1] = so_far.good, so_far.total

    @property
    def sum(self) -> Events:
        """Everything that was ever added."""
        return Events(good=self._good[-1], total=self._total[-1]) if self._at else self._gone

    def within(self, now: float, window_s: float) -> Events:
        """Events of the slots that (now - window, now] touches."""
        first = bisect_left(self._at, int((now - window_s) // self.slot_s))
        last = bisect_right(self._at, int(now // self.slot_s))
        end, begin = self._until(last), self._until(first)
        return Events(good=end.good - begin.good, total=end.total - begin.total)

    def _until(self, place: int) -> Events:
        return self._gone if place == 0 else Events(good=self._good[place - 1], total=self._total[place - 1])

    def _drop(self, places: int) -> None:
        if places <= 0:
            return
        self._gone = self._until(places)
        for each in (self._at, self._good, self._total):
            del each[:places]


class Kept:
    """Events of one objective over all its windows."""

    def __init__(self, window_s: float) -> None:
        tiers = [tier for tier in FINE if tier[1] < window_s]
        longest = next((tier for tier in FINE if tier[1] >= window_s), (HOUR_S, window_s))
        self._tiers = [Slots(slot_s, keep_s) for slot_s, keep_s in (*tiers, longest)]
        self.since: float | None = None  # start of the oldest events that were ever added

    def add(self, at: float, events: Events) -> None:
        if self.since is None or at < self.since:
            self.since = at
        for tier in self._tiers:
            tier.add(at, events)

    def put_back(self, now: float) -> None:
        """What is later than now came of a wrong clock: see `Slots`."""
        for each in self._tiers:
            each.put_back(now)

    def within(self, now: float, window_s: float) -> Events:
        """Of the window that ends now; at most the objective's own."""
        tier = next((each for each in self._tiers if each.keep_s >= window_s), self._tiers[-1])
        return tier.within(now, window_s)

    @property
    def sum(self) -> Events:
        """Everything that was ever added: a counter."""
        return self._tiers[-1].sum
