"""The champion inside the worker: one thread that answers together whatever waits.

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
STUCK = Failure(reason="deadline", message="the arm is busy with a call that is past its deadline")
FULL = Failure(reason="overload", message="too many rows wait for the arm")

Deliver = Callable[[ArmReply | Failure], None]


class InProcess:
    """A loaded release behind one thread."""

    def __init__(self, predictor: Predictor, clock: Clock, *, stuck_s: float) -> None:
        self.release = predictor.release
        self._predictor, self._clock, self._stuck_s = predictor, clock, stuck_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Sequence[dict[str, Any]], Deliver]] = deque()
        self._rows = 0
        self._ready = threading.Semaphore(0)
        self._closed = False
        self._busy_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="champion", daemon=True)
        self._thread.start()

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver) -> None:
        """`deliver` is called in the event loop, once."""
        since = self._busy_since
        if since is not None and self._clock.monotonic() - since > self._stuck_s:
            deliver(STUCK)
        elif self._rows > WAITING_ROWS:
            deliver(FULL)
        else:
            self._rows += len(rows)
            self._waiting.append((rows, deliver))
            self._ready.release()

    def close(self) -> None:
        """Answer what waits, then end."""
        self._closed = True
        self._ready.release()

    def _run(self) -> None:
        while True:
            self._ready.acquire()
            jobs = self._next()
            if not jobs and self._closed:
                return
            if jobs:
                self._busy_since = self._clock.monotonic()
                replies = self._answer([rows for rows, _ in jobs])
                self._busy_since = None
                self._loop.call_soon_threadsafe(self._done, jobs, replies)

    def _next(self) -> list[tuple[Sequence[dict[str, Any]], Deliver]]:
        """The oldest job and those behind it that fit into one call."""
        jobs: list[tuple[Sequence[dict[str, Any]], Deliver]] = []
        rows = 0
        while self._waiting and (not jobs or rows + len(self._waiting[0][0]) <= TOGETHER_ROWS):
            jobs.append(self._waiting.popleft())
            rows += len(jobs[-1][0])
        return jobs

    def _answer(self, parts: list[Sequence[dict[str, Any]]]) -> list[ArmReply | Failure]:
        whole = [row for part in parts for row in part]
        reply = ask_predictor(self._predictor, whole)
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

    def _done(self, jobs: list[tuple[Sequence[dict[str, Any]], Deliver]], replies: list[ArmReply | Failure]) -> None:
        for (rows, deliver), reply in zip(jobs, replies, strict=True):
            self._rows -= len(rows)
            deliver(reply)


def ask_predictor(predictor: Predictor, rows: Sequence[dict[str, Any]]) -> ArmReply | Failure:
    """What the predictor says; that it raises, or answers another number of rows, is its own failure."""
    try:
        reply = predictor.predict(rows)
    except Exception as error:
        return Failure(reason="exception", message=f"{type(error).__name__}: {error}")
    if len(reply.answers) != len(rows):
        return Failure(reason="invalid", message=f"{len(reply.answers)} answers to {len(rows)} rows")
    return reply
