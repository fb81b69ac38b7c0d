"""Which rows may be judged now? Those whose label window has passed: a quick label counts no more than a slow one.

Where the delay depends on the label (a chargeback is told within weeks, that none will come not before the window ends)
the labels that have come so far are a biased sample. So a row waits for `data.label_window_s`, whatever its label; then
it is judged, in the order of the rows, or left out if it has no label.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from flyball.monitor.labels import HeldPane, Place, judged_at_all


@dataclass(kw_only=True)
class MaturingRows:
    """Rows whose window has not passed. Memory: their panes; cost: one visit a row."""

    window_s: float
    _panes: deque[tuple[HeldPane, npt.NDArray[np.float64]]] = field(default_factory=deque)

    def hold(self, held: HeldPane) -> None:
        """A pane more. Workers write side by side, so the latest arrival up to a row stands for that row's."""
        self._panes.append((held, np.maximum.accumulate(held.frame["at"].to_numpy())))

    def passed(self, now: float) -> list[Place]:
        """The rows whose window has passed since the last call, oldest first: accepted, or answered by a release.

        Args: now: seconds since the epoch. A label that comes at the very end of the window still counts.
        """
        found: list[Place] = []
        while self._panes:
            held, arrived = self._panes[0]
            end = int(np.searchsorted(arrived, now - self.window_s, side="left"))
            found += [(held, at) for at in range(held.passed, end) if judged_at_all(held, at)]
            held.passed = max(held.passed, end)
            if end < len(arrived):
                break
            self._panes.popleft()
        return found
