"""The champion inside the worker: asked at once where that takes a moment, else behind one thread that answers together
whatever waits.

Handing a question to a thread and its answer back costs more than a small model takes. So a release that runs no code
of its author (its time does not depend on what is asked) is asked in the event loop, for as long as its calls are as
short as a few requests take to be read. One that can hang never is: nothing could leave it behind.

A call that takes longer than its deadline cannot be stopped, only left behind: while it runs, new rows fail at once
("stuck") and their stand-ins answer, instead of queueing behind it.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from flyball.core.clock import Clock
from flyball.core.prediction import Answer, ArmReply, Failure, Predictor

TOGETHER_ROWS = 128  # rows of several requests that are answered in one call
WAITING_ROWS = 20_000
AT_ONCE_MS, QUICK_MS = 2.0, 5.0  # calls that the event loop makes itself; calls whose rows are worth joining before
_SLOWER = 1.05  # how fast the shortest call so far is forgotten, a call: a pause of the machine is not the model's
LATE = Failure(reason="deadline", message="it waited for the arm until its deadline")
STUCK = Failure(reason="deadline", message="the arm is busy with a call that is past its deadline")
FULL = Failure(reason="overload", message="too many rows wait for the arm")

Deliver = Callable[[ArmReply | Failure], None]
_Job = tuple[Sequence[dict[str, Any]], Deliver]


class InProcess:
    """A loaded release, and one thread."""

    away = False  # what is in this process cannot be

    def __init__(
        self, predictor: Predictor, clock: Clock, *, stuck_s: float, bounded: bool = False, apart: bool = False
    ) -> None:
        """`bounded`: it runs no code of its author, so that a call cannot hang. `apart`: requests are not put together,
        so that none has to be asked again because another one failed."""
        self.release = predictor.release
        self._predictor, self._clock, self._stuck_s = predictor, clock, stuck_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Sequence[dict[str, Any]], Deliver, float]] = deque()
        self._rows = 0
        self._ready = threading.Semaphore(0)
        self._closed = False
        self._busy_since: float | None = None
        self._bounded, self._most = bounded, 0 if apart else TOGETHER_ROWS
        self._call_ms: float | None = None  # about the shortest call of late; None: not asked yet
        self._thread = threading.Thread(target=self._run, name="champion", daemon=True)
        self._thread.start()

    @property
    def quick(self) -> bool:
        """Whether a call takes a few milliseconds."""
        return self._call_ms is not None and self._call_ms <= QUICK_MS

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        """`deliver` is called in the event loop, once. `until`: monotonic seconds; later nothing is predicted."""
        since = self._busy_since
        if since is not None and self._clock.monotonic() - since > self._stuck_s:
            deliver(STUCK)
        elif self._rows > WAITING_ROWS:
            deliver(FULL)
        elif self.at_once(len(rows)):
            deliver(LATE if until <= self._clock.monotonic() else self.answer(rows))
        else:
            self._rows += len(rows)
            self._waiting.append((rows, deliver, until))
            self._ready.release()

    def at_once(self, rows: int) -> bool:
        """Whether so many rows may be asked in the event loop now: `answer`."""
        if not self._bounded or rows > TOGETHER_ROWS or self._rows or self._call_ms is None:
            return False
        return self._call_ms <= AT_ONCE_MS

    def answer(self, rows: Sequence[dict[str, Any]]) -> ArmReply | Failure:
        """The reply, now."""
        reply = ask_predictor(self._predictor, rows)
        if isinstance(reply, ArmReply):
            known = self._call_ms
            self._call_ms = reply.service_ms if known is None else min(reply.service_ms, known * _SLOWER)
        return reply

    def close(self) -> None:
        """Answer what waits, then end."""
        self._closed = True
        self._ready.release()

    def _run(self) -> None:
        while True:
            self._ready.acquire()
            jobs, late = self._next(self._clock.monotonic())
            if late:
                self._loop.call_soon_threadsafe(self._done, late, [*map(_late, late)])
            if not jobs and not late and self._closed:
                return
            if jobs:
                self._busy_since = self._clock.monotonic()
                replies = self._answer([rows for rows, _ in jobs])
                self._busy_since = None
                self._loop.call_soon_threadsafe(self._done, jobs, replies)

    def _next(self, now: float) -> tuple[list[_Job], list[_Job]]:
        """The oldest job in time and those behind it that fit into one call; and those that have waited too long."""
        jobs: list[_Job] = []
        late: list[_Job] = []
        rows = 0
        while self._waiting and (not jobs or rows + len(self._waiting[0][0]) <= self._most):
            given, deliver, until = self._waiting.popleft()
            if until <= now:
                late.append((given, deliver))
            else:
                jobs.append((given, deliver))
                rows += len(given)
        return jobs, late

    def _answer(self, parts: list[Sequence[dict[str, Any]]]) -> list[ArmReply | Failure]:
        whole = [row for part in parts for row in part]
        reply = self.answer(whole)
        if isinstance(reply, Failure):
            # one request must not fail its neighbours
            return [reply] if len(parts) == 1 else [ask_predictor(self._predictor, part) for part in parts]
        replies: list[ArmReply | Failure] = []
        start = 0
        for part in parts:
            answers: tuple[Answer | Failure, ...] = reply.answers[start : start + len(part)]
            start += len(part)
            replies.append(ArmReply(answers=answers, service_ms=reply.service_ms * len(part) / max(1, len(whole))))
        return replies

    def _done(self, jobs: list[_Job], replies: list[ArmReply | Failure]) -> None:
        for (rows, deliver), reply in zip(jobs, replies, strict=True):
            self._rows -= len(rows)
            deliver(reply)


def _late(_: _Job) -> ArmReply | Failure:
    return LATE


def ask_predictor(predictor: Predictor, rows: Sequence[dict[str, Any]]) -> ArmReply | Failure:
    """What the predictor says; that it raises, or answers another number of rows, is its own failure."""
    try:
        reply = predictor.predict(rows)
    except Exception as error:
        return Failure(reason="exception", message=f"{type(error).__name__}: {error}")
    if len(reply.answers) != len(rows):
        return Failure(reason="invalid", message=f"{len(reply.answers)} answers to {len(rows)} rows")
    return reply
