"""From the event loop to the prediction log without ever making a request wait for the disk.

Theory of operation. The loop puts records into a bounded ring and counts them as received, or as dropped where there
is no room. One writer thread takes all that is there every 50 ms, appends it as one frame, and counts it as written. It
alone ends a pane: under the lock, everything offered so far belongs to the old pane, everything after to the new one.
The old pane's counts stay in the counter file until its folder is there, so a process that is killed at any line finds
at its next start what it received and what is whole on disk; the difference was lost and is counted as dropped.

Panes that have ended are sealed strictly in order. One that cannot be sealed now (the disk or the label book refuses)
waits, and those after it wait behind it; its frames are on disk, its counts in memory. So a reader that has seen pane n
will never find a new pane below n. Whatever is raised in the thread is told once and the loop goes on.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flyball.core.clock import Clock
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.core.watching import Pane
from flyball.serving.accounting import Accounting
from flyball.serving.serve.complaints import Complaints

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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ended:
    """A pane that takes no more rows and is not sealed yet."""

    index: int
    start: float
    end: float
    received: int | None  # None: nobody knows any more


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
        self._pane_s, self._capacity, self._complain = pane_s, capacity_rows, Complaints(complain)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._predictions: list[PredictionRecord] = []
        self._shadows: list[ShadowRecord] = []
        self._index = 0
        self._opened = 0.0
        self._ended: deque[_Ended] = deque()  # oldest first
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def start(self) -> None:
        """Repair what a killed process left, then begin to write."""
        self._repair()
        self._index = max([self._log.next_index(), *(ended.index + 1 for ended in self._ended)])
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
        self._flush()
        self._turn()

    def _flush(self) -> None:
        """What waits, as one frame."""
        with self._lock:
            predictions, shadows, index = self._predictions, self._shadows, self._index
            self._predictions, self._shadows = [], []
        self._write(index, predictions, shadows)

    def _turn(self) -> None:
        """End the pane, if anything is in it, and seal what has ended."""
        try:
            if self._begun(self._index):
                self._end_pane()
        except Exception as error:
            self._complain(f"the pane cannot be ended now and goes on: {type(error).__name__}: {error}")
        self._seal_ended()

    def _begun(self, index: int) -> bool:
        """Asked without the lock: a slow disk must not make a request wait."""
        received, _ = self._accounting.pane(index) or (0, 0)
        return bool(received or self._shadows or index in self._log.unsealed() or self._labels.waiting())

    def _end_pane(self) -> None:
        """The rows so far are the pane's own, the next ones belong to the next."""
        with self._lock:
            predictions, shadows, index = self._predictions, self._shadows, self._index
            self._predictions, self._shadows = [], []
            start, end = self._opened, self._clock.now().timestamp()
            self._index, self._opened = index + 1, end
            self._accounting.open_pane(index + 1)
        self._write(index, predictions, shadows)
        known = self._accounting.pane(index)
        self._ended.append(_Ended(index=index, start=start, end=end, received=known[0] if known else None))

    def _write(self, index: int, predictions: Sequence[PredictionRecord], shadows: Sequence[ShadowRecord]) -> None:
        """Append and count; what cannot be appended is counted as dropped."""
        if not predictions and not shadows:
            return
        try:
            self._log.append(index, predictions, shadows)
        except Exception as error:
            if isinstance(error, OSError) or len(predictions) + len(shadows) == 1:
                with self._lock:
                    self._accounting.lost(index, len(predictions))
                self._complain(f"records are dropped, they cannot be written: {type(error).__name__}: {error}")
                return
            for record in predictions:  # one that cannot be encoded must not take the others with it
                self._write(index, [record], ())
            for shadow in shadows:
                self._write(index, (), [shadow])
        else:
            self._accounting.written(len(predictions))

    def _seal_ended(self) -> None:
        """In order, up to the first that cannot be sealed now; the next turn tries again."""
        while self._ended:
            pane = self._ended[0]
            try:
                labels = self._labels.take(pane.index)
                self._log.seal(pane.index, start=pane.start, end=pane.end, received=pane.received, labels=labels)
            except Exception as error:
                self._complain(f"pane {pane.index} cannot be sealed now: {type(error).__name__}: {error}")
                return
            self._ended.popleft()

    def _repair(self) -> None:
        """Take up what was left open; what was received and is not whole on disk was lost.

        The loss is counted before anything is sealed: after another kill it is not found, and not counted, again.
        """
        now = self._clock.now().timestamp()
        sealed = self._log.last_sealed()
        left = set(self._log.unsealed()) | set(range(sealed + 1, self._labels.newest_pane() + 1))
        left |= {
            index for index in self._accounting.panes() if index > sealed and self._accounting.pane(index) != (0, 0)
        }
        for index in sorted(left):
            known = self._accounting.pane(index)
            if known is not None and index > sealed:
                self._accounting.lost(index, max(0, known[0] - self._log.rows(index) - known[1]))
            self._ended.append(_Ended(index=index, start=now, end=now, received=known[0] if known else None))
        self._accounting.settle()
        self._seal_ended()
