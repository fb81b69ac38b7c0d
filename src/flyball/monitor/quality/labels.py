"""A spike in the ratio of labels: many labels of one class at once may be poison, a broken join, or the world.

Labels that arrive are compared with labels that arrived before, not with the training data: where one class is
labelled sooner than another, arrivals never look like the training data.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping

from flyball.monitor.quality.signs import Sign
from flyball.stats.two_sample.compare import Reading, compare

ALPHA = 0.001
MOST_CLASSES = 50  # more are no classes
USUAL_WINDOWS = 20


def label_ratio(now: Mapping[object, int], usual: Mapping[object, int], *, limit: float) -> Sign | None:
    """One class's share among the labels moved by surely more than the limit.

    Args: labels a class, of this window and of the windows before; limit: change of a share.

    >>> label_ratio({1: 900, 0: 100}, {1: 500, 0: 500}, limit=0.15).value
    0.4
    >>> label_ratio({1: 9, 0: 1}, {1: 500, 0: 500}, limit=0.15) is None
    True
    """
    classes = sorted({*now, *usual}, key=str)
    if not 1 < len(classes) <= MOST_CLASSES:
        return None
    before, here = [usual.get(one, 0) for one in classes], [now.get(one, 0) for one in classes]
    found = compare(before, here, measure="l_infinity", limit=limit, alpha=ALPHA)
    if found.verdict is not Reading.DRIFT or found.value is None:
        return None
    shares = [(here[at] / sum(here), before[at] / sum(before)) for at in range(len(classes))]
    most = max(range(len(classes)), key=lambda at: shares[at][0] - shares[at][1])  # the class that grew
    told = f"{shares[most][0]:.1%} of the labels are {classes[most]}, {shares[most][1]:.1%} before"
    return Sign(kind="label_ratio", feature="label", value=round(found.value, 9), limit=limit, detail=told)


class LabelRatio:
    """Labels a class as they arrive, window by window."""

    def __init__(self) -> None:
        self._now: Counter[object] = Counter()
        self._usual: deque[Counter[object]] = deque(maxlen=USUAL_WINDOWS)

    def take(self, labels: Iterable[object]) -> None:
        """Labels that arrived in the running window."""
        self._now.update(labels)

    def close(self, *, limit: float) -> Sign | None:
        """The sign of the window, whose labels then are part of what is usual, unless they are a spike."""
        usual: Counter[object] = Counter()
        for window in self._usual:
            usual.update(window)
        found = label_ratio(self._now, usual, limit=limit) if usual else None
        if found is None and self._now:
            self._usual.append(self._now)
        self._now = Counter()
        return found
