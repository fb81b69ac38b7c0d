"""From the event loop to the prediction log without ever making a request wait for the disk.

Theory of operation. The loop puts records into a bounded ring and counts them as received, or as dropped where there
is no room. One writer thread takes all that is there every 50 ms, appends it as one frame, and counts it as written. It
alone ends a pane: under the lock, everything offered so far belongs to the old pane, everything after to the new one.
The old pane's counts stay in the counter file until its folder is there, so a process that is killed at any line finds
at its next start what it received and what is whole on disk; the difference was lost and is counted as dropped.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from flyball.core.clock import Clock
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.core.watching import Pane
from flyball.serving.accounting import Accounting

FLUSH_S = 0.05
CAPACITY_ROWS = 100_000  # about a minute of rows that a slow disk may be behind


class Log(Protocol):
    """Where records are kept: `adapters.segments.SegmentLog`."""

    def next_index(self) -> int: ...
    def unsealed(self) -> list[int]: ...
    def last_sealed(self) -> int: ...
    def append(self, index: int, predictions: Sequence[PredictionRecord], shadows: Sequence[ShadowRecord]) -> None: ...
    def rows(self, index: int) -> int: ...
    def seal(
        self, index: int, *, start: float, end: float, received: int | None, labels: Sequence[LabelRecord]
    ) -> Pane: ...


class WaitingLabels(Protocol):
    """Labels that travel with the panes: `adapters.labels.SqliteLabels`."""

    def take(self, pane: int) -> list[LabelRecord]: ...
    def waiting(self) -> int: ...
    def newest_pane(self) -> int: ...


class Capture:
    """The log of one service in one worker."""

    def __init__(
        self,
        log: Log,
        labels: WaitingLabels,
        accounting: Accounting,
        clock: Clock,
        *,
        pane_s: float,
        complain: Callable[[str], None],
        capacity_rows: int = CAPACITY_ROWS,
    ) -> None:
        self._log, self._labels, self._accounting, self._clock = log, labels, accounting, clock
        self._pane_s, self._capacity, self._complain = pane_s, capacity_rows, complain
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._predictions: list[PredictionRecord] = []
        self._shadows: list[ShadowRecord] = []
        self._index = 0
        self._opened = 0.0
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Repair what a killed process left, then begin to write."""
        self._repair()
        self._index = self._log.next_index()
        self._opened = self._clock.now().timestamp()
        self._accounting.open_pane(self._index)
        self._thread.start()

    def offer(self, predictions: Sequence[PredictionRecord]) -> None:
        """Rows received; called by the event loop."""
        rows = len(predictions)
        with self._lock:
            self._accounting.received(rows)
            if len(self._predictions) + rows > self._capacity:
                self._accounting.dropped(rows)
            else:
                self._predictions += predictions

    def offer_shadows(self, shadows: Sequence[ShadowRecord]) -> None:
        """What the shadow said; evidence, not traffic: no part of received and written."""
        with self._lock:
            if len(self._shadows) + len(shadows) <= self._capacity:
                self._shadows += shadows

    def stop(self) -> None:
        """Write all, seal the pane, end the thread."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        pane_end = self._clock.monotonic() + self._pane_s
        while not self._stop.wait(FLUSH_S):
            self._flush()
            if self._clock.monotonic() >= pane_end:
                self._turn()
                pane_end = self._clock.monotonic() + self._pane_s
        self._turn()

    def _flush(self) -> None:
        """What waits, as one frame."""
        with self._lock:
            predictions, shadows, index = self._predictions, self._shadows, self._index
            self._predictions, self._shadows = [], []
        self._write(index, predictions, shadows)

    def _turn(self) -> None:
        """End the pane, if anything is in it: the rows so far are its own, the next ones belong to the next."""
        with self._lock:
            predictions, shadows, index = self._predictions, self._shadows, self._index
            received, _ = self._accounting.pane(index) or (0, 0)
            if not received and not shadows and index not in self._log.unsealed() and not self._labels.waiting():
                return
            self._predictions, self._shadows = [], []
            start, end = self._opened, self._clock.now().timestamp()
            self._index, self._opened = index + 1, end
            self._accounting.open_pane(index + 1)
        self._write(index, predictions, shadows)
        self._seal(index, start, end)

    def _write(self, index: int, predictions: Sequence[PredictionRecord], shadows: Sequence[ShadowRecord]) -> None:
        if not predictions and not shadows:
            return
        try:
            self._log.append(index, predictions, shadows)
        except OSError as error:
            with self._lock:
                self._accounting.lost(index, len(predictions))
            self._complain(f"{len(predictions)} records could not be written: {error}")
            return
        self._accounting.written(len(predictions))

    def _seal(self, index: int, start: float, end: float) -> None:
        known = self._accounting.pane(index)
        try:
            labels = self._labels.take(index)
            self._log.seal(index, start=start, end=end, received=known[0] if known else None, labels=labels)
        except OSError as error:  # the frames stay; the next start seals them
            self._complain(f"pane {index} could not be sealed: {error}")

    def _repair(self) -> None:
        """Seal what was left open; what was received and is not whole on disk was lost."""
        now = self._clock.now().timestamp()
        sealed = self._log.last_sealed()
        left = set(self._log.unsealed()) | set(range(sealed + 1, self._labels.newest_pane() + 1))
        left |= {
            index for index in self._accounting.panes() if index > sealed and self._accounting.pane(index) != (0, 0)
        }
        lost = 0
        for index in sorted(left):
            known = self._accounting.pane(index)
            rows = self._log.rows(index)
            received = known[0] if known else rows
            lost += 0 if index <= sealed else received - rows - (known[1] if known else 0)
            labels = self._labels.take(index)
            self._log.seal(index, start=now, end=now, received=received, labels=labels)
        self._accounting.settle(max(0, lost))
