"""Ask links of the fallback chain about rows that have their answer already; leave what is found for the controller."""

import asyncio
from collections.abc import Callable
from functools import partial

from flyball.core.clock import Clock
from flyball.core.facts.fallback import FallbackExercised
from flyball.core.ids import ServiceName
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.batch import Batch, ask_for
from flyball.serving.gateway import Gateway
from flyball.serving.resilience.exercise import Exercise
from flyball.serving.resilience.fallback import PREVIOUS
from flyball.serving.resilience.last_links import by_itself
from flyball.serving.resilience.overload import Overloads
from flyball.serving.routing.assign import mirrored
from flyball.serving.serve.answering.arms import Arms
from flyball.serving.serve.answering.duty import Duty

Leave = Callable[[FallbackExercised], None]


class Exercising:
    """Of one service in one worker."""

    def __init__(
        self, core: Gateway, arms: Arms, overloads: Overloads, exercise: Exercise, clock: Clock, *, deadline_s: float
    ) -> None:
        self._core, self._arms, self._overloads, self._exercise = core, arms, overloads, exercise
        self._clock, self._deadline_s = clock, deadline_s
        self.leave: Leave = lambda _: None  # where findings go; it may wait for the disk
        self.duty = Duty(None)  # whose the exercise is, of several workers
        self._tasks: set[asyncio.Task[None]] = set()

    def offer(self, batch: Batch) -> None:
        """Called after the answer has been sent: perhaps its first row is one for the exercise."""
        own = batch.own[0] if len(batch) else None
        if (
            not isinstance(own, Answer)
            or own.withheld
            or batch.excluded
            or batch.pinned is not None
            or batch.fallback[0] is not None
        ):
            return
        if not self._exercise.links or not mirrored("exercise", batch.ids[0], self._exercise.share):
            return
        link = self._exercise.due(self._clock.now().timestamp())
        if link is None or not self._overloads.limit(batch.routing.champion).open_to("shadow") or not self.duty.mine():
            return
        self._exercise.asked()
        if link != PREVIOUS:
            self._told(own, by_itself(self._core.links, link, batch, 0))
            return
        previous = batch.routing.previous
        if previous is None or previous == batch.routing.champion:
            self._told(own, Failure(reason="dead", message="no previous release is kept"))
            return
        future = self._arms.ask(ask_for(batch, previous, "fallback", [0]), self._deadline_s)
        future.add_done_callback(partial(self._replied, own))

    def _replied(self, own: Answer, future: "asyncio.Future[ArmReply | Failure]") -> None:
        reply = Failure(reason="dead") if future.cancelled() else future.result()
        self._told(own, reply.answers[0] if isinstance(reply, ArmReply) and len(reply.answers) == 1 else _why(reply))

    def _told(self, own: Answer, given: Answer | Failure | None) -> None:
        finding = self._exercise.told(given, own, self._clock.now().timestamp())
        if finding is not None:
            task = asyncio.get_running_loop().create_task(asyncio.to_thread(self.leave, finding))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def exercising(core: Gateway, arms: Arms, overloads: Overloads, clock: Clock) -> Exercising:
    """Of a service, as it declares it."""
    serving = core.service.serving
    asks = PREVIOUS in serving.fallback and serving.idempotent  # the other links ask nobody
    names = dict.fromkeys((*((PREVIOUS,) if asks else ()), *(name for name, _ in core.links)))
    name = ServiceName(core.service.metadata.name)
    exercise = Exercise(name, tuple(names), serving.exercise, serving.shadow.compare)
    return Exercising(core, arms, overloads, exercise, clock, deadline_s=serving.deadline_ms / 1000.0)


def _why(reply: ArmReply | Failure) -> Failure:
    return reply if isinstance(reply, Failure) else Failure(reason="invalid")
