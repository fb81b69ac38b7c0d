"""Requests of one row that came together, answered as one batch of rows that came alone.

Theory of operation. Whatever the event loop read in one turn is here before the next turn begins: those rows become one
batch for each arm that they were assigned to. So the batch adapts by itself: one row where one client asks, as many as
arrived meanwhile where many do, and nobody waits for a neighbour to come. What a batch costs once (a question to the
arm, its timers, a task) is shared by its rows; where the champion is asked in the event loop and no record has to reach
the disk first, there is nothing to wait for, and the batch is answered in that same turn, without any of these.

Rows share nothing but that. Each was accepted by the contract before it came here; the champion's rows never wait for
another arm's; a row that its arm failed is parted from the batch, so that only it waits for its stand-ins. The order
of answers is each connection's own.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any, Protocol

from flyball.core.prediction import ArmName, PredictionRecord
from flyball.serving.batch import Batch
from flyball.serving.serve.answering.champion import TOGETHER_ROWS
from flyball.serving.serve.answering.course import Course
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.answering.turnstile import Turnstile
from flyball.serving.serve.complaints import where_raised

Told = tuple[Batch, int, PredictionRecord]  # a batch, the row's place in it, its record


class Asker(Protocol):
    """Who asked about one row, and is told once."""

    def answered(self, batch: Batch, place: int, record: PredictionRecord) -> None:
        """What it raises is told to `failed`, and to nobody else."""
        ...

    def failed(self, error: BaseException) -> None:
        """What `Served.predict` raises. Told also to one that was answered before: then it says nothing."""
        ...


_Waiting = tuple[dict[str, Any], str, Asker]


class Joined:
    """Of one service in one worker."""

    def __init__(self, served: Served) -> None:
        self.served, self.stile = served, Turnstile(served)
        self._waiting: list[_Waiting] = []
        self._since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> bool:
        """Whether rows are joined now: while the champion answers in a few milliseconds, or none would reach it.
        A slow model's rows come one by one to its limit, which then turns away some of them, not all or none."""
        if self._waiting:
            return True  # it was a moment ago
        routing = self.served.core.routing
        if not self.served.core.service.serving.idempotent:
            return False  # a call that fails for one row would have to be made again for the others
        if routing is None or self.served.refused:
            return False
        return self.served.arms.quick(routing.champion) or self.stile.passes()

    def add(self, row: dict[str, Any], request_id: str, asker: Asker) -> None:
        """One row that the contract has accepted."""
        if not self._waiting:
            self._since = self.served.now()
            asyncio.get_running_loop().call_soon(self._turn)
        self._waiting.append((row, request_id, asker))

    async def predict(self, row: dict[str, Any], request_id: str) -> Told:
        """One row that the contract has accepted. Raises: what `Served.predict` raises."""
        future: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self.add(row, request_id, _Awaiting(future))
        return await future

    def _turn(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            parts = self._by_arm(waiting)
        except BaseException as error:
            _tell_all([asker for _, _, asker in waiting], error)
        else:
            for part in parts:
                start = 0
                while start < len(part):
                    rows = TOGETHER_ROWS if self._together() else 1
                    self._begin(part[start : start + rows])
                    start += rows

    def _together(self) -> bool:
        """Whether rows that wait go on as one batch: asked anew for each, since the first may take the last room."""
        routing = self.served.core.routing
        return routing is not None and (self.served.arms.quick(routing.champion) or self.stile.passes())

    def _by_arm(self, waiting: Sequence[_Waiting]) -> Iterable[Sequence[_Waiting]]:
        self.served.look()  # the table that the rows are parted by is the one that they are assigned by
        arms = self.served.core.arms_of([row for row, _, _ in waiting], [name for _, name, _ in waiting])
        parts: dict[ArmName | None, list[_Waiting]] = {}
        for each, arm in zip(waiting, arms, strict=True):
            parts.setdefault(arm, []).append(each)
        return parts.values()

    def _begin(self, waiting: Sequence[_Waiting]) -> None:
        """Answer them now if nothing has to be waited for, else in a task."""
        rows, names = [row for row, _, _ in waiting], [name for _, name, _ in waiting]
        askers: Sequence[Asker] = [asker for _, _, asker in waiting]
        try:
            course = self.served.begin(rows, request_id=names, started=self._since, joined=True, accepted=True)
            if not self.served.conversation.answered_now(course):
                self._spawn(self._answer(course, askers))
                return
            course, askers = self._parted(course, askers)  # what follows is told to these alone
            records = self.served.end_now(course)
            if records is None:
                self._spawn(self._end(course, askers))
            else:
                self._tell(course, askers, records)
        except BaseException as error:
            _tell_all(askers, error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, course: Course, askers: Sequence[Asker]) -> None:
        try:
            try:
                await self.served.conversation.hold(course, stand_in=False)
            finally:
                course, askers = self._parted(course, askers)
                await self._end(course, askers)
        except BaseException as error:
            _tell_all(askers, error)

    def _parted(self, course: Course, askers: Sequence[Asker]) -> tuple[Course, Sequence[Asker]]:
        """The batch without the rows that need another release; each of those goes its own way."""
        alone = self.served.core.wanting(course.batch)
        if not alone:
            return course, askers
        for place in alone:
            self._spawn(self._stand_in(course.part([place]), [askers[place]]))
        rest = [place for place in range(len(course.batch)) if place not in alone]
        return course.part(rest), [askers[place] for place in rest]

    async def _stand_in(self, course: Course, askers: Sequence[Asker]) -> None:
        try:
            try:
                await self.served.conversation.stand_in(course)
            finally:
                await self._end(course, askers)
        except BaseException as error:
            _tell_all(askers, error)

    async def _end(self, course: Course, askers: Sequence[Asker]) -> None:
        try:
            self._tell(course, askers, await self.served.end(course))
        except BaseException as error:
            _tell_all(askers, error)

    def _tell(self, course: Course, askers: Sequence[Asker], records: Sequence[PredictionRecord]) -> None:
        batch = course.batch
        for place, (asker, record) in enumerate(zip(askers, records, strict=True)):
            try:
                asker.answered(batch, place, record)
            except Exception as error:  # what cannot be told is this asker's own
                _tell_all([asker], error)
        asyncio.get_running_loop().call_soon(self.served.shadow.offer, batch)  # behind the answers


class _Awaiting:
    """An asker that waits in a coroutine, unless its client has gone."""

    __slots__ = ("_future",)

    def __init__(self, future: asyncio.Future[Told]) -> None:
        self._future = future

    def answered(self, batch: Batch, place: int, record: PredictionRecord) -> None:
        if not self._future.done():
            self._future.set_result((batch, place, record))

    def failed(self, error: BaseException) -> None:
        if not self._future.done():
            self._future.set_exception(error)


def _tell_all(askers: Sequence[Asker], error: BaseException) -> None:
    """What was raised is told to each of them, as if it had come alone."""
    for asker in askers:
        try:
            asker.failed(error)
        except Exception as broken:
            words = f"a client cannot be told what became of its request: {where_raised(broken)}"
            asyncio.get_running_loop().call_exception_handler({"message": words})
    if not isinstance(error, Exception):
        raise error
