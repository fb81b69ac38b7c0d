"""From the event loop to the prediction log without ever making a request wait for the disk.

Theory of operation. The loop puts records into a bounded ring and counts them as received, or as dropped where there
is no room. One writer thread takes all that is there every 50 ms, appends it as one frame, and counts it as written. It
alone ends a pane: under the lock, everything offered so far belongs to the old pane, everything after to the new one.
The old pane's counts stay in the counter file until its folder is there, so a process that is killed at any line finds
at its next start what it received and what is whole on disk; the difference was lost and is counted as dropped.

Panes that have ended are sealed strictly in order. One that cannot be sealed now (the disk or the label book refuses)
waits, and those after it wait behind it; its frames are on disk, its counts in memory. So a reader that has seen pane n
will never find a new pane below n. Whatever is raised in the thread is told once and the loop goes on.

With `fsync: always` an answer waits for the disk: the loop asks for `settled` after it has offered a record, and the
thread, which is woken at once, lets all go that came before its last sync. So one sync serves all that wait, and those
that come meanwhile share the next. A record that the disk refuses lets its answer go too: it is dropped and counted.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from flyball.core.clock import Clock
from flyball.core.declared.serving import PredictionLog
from flyball.core.log_columns import LogColumns
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord
from flyball.core.watching import Pane
from flyball.serving.counting.accounting import Accounting
from flyball.serving.serve.complaints import Complaints
from flyball.serving.unread import Unread, shed_columns

FLUSH_S = 0.05
CAPACITY_ROWS = 100_000  # about a minute of rows that a slow disk may be behind


class Log(Protocol):
    """Where records are kept: `adapters.prediction_log.segments.SegmentLog`."""

    def next_index(self) -> int: ...
    def unsealed(self) -> list[int]: ...
    def last_sealed(self) -> int: ...
    def append(
        self,
        index: int,
        predictions: Sequence[PredictionRecord],
        shadows: Sequence[ShadowRecord],
        unread: Sequence[LogColumns] = (),
    ) -> None: ...
    def sync(self) -> None: ...
    def rows(self, index: int) -> int: ...
    def seal(
        self, index: int, *, start: float, end: float, received: int | None, labels: Sequence[LabelRecord]
    ) -> Pane: ...


class WaitingLabels(Protocol):
    """Labels that travel with the panes: `adapters.prediction_log.labels.SqliteLabels`."""

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
        policy: PredictionLog | None = None,
    ) -> None:
        self._log, self._labels, self._accounting, self._clock = log, labels, accounting, clock
        self._pane_s, self._capacity, self._complain = pane_s, capacity_rows, Complaints(complain)
        self._policy = policy or PredictionLog()
        self._lock = threading.Lock()
        self._stopping = False
        self._wake = threading.Event()
        self._waiting: list[asyncio.Future[None]] = []  # answers that go out when what was offered is on the disk
        self._predictions: list[PredictionRecord] = []
        self._shadows: list[ShadowRecord] = []
        self._unread: list[Unread] = []
        self._unread_rows = 0
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
            if len(self._predictions) + self._unread_rows + rows > self._capacity:
                self._accounting.dropped(rows)
            else:
                self._predictions += predictions

    def offer_unread(self, unread: Unread) -> None:
        """Rows received and turned away without being looked at; each is a row of the log like any other."""
        rows = len(unread)
        with self._lock:
            self._accounting.received(rows)
            if len(self._predictions) + self._unread_rows + rows > self._capacity:
                self._accounting.dropped(rows)
                return
            self._unread_rows += rows
            if self._unread and self._unread[-1].takes(unread):
                self._unread[-1].add(unread)
            else:
                self._unread.append(unread)

    def offer_shadows(self, shadows: Sequence[ShadowRecord]) -> None:
        """What the shadow said; evidence, not traffic: no part of received and written."""
        with self._lock:
            if len(self._shadows) + len(shadows) <= self._capacity:
                self._shadows += shadows

    @property
    def settles(self) -> bool:
        """Whether answers wait until their records are on the disk."""
        return self._policy.fsync == "always"

    def settled(self) -> "asyncio.Future[None] | None":
        """Done once all that was offered so far is on the disk, or counted as dropped; None: answers need not wait."""
        if not self.settles:
            return None
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.append(future)
        self._wake.set()
        return future

    def stop(self) -> None:
        """Write all, seal the pane, end the thread."""
        self._stopping = True
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        interval_s = max(0.0, self._policy.interval_ms / 1000.0 - 2 * FLUSH_S)  # a row may have waited for its frame
        now = self._clock.monotonic()
        pane_end, sync_at = now + self._pane_s, now + interval_s
        while not self._stopping:
            self._wake.wait(FLUSH_S)
            self._wake.clear()
            self._flush()
            if self._clock.monotonic() >= sync_at:
                self._sync()
                sync_at = self._clock.monotonic() + interval_s
            if self._clock.monotonic() >= pane_end:
                self._turn()
                pane_end = self._clock.monotonic() + self._pane_s
        self._flush()
        self._turn()
        self._flush()  # whoever came during the last turn still gets his answer

    def _flush(self) -> None:
        """What waits, as one frame."""
        with self._lock:
            index, predictions, shadows, unread = self._index, *self._taken()
            waiting, self._waiting = self._waiting, []
        self._write(index, predictions, shadows, unread)
        _let_go(waiting)

    def _taken(self) -> tuple[list[PredictionRecord], list[ShadowRecord], list[Unread]]:
        """All that waits, which waits no more. Under the lock."""
        taken = self._predictions, self._shadows, self._unread
        self._predictions, self._shadows, self._unread, self._unread_rows = [], [], [], 0
        return taken

    def _sync(self) -> None:
        try:
            self._log.sync()
        except OSError as error:  # tried again at the next interval; the sealed pane is written and synced anew
            self._complain(f"the log cannot be synced now: {error}")

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
            index, predictions, shadows, unread = self._index, *self._taken()
            start, end = self._opened, self._clock.now().timestamp()
            self._index, self._opened = index + 1, end
            self._accounting.open_pane(index + 1)
        self._write(index, predictions, shadows, unread)
        known = self._accounting.pane(index)
        self._ended.append(_Ended(index=index, start=start, end=end, received=known[0] if known else None))

    def _write(
        self,
        index: int,
        predictions: Sequence[PredictionRecord],
        shadows: Sequence[ShadowRecord],
        unread: Sequence[Unread] = (),
    ) -> None:
        """Append and count; what cannot be appended is counted as dropped."""
        rows = len(predictions) + sum(map(len, unread))
        if not rows and not shadows:
            return
        try:
            self._log.append(index, predictions, shadows, [shed_columns(each) for each in unread])
        except Exception as error:
            if isinstance(error, OSError) or len(predictions) + len(shadows) + len(unread) == 1:
                with self._lock:
                    self._accounting.lost(index, rows)
                self._complain(f"records are dropped, they cannot be written: {type(error).__name__}: {error}")
                return
            for record in predictions:  # one that cannot be encoded must not take the others with it
                self._write(index, [record], ())
            for shadow in shadows:
                self._write(index, (), [shadow])
            for each in unread:
                self._write(index, (), (), [each])
        else:
            self._accounting.written(rows)

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


def _let_go(waiting: "Sequence[asyncio.Future[None]]") -> None:
    """Called in the writer's thread: each answer goes on in its own event loop."""
    for loop in {future.get_loop() for future in waiting}:
        if not loop.is_closed():
            loop.call_soon_threadsafe(_done, [future for future in waiting if future.get_loop() is loop])


def _done(waiting: "Sequence[asyncio.Future[None]]") -> None:
    for future in waiting:
        if not future.done():  # whoever waited may have gone
            future.set_result(None)
