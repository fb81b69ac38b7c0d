"""The newest windows of one champion, and what the older ones left behind: a champion may serve for years.

What is decided from windows is a fold over all of them. The newest stay here as they are, because a diagnosis looks
back at them; of those that are let go the folds are kept. So a look costs the same after a day and after a year.
"""

from collections.abc import Sequence

from flyball.core.service import Monitor
from flyball.core.watching import WindowReport
from flyball.decide.accepted import Accepted
from flyball.decide.incident import Supply, supply
from flyball.decide.triggers import Streaks, streaks

KEPT = 200  # windows; a streak that is older began at the oldest of them


class Windows:
    """Grows by `add`; `reports`, `supply_before` and `streaks_before` together say what all windows said."""

    def __init__(self, monitor: Monitor, *, kept: int = KEPT) -> None:
        self._monitor, self._kept = monitor, kept
        self.reports: list[WindowReport] = []  # the newest, in order
        self.taken = 0  # all that ever came
        self.supply_before = Supply()  # after the last one that was let go
        self.streaks_before = Streaks()

    def add(self, found: Sequence[WindowReport], *, word: Accepted | None) -> None:
        """`word`: as the folds want it; what a person accepts later is seen in the windows that are kept."""
        self.reports += found
        self.taken += len(found)
        gone, self.reports = self.reports[: -self._kept], self.reports[-self._kept :]
        if not gone:
            return
        monitor = self._monitor
        self.supply_before = supply(gone, monitor, word=word, after=self.supply_before)
        self.streaks_before = streaks(
            gone, monitor.psi.consecutive, shifts=monitor.detector.retrain, after=self.streaks_before
        )
