"""The mirror: bounded whatever the shadow does, the newest rows first, and every row shown, waiting or dropped."""

import asyncio
from typing import Any

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, Told, gateway, routing, row, service

from flyball.adapters.clock import SystemClock
from flyball.core.declared.serving import Compare, Mirroring, Overload
from flyball.core.prediction import Answer, ArmReply, Failure, Predictor, ShadowRecord
from flyball.serving.batch import Ask, Batch
from flyball.serving.gateway import Gateway
from flyball.serving.resilience.overload import Overloads
from flyball.serving.serve.answering.shadow import TOGETHER_ROWS, Shadow


class _Arms:
    """Calls that are answered when the test says so."""

    alive = True

    def __init__(self) -> None:
        self.open: list[tuple[Ask, asyncio.Future[ArmReply | Failure]]] = []

    def process(self, _root: str, *, shadow: bool = False) -> "_Arms | None":
        return self if shadow else None

    def ask(self, ask: Ask, _seconds: float) -> "asyncio.Future[ArmReply | Failure]":
        future: asyncio.Future[ArmReply | Failure] = asyncio.get_running_loop().create_future()
        self.open.append((ask, future))
        return future


class _Mirror:
    def __init__(self, declared: Mirroring, *, deadline_s: float = 60.0) -> None:
        self.arms, self.told = _Arms(), list[ShadowRecord]()
        self.core: Gateway = gateway(service(shadow=declared))
        self.core.route(routing(weight=0, shadow=1.0))
        self.overloads = Overloads(Overload(), deadline_s=1.0)
        self.shadow = Shadow(
            self.core,
            self.arms,  # type: ignore[arg-type]
            self.told.extend,
            self.overloads,
            declared,
            SystemClock(),
            deadline_s=deadline_s,
        )

    def served(self, card: str, **changes: Any) -> Batch:
        batch, asks = self.core.begin([row(card=card, **changes)], request_id="r", at=[1.0])
        for ask in asks:
            self.core.take(batch, ask, Told(CHAMPION, failing=False).predict(ask.rows))
        self.core.finish(batch, ended=0.0)
        return batch

    async def answer(self, reply: ArmReply | Failure) -> None:
        _, future = self.arms.open.pop(0)
        future.set_result(reply)
        await asyncio.sleep(0)


def test_so_many_calls_are_under_way_the_newest_rows_wait_and_the_oldest_are_dropped() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring(concurrency=2, max_rows=3))
        for number in range(10):
            mirror.shadow.offer(mirror.served(f"c{number}"))
        assert [ask.rows[0]["card"] for ask, _ in mirror.arms.open] == ["c0", "c1"]
        assert mirror.shadow.dropped == 5
        while mirror.arms.open:
            await mirror.answer(Told("x", failing=False).predict(mirror.arms.open[0][0].rows))
        assert len(mirror.told) == 5
        assert (mirror.shadow.calls, mirror.shadow.dropped + len(mirror.told)) == (0, 10)
        counts = mirror.core.observe().counts
        assert counts is not None
        assert counts.pairs == 5

    asyncio.run(run())


def quick(rows: int) -> ArmReply:
    return ArmReply(answers=(Answer(prediction=1, score=0.5),) * rows, service_ms=0.01 * rows)


def test_a_quick_shadow_is_shown_rows_of_several_requests_in_one_call_and_each_has_its_share() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring(concurrency=1))
        mirror.shadow.offer(mirror.served("first"))
        await mirror.answer(quick(1))
        for number in range(TOGETHER_ROWS):
            assert not mirror.arms.open, "they wait for one another"
            mirror.shadow.offer(mirror.served(f"c{number}"))
        ((ask, _),) = mirror.arms.open
        assert [one["card"] for one in ask.rows] == [f"c{number}" for number in range(TOGETHER_ROWS)]
        answers = tuple(Answer(prediction=1, score=number / 100) for number in range(TOGETHER_ROWS))
        await mirror.answer(ArmReply(answers=answers, service_ms=3.2))
        assert [record.score for record in mirror.told[1:]] == [number / 100 for number in range(TOGETHER_ROWS)]
        assert {round(record.service_ms, 6) for record in mirror.told[1:]} == {0.1}
        mirror.shadow.offer(mirror.served("alone"))
        while not mirror.arms.open:
            await asyncio.sleep(0.001)  # nobody else comes: it has waited its moment

    asyncio.run(run())


def test_a_slow_shadow_is_shown_each_request_by_itself() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring(concurrency=2))
        mirror.shadow.offer(mirror.served("first"))
        await mirror.answer(ArmReply(answers=quick(1).answers, service_ms=50.0))
        for number in range(2):
            mirror.shadow.offer(mirror.served(f"c{number}"))
        assert [len(ask.rows) for ask, _ in mirror.arms.open] == [1, 1]

    asyncio.run(run())


@pytest.mark.parametrize(
    "failing",
    [
        Failure(reason="exception"),
        Failure(reason="invalid"),
        Failure(reason="deadline"),
        Failure(reason="dead"),  # and there is another process already
        quick(3),
    ],
)
def test_a_call_that_fails_as_a_whole_is_the_error_of_those_alone_that_fail_by_themselves(
    failing: ArmReply | Failure,
) -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring(concurrency=1))
        mirror.shadow.offer(mirror.served("first"))
        await mirror.answer(quick(1))
        cards = [f"c{number}" for number in range(TOGETHER_ROWS)]
        for card in cards:
            mirror.shadow.offer(mirror.served(card))
        await mirror.answer(failing)
        while mirror.arms.open:
            ask, _ = mirror.arms.open[0]
            (one,) = ask.rows
            await mirror.answer(Failure(reason="exception") if one["card"] == "c7" else quick(1))
        assert [record.error for record in mirror.told[1:]] == [card == "c7" for card in cards]
        mirror.shadow.offer(mirror.served("later"))
        assert mirror.arms.open, "from now on each is shown by itself"

    asyncio.run(run())


def test_rows_whose_call_ended_the_shadow_s_process_are_dropped_until_one_is_known_to_do_it() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring(concurrency=1))
        mirror.shadow.offer(mirror.served("first"))
        await mirror.answer(quick(1))
        for number in range(TOGETHER_ROWS):
            mirror.shadow.offer(mirror.served(f"c{number}"))
        mirror.arms.alive = False
        await mirror.answer(Failure(reason="dead"))
        assert (len(mirror.told), mirror.shadow.dropped, mirror.arms.open) == (1, TOGETHER_ROWS, [])
        mirror.arms.alive = True
        mirror.shadow.offer(mirror.served("alone"))
        await mirror.answer(Failure(reason="dead"))
        assert [record.error for record in mirror.told] == [False, True]

    asyncio.run(run())


def test_what_waits_or_is_under_way_when_the_service_ends_is_dropped_and_no_error() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring(concurrency=1))
        for card in ("shown", "waits"):
            mirror.shadow.offer(mirror.served(card))
        mirror.shadow.close()
        mirror.shadow.offer(mirror.served("late"))
        assert mirror.shadow.dropped == 2
        await mirror.answer(Failure(reason="dead"))
        assert (mirror.told, mirror.arms.open, mirror.shadow.dropped, mirror.shadow.calls) == ([], [], 3, 0)
        counts = mirror.core.observe().counts
        assert counts is not None
        assert counts.pairs == 0

    asyncio.run(run())


def test_a_shadow_that_hangs_is_an_error_of_the_candidate_and_rows_that_grew_old_are_only_dropped() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring(concurrency=1), deadline_s=0.0)
        mirror.shadow._deadline_s = 60.0
        mirror.shadow.offer(mirror.served("c0"))
        mirror.shadow._deadline_s = -1.0
        mirror.shadow.offer(mirror.served("c1"))
        await mirror.answer(Failure(reason="deadline"))
        assert [record.error for record in mirror.told] == [True]
        assert (mirror.shadow.dropped, mirror.arms.open) == (1, [])

    asyncio.run(run())


def test_under_pressure_and_without_a_process_nothing_is_shown() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring())
        mirror.overloads.limit(CHAMPION).begin(60)
        mirror.shadow.offer(mirror.served("c0"))
        mirror.overloads.limit(CHAMPION).end(60, 0.0, 1.0)
        mirror.arms.alive = False
        mirror.shadow.offer(mirror.served("c1"))
        assert (mirror.shadow.dropped, mirror.arms.open) == (2, [])

    asyncio.run(run())


def test_rows_whose_shadow_died_before_they_were_shown_are_dropped_and_no_errors() -> None:
    async def run() -> None:
        mirror = _Mirror(Mirroring())
        mirror.shadow.offer(mirror.served("first"))
        await mirror.answer(quick(1))
        mirror.shadow.offer(mirror.served("waits"))
        mirror.arms.alive = False
        while not mirror.shadow.dropped:
            await asyncio.sleep(0.001)
        assert (len(mirror.told), mirror.arms.open) == (1, [])

    asyncio.run(run())


def test_what_agrees_is_what_the_service_declares_and_stands_in_the_record() -> None:
    async def run() -> None:
        for tolerance, agrees in ((0.5, True), (0.1, False)):
            mirror = _Mirror(Mirroring(compare=Compare(kind="absolute", tolerance=tolerance)))
            mirror.shadow.offer(mirror.served("c0", amount=100.0))
            await mirror.answer(Told("x").predict([row(amount=400.0)]))
            assert [record.agrees for record in mirror.told] == [agrees]
            counts = mirror.core.observe().counts
            assert counts is not None
            assert counts.disagreements == (not agrees)

    asyncio.run(run())


@pytest.mark.parametrize(("rps", "workers", "all_shown"), [(8, 1, True), (8, 2, False), (4, 2, True), (12, 1, False)])
def test_a_service_is_quiet_by_what_all_its_workers_get_together(rps: int, workers: int, all_shown: bool) -> None:
    core = gateway(workers=workers)  # this one gets `rps` rows a second, and so does each of the others
    core.route(routing(weight=0, shadow=0.05))
    models: dict[str, Predictor] = {CHAMPION: Told(CHAMPION), CANDIDATE: Told(CANDIDATE)}
    for number in range(20 * rps):
        _, shown = core.answer([row(card=f"c{number}")], models, [number / rps], "r")
        if number >= 10 * rps and not shown:
            assert not all_shown
            return
    assert all_shown
