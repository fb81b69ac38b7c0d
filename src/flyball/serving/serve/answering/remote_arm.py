"""A release whose model is elsewhere: as many questions under way as it has connections, each with its deadline.

Theory of operation. A question that finds a free connection goes out at once and alone. While all are taken, those that
come wait; the next free connection takes what waits, together, up to a bound. So the batch adapts by itself, as with a
model in this process. Every question gets one reply, by its number and not by the order in which answers come. Where a
row may be asked once only, each question goes out alone: one that fails would fail the others with it.

Beside the questions runs a watch: it asks the server whether the model is ready. Two times no, and the circuit is open:
whoever asks hears so at once and its stand-ins answer. It closes when the server says yes and the packaged probe rows
are answered as they were when the release was judged, since what comes back may be another model.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import uvloop

from flyball.core.clock import Clock
from flyball.core.errors import FlyballError
from flyball.core.prediction import Answer, ArmReply, Asking, Failure
from flyball.serving.serve.answering.champion import FULL, LATE, STUCK, TOGETHER_ROWS, WAITING_ROWS
from flyball.serving.serve.complaints import Complaints

WATCH_S, AGAIN_S = 2.0, 0.2  # between two looks at a server that is well, and at one that is not

Deliver = Callable[[ArmReply | Failure], None]
_Job = tuple[Sequence[dict[str, Any]], Deliver, float]


class RemoteArm:
    """In the event loop in which it is made."""

    def __init__(self, asking: Asking, clock: Clock, complain: Callable[[str], None]) -> None:
        self.release = asking.release
        self._asking, self._clock, self._complain = asking, clock, Complaints(complain)
        self._most = 0 if asking.once else TOGETHER_ROWS
        self._waiting: deque[_Job] = deque()
        self._rows = 0  # that wait or are under way
        self._asked: set[asyncio.Task[None]] = set()
        self._away: Failure | None = None
        self._doubt = asyncio.Event()  # a question failed: look now
        self._watch = asyncio.create_task(self._keep_watch())

    @property
    def away(self) -> bool:
        return self._away is not None

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        """`deliver` is called once. `until`: monotonic seconds; nobody waits for the answer after that."""
        if self._away is not None:
            deliver(self._away)
        elif self._rows > WAITING_ROWS:
            deliver(FULL)
        else:
            self._rows += len(rows)
            self._waiting.append((rows, deliver, until))
            self._send()

    async def close(self) -> None:
        """What was asked is answered first."""
        while self._asked:
            await asyncio.wait(self._asked)
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)
        await self._asking.close()

    def _send(self) -> None:
        while self._waiting and len(self._asked) < self._asking.connections:
            if jobs := self._next(self._clock.monotonic()):
                task = asyncio.get_running_loop().create_task(self._together(jobs))
                self._asked.add(task)
                task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._asked.discard(task)
        self._send()

    def _next(self, now: float) -> list[_Job]:
        """The oldest question in time, and those behind it that fit into the same call."""
        jobs: list[_Job] = []
        rows = 0
        while self._waiting and (not jobs or rows + len(self._waiting[0][0]) <= self._most):
            job = self._waiting.popleft()
            if job[2] <= now:
                self._tell(job, LATE)
            else:
                jobs.append(job)
                rows += len(job[0])
        return jobs

    async def _together(self, jobs: Sequence[_Job]) -> None:
        whole = [row for rows, _, _ in jobs for row in rows]
        left = max(until for _, _, until in jobs) - self._clock.monotonic()  # who has less hears LATE from `arms`
        try:
            reply = await self._asking.answer(whole, left)
        except Exception as error:  # the predictor's own failure, whatever it is
            reply = Failure(reason="exception", message=f"{type(error).__name__}: {error}")
        if isinstance(reply, ArmReply) and len(reply.answers) != len(whole):
            reply = Failure(reason="invalid", message=f"{len(reply.answers)} answers to {len(whole)} rows")
        if isinstance(reply, Failure):
            self._doubt.set()
        start = 0
        for job in jobs:
            self._tell(job, _part(reply, start, len(job[0])))
            start += len(job[0])

    def _tell(self, job: _Job, reply: ArmReply | Failure) -> None:
        self._rows -= len(job[0])
        job[1](reply)

    async def _keep_watch(self) -> None:
        pause_s, noes = WATCH_S, 0
        while True:
            await asyncio.sleep(AGAIN_S)  # whatever fails meanwhile, it is looked at no more often
            with contextlib.suppress(TimeoutError):  # nothing failed, and it is time to look again
                async with asyncio.timeout(pause_s):
                    await self._doubt.wait()
            self._doubt.clear()
            why = await self._why_not()
            noes = noes + 1 if why else 0
            if not why:
                pause_s, self._away = WATCH_S, None
            elif noes > 1:
                if self._away is None:
                    self._complain(f"the remote model of release {self.release} is not asked: {why}")
                self._away = Failure(reason="open", message=f"the remote model is away: {why}")
                pause_s = min(WATCH_S, AGAIN_S * noes)
            else:
                pause_s = 0.0

    async def _why_not(self) -> str:
        """Why it is not to be asked; after it was away its probe rows decide too."""
        try:
            why = await self._asking.away()
            if not why and self._away is not None:
                await asyncio.to_thread(self._asking.verify)
        except Exception as error:  # whatever it raises, it is no yes
            return f"{type(error).__name__}: {error}" if not isinstance(error, FlyballError) else str(error)
        return why


def _part(reply: ArmReply | Failure, start: int, rows: int) -> ArmReply | Failure:
    """One question's share: waiting for neighbours that we chose is queueing."""
    if isinstance(reply, Failure):
        return reply
    answers: tuple[Answer | Failure, ...] = reply.answers[start : start + rows]
    return ArmReply(answers=answers, service_ms=reply.service_ms * rows / max(1, len(reply.answers)))


class RemoteChampion:
    """The same behind one thread with an event loop of its own, so that features() of the release cannot hold the
    worker's. Same face as `champion.InProcess`.
    """

    quick = False

    def __init__(self, asking: Asking, clock: Clock, complain: Callable[[str], None], *, stuck_s: float) -> None:
        """Only by `started`."""
        self.release = asking.release
        self._asking, self._clock, self._complain, self._stuck_s = asking, clock, complain, stuck_s
        self._loop = asyncio.get_running_loop()
        self._handed: deque[float] = deque()  # when each question that the thread has not taken yet was handed over
        self._own = uvloop.new_event_loop()
        self._end = asyncio.Event()
        self._began: Future[RemoteArm] = Future()
        threading.Thread(target=self._run, name="remote", daemon=True).start()

    @classmethod
    async def started(
        cls, asking: Asking, clock: Clock, complain: Callable[[str], None], *, stuck_s: float
    ) -> "RemoteChampion":
        """`stuck_s`: features() that hold the thread for longer are not waited for: "stuck"."""
        made = cls(asking, clock, complain, stuck_s=stuck_s)
        await asyncio.wrap_future(made._began)
        return made

    @property
    def away(self) -> bool:
        return self._began.result().away

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        """`deliver` is called in the event loop of whoever made this, once."""
        now = self._clock.monotonic()
        if self._handed and now - self._handed[0] > self._stuck_s:
            deliver(STUCK)
            return
        self._handed.append(now)
        self._own.call_soon_threadsafe(self._take, rows, deliver, until)

    def close(self) -> None:
        """Answer what was asked, then end."""
        self._own.call_soon_threadsafe(self._end.set)

    def _take(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        self._handed.popleft()
        self._began.result().ask(rows, lambda reply: self._back(deliver, reply), until)

    def _back(self, deliver: Deliver, reply: ArmReply | Failure) -> None:
        self._loop.call_soon_threadsafe(deliver, reply)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._own) as runner:
            runner.run(self._live())

    async def _live(self) -> None:
        arm = RemoteArm(self._asking, self._clock, self._complain)
        self._began.set_result(arm)
        await self._end.wait()
        await arm.close()
