"""Windows as they are remembered: what the monitor said of each, and when that was."""

from collections.abc import Sequence
from typing import Protocol

from flyball.core.record import Record
from flyball.core.watching import WindowReport


class SeenWindow(Record):
    """One window report and its place in time."""

    start: float  # of its first pane, seconds since the epoch
    end: float  # of its last pane
    report: WindowReport


class WindowBook(Protocol):
    """Where a controller writes the windows of one service down, for whoever asks later."""

    def keep(self, windows: Sequence[SeenWindow]) -> None:
        """Idempotent; a window takes the place of those that it overlaps. Raises: Unavailable."""
        ...
