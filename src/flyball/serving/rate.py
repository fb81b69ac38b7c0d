"""How many rows a second arrive, over the last ten seconds, from the times of the rows themselves."""

WINDOW_S = 10.0


class Rate:
    """A tumbling window: the rate of the last full window, or of the running one while there is none."""

    def __init__(self) -> None:
        self._window = -1
        self._rows = 0
        self.rps = 0.0

    def add(self, first: float, at: float, rows: int) -> None:
        """Rows that arrived from `first` to `at`, seconds since the epoch.

        >>> rate = Rate()
        >>> for second in range(21):
        ...     rate.add(float(second), float(second), 5)
        >>> rate.rps
        5.0
        """
        if at - first >= WINDOW_S:  # a recorded stream comes in long batches
            self.rps = rows / (at - first)
            return
        window = int(at // WINDOW_S)
        if window != self._window:
            self.rps = self._rows / WINDOW_S if window == self._window + 1 else 0.0
            self._window, self._rows = window, 0
        self._rows += rows
        self.rps = max(self.rps, self._rows / WINDOW_S)
