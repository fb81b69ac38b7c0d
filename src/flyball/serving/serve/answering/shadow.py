"""Show rows to the shadow after the client has its answer: a queue, a number of calls and a deadline of its own.

Nothing that the shadow does reaches the champion: its process is another one, at most `concurrency` calls are under way
there, the rows that wait are bounded, and the oldest give way to the newest, because a shadow that cannot follow should
see what is served now. What is not shown is counted. A call that the shadow does not answer in time is an error event
of the candidate; rows that grew too old in our own queue are not.

Nobody waits for what it says, so rows wait a moment for one another, and one call shows them all: a call wakes another
process, which costs more than the rows, and on a shared core takes its turn from a request. Only as many go together
as a quick call answers, by what the last one took. Where such a call fails as a whole, has no answer in time, or ends
the process, each of its requests is shown again by itself, and from then on every one of that release is: no row errs
for its neighbours. Where there is no process to show them to, they are dropped and counted.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from flyball.core.clock import Clock
from flyball.core.declared.serving import Mirroring
from flyball.core.prediction import ArmReply, Failure, ShadowRecord
from flyball.serving.batch import Ask, Batch
from flyball.serving.gateway import Gateway
from flyball.serving.resilience.overload import Overloads
from flyball.serving.serve.answering.arms import Arms
from flyball.serving.serve.answering.champion import QUICK_MS

GATHER_S = 0.02  # rows wait so long for others
TOGETHER_ROWS = 32  # at most, of several requests in one call
_BY_ONE_ROW = ("exception", "invalid", "dead", "deadline")  # failures of a call that one of its rows can bring about
_Shown = tuple[Batch, Ask]


class Shadow:
    """One service's mirror."""

    def __init__(
        self,
        core: Gateway,
        arms: Arms,
        record: Callable[[Sequence[ShadowRecord]], None],
        overloads: Overloads,
        declared: Mirroring,
        clock: Clock,
        *,
        deadline_s: float,
        also: Callable[[Batch], None] = lambda _: None,
    ) -> None:
        """`deadline_s`: of the service; the shadow's own where it declares none. `also`: shown every batch too."""
        self._also = also
        self._core, self._arms, self._record, self._overloads, self._clock = core, arms, record, overloads, clock
        self._most_rows, self._most_calls = declared.max_rows, declared.concurrency
        self._deadline_s = deadline_s if declared.deadline_ms is None else declared.deadline_ms / 1000.0
        self._queue: deque[tuple[Batch, Ask, float]] = deque()  # and until when it may wait
        self._rows = 0  # that wait
        self._together = 1  # rows of several requests that a quick call answers
        self._apart = ""  # the release whose requests are shown one by one
        self._gathering: asyncio.TimerHandle | None = None
        self._closed = False
        self.calls = 0  # under way
        self.dropped = 0  # rows not shown, or not to the end: no room, no time, or no shadow there

    def offer(self, batch: Batch) -> None:
        """Called after the answer has been sent."""
        self._also(batch)
        ask = self._core.shadow(batch)
        if ask is None:
            return
        rows = len(ask.places)
        full = rows > self._most_rows or self._overloads.refuses_shadow(batch.routing.champion, rows)
        if full or self._closed or self._away(ask.release):
            self.dropped += rows
            return
        self._queue.append((batch, ask, self._clock.monotonic() + self._deadline_s))
        self._rows += rows
        while self._rows > self._most_rows:
            self._drop()
        if self._rows >= self._together:
            self._go_on()
        elif self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_S, self._go_on)

    def close(self) -> None:
        """Before its process is ended: what waits or is under way is dropped, and no error of the candidate's."""
        self._closed = True
        while self._queue:
            self._drop()
        if self._gathering is not None:
            self._gathering.cancel()

    def _go_on(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        while self._queue and self.calls < self._most_calls:
            shown = self._next()
            if shown:
                self.calls += 1
                future = self._arms.ask(_together(shown), self._deadline_s)
                future.add_done_callback(partial(self._done, shown))

    def _next(self) -> list[_Shown]:
        """The oldest in time, and those behind it that go into the same call; none where all were too old."""
        now = self._clock.monotonic()
        shown: list[_Shown] = []
        rows = 0
        while self._queue:
            batch, ask, until = self._queue[0]
            if until <= now or self._away(ask.release):
                self._drop()
                continue
            rows += len(ask.places)
            if shown and (rows > self._together or ask.release != shown[0][1].release):
                break
            self._queue.popleft()
            self._rows -= len(ask.places)
            shown.append((batch, ask))
        return shown

    def _away(self, release: str) -> bool:
        process = self._arms.process(release, shadow=True)
        return process is None or not process.alive

    def _drop(self) -> None:
        """The oldest rows give way."""
        _, ask, _ = self._queue.popleft()
        self._rows -= len(ask.places)
        self.dropped += len(ask.places)

    def _done(self, shown: Sequence[_Shown], future: "asyncio.Future[ArmReply | Failure]") -> None:
        self.calls -= 1
        if self._closed:
            self.dropped += sum(len(ask.places) for _, ask in shown)
            return
        if not future.cancelled():
            reply = future.result()
            self._learn(shown, reply)
            if len(shown) > 1 and self._apart == shown[0][1].release:
                until = self._clock.monotonic() + self._deadline_s
                self._queue.extendleft((batch, ask, until) for batch, ask in reversed(shown))
                self._rows += sum(len(ask.places) for _, ask in shown)
            else:
                for (batch, ask), part in zip(shown, _parted(shown, reply), strict=True):
                    self._record(self._core.shadow_done(batch, ask, part))
        if self._gathering is None:
            self._go_on()

    def _learn(self, shown: Sequence[_Shown], reply: ArmReply | Failure) -> None:
        """How many rows go together, and whether any may."""
        release, rows = shown[0][1].release, sum(len(ask.places) for _, ask in shown)
        if isinstance(reply, ArmReply) and len(reply.answers) == rows:
            quick = QUICK_MS / max(reply.service_ms / max(1, rows), QUICK_MS / TOGETHER_ROWS)
            self._together = 1 if release == self._apart else max(1, int(quick))
        elif len(shown) > 1 and (isinstance(reply, ArmReply) or reply.reason in _BY_ONE_ROW):
            self._apart, self._together = release, 1


def _together(shown: Sequence[_Shown]) -> Ask:
    """One question about the rows of all of them."""
    if len(shown) == 1:
        return shown[0][1]
    rows = tuple(row for _, ask in shown for row in ask.rows)
    return Ask(release=shown[0][1].release, role="shadow", places=tuple(range(len(rows))), rows=rows)


def _parted(shown: Sequence[_Shown], reply: ArmReply | Failure) -> list[ArmReply | Failure]:
    """Each one's part of the reply, with its share of the time."""
    if len(shown) == 1 or isinstance(reply, Failure):
        return [reply] * len(shown)
    parts: list[ArmReply | Failure] = []
    start = 0
    for _, ask in shown:
        answers = reply.answers[start : start + len(ask.places)]
        start += len(ask.places)
        parts.append(ArmReply(answers=answers, service_ms=reply.service_ms * len(answers) / len(reply.answers)))
    return parts
