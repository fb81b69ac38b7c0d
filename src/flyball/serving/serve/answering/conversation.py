"""What is asked of the arms about one batch, and of their stand-ins: who, until when, and what the queue says."""

import asyncio
from typing import Any

from flyball.core.clock import Clock
from flyball.core.prediction import ArmReply, Failure
from flyball.serving.batch import Ask, Batch
from flyball.serving.gateway import Gateway
from flyball.serving.resilience.overload import Overloads, waited
from flyball.serving.resilience.retry_budget import Budget, repeated
from flyball.serving.serve.answering.arms import Arms
from flyball.serving.serve.answering.course import Course


class Conversation:
    """Of one service in one worker; it keeps nothing of a batch."""

    def __init__(self, core: Gateway, arms: Arms, overloads: Overloads, retries: Budget, clock: Clock) -> None:
        self._core, self._arms, self._overloads, self._retries, self._clock = core, arms, overloads, retries, clock

    def answered_now(self, course: Course) -> bool:
        """Ask the arms where all of them answer at once, and take what they say. False: nobody was asked."""
        batch, asks = course.batch, course.asks
        if len(asks) != 1:
            return not asks
        (ask,) = asks
        since = self._clock.monotonic()
        reply = self._arms.ask_now(ask, course.deadline - since)
        if reply is None:
            return False
        now, rows, limit = self._clock.monotonic(), len(ask.places), self._overloads.limit(ask.release)
        queued_s = waited(reply, now - since)
        limit.begin(rows, since)
        if isinstance(reply, ArmReply):
            limit.heard(now)
        limit.end(rows, queued_s, now)
        if queued_s is not None:
            for place in ask.places:
                batch.queue_ms[place] = queued_s * 1000.0
        self._core.take(batch, ask, reply)
        return True

    async def hold(self, course: Course, *, stand_in: bool = True) -> None:
        """Ask the arms; from half the deadline on their stand-ins too, so that a hang is answered in time.

        `stand_in`: ask also, in the end, in place of arms that have failed.
        """
        core, batch, deadline = self._core, course.batch, course.deadline
        loop = asyncio.get_running_loop()
        hedges: list[tuple[Ask, asyncio.Future[Any]]] = []

        def hedge() -> None:
            left = deadline - self._clock.monotonic()
            hedges.extend((ask, self._ask(batch, ask, left)) for ask in self._afforded(batch))

        left = deadline - self._clock.monotonic()
        waiting = [(ask, self._ask(batch, ask, left)) for ask in course.asks]
        timer = None if all(future.done() for _, future in waiting) else loop.call_later(left / 2, hedge)
        try:
            for ask, future in waiting:
                core.take(batch, ask, await future)
        finally:
            if timer is not None:
                timer.cancel()
        for ask, future in hedges:
            # the stand-in that was asked in vain has had the same deadline: it is done
            core.take(batch, ask, await future)
        if stand_in:
            await self.stand_in(course)

    async def stand_in(self, course: Course) -> None:
        """Ask in place of arms that have failed, one after the other."""
        core, batch, deadline = self._core, course.batch, course.deadline
        while (stand_ins := self._afforded(batch)) and (left := deadline - self._clock.monotonic()) > 0:
            for ask, future in [(ask, self._ask(batch, ask, left)) for ask in stand_ins]:
                core.take(batch, ask, await future)

    def _afforded(self, batch: Batch) -> list[Ask]:
        """The stand-ins to ask next, as far as the retry budget goes."""
        return [ask for ask in self._core.stand_ins(batch) if self._retries.spend(repeated(batch, ask))]

    def _ask(self, batch: Batch, ask: Ask, seconds: float) -> "asyncio.Future[ArmReply | Failure]":
        """Ask an arm; its limit and the records see how long the rows waited. One that answers at once has no queue."""
        limit, rows, since = self._overloads.limit(ask.release), len(ask.places), self._clock.monotonic()
        limit.begin(rows, since)
        future = self._arms.ask(ask, seconds)

        def over(done: "asyncio.Future[ArmReply | Failure]") -> None:
            now = self._clock.monotonic()
            if not done.cancelled() and isinstance(done.result(), ArmReply):
                limit.heard(now)
            queued_s = None if done.cancelled() else waited(done.result(), now - since)
            limit.end(rows, queued_s, now)
            if queued_s is not None and ask.role != "fallback":
                for place in ask.places:
                    batch.queue_ms[place] = queued_s * 1000.0

        if future.done():
            over(future)  # a callback would run a turn later, and rows that come meanwhile would be turned away
        else:
            future.add_done_callback(over)
        return future
