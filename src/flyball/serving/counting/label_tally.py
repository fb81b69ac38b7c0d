"""How the labels of a service come in: how many of which kind, and how long after their predictions."""

from bisect import bisect_left
from collections import Counter, deque

from flyball.core.prediction import LabelRecord
from flyball.serving.identity import issued_at

HOUR_S, DAY_S = 3600.0, 86_400.0
# from a click to a chargeback
BOUNDS_S = (10.0, 60.0, 600.0, HOUR_S, 6 * HOUR_S, DAY_S, 3 * DAY_S, 7 * DAY_S, 14 * DAY_S, 30 * DAY_S, 90 * DAY_S)


class LabelTally:
    """Sums since the process began. Threads that write labels tell `first`; the rest is the event loop's."""

    def __init__(self, window_s: float) -> None:
        """`window_s`: a label that comes later is late; 0: none is."""
        self._window_s = window_s
        self._fresh: deque[LabelRecord] = deque()  # told and not counted yet: appending needs no lock
        self.counts: Counter[str] = Counter()  # accepted, duplicate, corrected, unmatched, late
        self.buckets = [0] * (len(BOUNDS_S) + 1)  # first labels by their delay
        self.seconds = 0.0  # of all their delays

    def took(self, *, accepted: int = 0, duplicate: int = 0, corrected: int = 0, unmatched: int = 0) -> None:
        """What became of the labels of a request; those that were told meanwhile are counted by their delay."""
        self.counts.update(accepted=accepted, duplicate=duplicate, corrected=corrected, unmatched=unmatched)
        while self._fresh:
            self._count(self._fresh.popleft())

    def first(self, label: LabelRecord) -> None:
        """The first label of its prediction: its delay is how long the truth took.

        >>> tally = LabelTally(window_s=60.0)
        >>> tally.first(LabelRecord(id="s.0000000003e8", label=1, at=121.0))  # of second 1
        >>> tally.took(accepted=1)
        >>> tally.counts["late"], tally.seconds
        (1, 120.0)
        """
        self._fresh.append(label)

    def _count(self, label: LabelRecord) -> None:
        issued = issued_at(label.id)
        if issued is None:
            return
        delay_s = max(0.0, label.at - issued)
        self.counts["late"] += bool(self._window_s) and delay_s > self._window_s
        self.buckets[bisect_left(BOUNDS_S, delay_s)] += 1
        self.seconds += delay_s

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound in seconds, labels at or below it), the last bound is `+Inf`."""
        total, rows = 0, []
        for bound, count in zip((*BOUNDS_S, None), self.buckets, strict=True):
            total += count
            rows.append(("+Inf" if bound is None else f"{bound:g}", float(total)))
        return rows
