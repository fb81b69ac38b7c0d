"""No weight moves to a release that could not carry it, and nothing stands in the way back."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CANDIDATE, CHAMPION, PREVIOUS, SPLITS, Told, routing, row, split
from tests.serving.serve.workers.test_supervisor import Nowhere, roll_back, shop

from flyball.adapters.clock import SystemClock
from flyball.core.errors import Unavailable
from flyball.core.ids import Epoch
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.core.routing import Routing
from flyball.serving.routing.capacity import HEADROOM, lifted, too_little
from flyball.serving.routing.trial_length import BATCH_S, CAP_S, LEAST, PRECISION, Rate
from flyball.serving.serve.answering.served import Served
from flyball.serving.serve.answering.trial import rate_found
from flyball.serving.serve.workers.body import OneProcess
from flyball.serving.serve.workers.supervisor import Supervisor


class Paced(Nowhere):
    """Arm processes that take a moment for each question, one after the other, and the clock by which they do."""

    def __init__(self, service_s: float) -> None:
        self.service_s, self.asked, self.at_s = service_s, 0, 0.0

    def monotonic(self) -> float:
        return self.at_s

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at_s, UTC)

    def shop(self) -> Served:
        """A service of such arms, whose trials go by their clock."""
        served = shop(self)
        served.clock = self
        return served

    async def process(self, root: str, *, patient: bool) -> object:
        start = self

        class Arm:
            release, alive, loaded = root, True, True

            def ask(
                self, rows: Sequence[dict[str, Any]], deliver: Callable[[ArmReply | Failure], None], until: float
            ) -> None:
                def answer() -> None:
                    start.at_s += start.service_s
                    deliver(Told(root).predict(rows))

                start.asked += len(rows)
                asyncio.get_running_loop().call_soon(answer)

            def end_if_hung(self) -> None:
                return

            async def drained(self) -> None:
                return

            async def close(self) -> None:
                return

        return Arm()


def test_a_weight_moves_only_to_a_release_that_can_carry_it_and_back_without_a_question(tmp_path: Path) -> None:
    async def story() -> None:
        start = Paced(0.01)  # a hundred rows a second
        served = start.shop()
        body = OneProcess(served)
        supervisor = Supervisor({"shop": body}, {"shop": tmp_path / "shop"}, roll_back, SystemClock(), print)
        quiet = routing(weight=0, guardrails=None)
        await supervisor.apply("warm", quiet)
        assert start.asked == 0  # nothing moves
        for second in range(11):  # 200 rows a second, told by their own times
            served.core.begin([row()] * 200, request_id="r", at=[float(second)] * 200)
        served.recent.append(row())
        with pytest.raises(Unavailable, match="no weight moves"):
            await supervisor.apply("all", routing(weight=10_000, guardrails=None, epoch=Epoch(2)))
        assert served.core.routing == quiet
        assert start.asked > 0
        small = routing(weight=1000, guardrails=None, epoch=Epoch(2))
        await supervisor.apply("some", small)  # 26 rows a second are to come
        assert served.core.routing == small
        asked, start.service_s = start.asked, 60.0
        back = routing(weight=0, guardrails=None, epoch=Epoch(3))
        await supervisor.apply("back", back)
        assert (served.core.routing, start.asked) == (back, asked)
        await served.arms.close()

    asyncio.run(story())


ARMS = st.sampled_from([CHAMPION, CANDIDATE, PREVIOUS])


def tables(epoch: int) -> st.SearchStrategy[Routing]:
    return st.builds(
        lambda champion, previous, candidate, weight: routing(
            champion=champion, previous=previous, candidate=candidate, weight=weight, epoch=Epoch(epoch)
        ),
        ARMS,
        st.none() | ARMS,
        st.none() | ARMS,
        st.integers(0, 10_000),
    )


@given(tables(1), tables(2))
def test_only_more_traffic_is_tried(before: Routing, after: Routing) -> None:
    found = lifted(before, after)
    assert len(found) <= 1
    for release, share in found.items():
        if after.champion == before.champion:
            assert (release, share) == (after.candidate, after.weight / 10_000)
            assert before.candidate != release or before.weight < after.weight
        else:
            assert (release, share) == (after.champion, 1.0)
            assert release != before.previous


@given(SPLITS, SPLITS)
def test_of_the_arms_of_a_test_those_are_tried_that_grow(before: tuple[int, ...], after: tuple[int, ...]) -> None:
    grown = {
        arm.release: new / 10_000 for arm, old, new in zip(split(*after).arms, before, after, strict=True) if new > old
    }
    assert lifted(split(*before), split(*after)) == grown
    assert lifted(split(*before), routing(candidate=None, rollout=None)) == {}


@given(st.floats(0, 1e5), st.floats(0, 1), st.floats(0, 1e5))
def test_enough_is_the_share_to_come_and_the_headroom(rows_s: float, share: float, rate: float) -> None:
    found = Rate(rows_s=rows_s, half_width=inf, took_s=2.0)
    assert (too_little("r", found, share=share, rate_rps=rate) is None) == (rows_s >= share * rate * HEADROOM)


class Answering:
    """Answers a row each so many seconds of its own clock, `at_once` of them together; dies after some."""

    def __init__(self, row_s: float, at_once: int = 1, dies_after: int | None = None) -> None:
        self.row_s, self.at_once, self.dies_after, self.now, self.asked = row_s, at_once, dies_after, 0.0, 0
        self._waiting: list[Callable[[ArmReply | Failure], None]] = []

    def monotonic(self) -> float:
        return self.now

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Callable[[ArmReply | Failure], None], until: float) -> None:
        self.asked += 1
        if self.dies_after is not None and self.asked > self.dies_after:
            deliver(Failure(reason="dead"))
            return
        self._waiting.append(deliver)
        if len(self._waiting) == self.at_once:
            asyncio.get_running_loop().call_soon(self._answer)

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.now += self.row_s * len(waiting)
        for deliver in waiting:
            deliver(ArmReply(answers=(Answer(prediction=1),), service_ms=1.0))


def found(release: Answering) -> Rate:
    async def story() -> Rate:
        return await rate_found(lambda: release, [row()], release)  # type: ignore[arg-type] # its clock is its own

    return asyncio.run(story())


@pytest.mark.parametrize("at_once", [1, 4, 16])
@pytest.mark.parametrize("rows_s", [5.0, 200.0, 4000.0])
def test_a_steady_release_is_known_after_eight_batches_and_a_slow_one_when_its_time_is_up(
    rows_s: float, at_once: int
) -> None:
    rate = found(Answering(1 / rows_s, at_once))
    assert rate.rows_s == pytest.approx(rows_s, rel=0.35 if rows_s == 5.0 else 0.1)
    assert LEAST * BATCH_S <= rate.took_s <= CAP_S + 16 / rows_s + BATCH_S
    assert rate.half_width <= PRECISION * rate.rows_s or rate.took_s >= CAP_S


class Leaving(Paced):
    """Arm processes that answer nobody once they have left, and may start in the middle of a trial."""

    async def process(self, root: str, *, patient: bool) -> object:
        arm: Any = await super().process(root, patient=patient)
        asked = arm.ask

        def ask(rows: Sequence[dict[str, Any]], deliver: Callable[[ArmReply | Failure], None], until: float) -> None:
            if arm.left:
                deliver(Failure(reason="dead"))
            else:
                asked(rows, deliver, until)

        async def close() -> None:
            arm.left = True

        arm.left, arm.ask, arm.close = False, ask, close
        return arm


def test_an_arm_that_makes_room_in_the_middle_of_its_trial_is_followed_by_the_fresh_one() -> None:
    async def story() -> None:
        start = Leaving(0.0005)
        served = start.shop()
        quiet, raised = routing(weight=0, guardrails=None), routing(weight=5000, guardrails=None, epoch=Epoch(2))
        body = OneProcess(served)
        await body.prepare(quiet)
        body.follow(quiet, None)
        served.recent.append(row())
        served.core._rate.rps = 10.0
        worn = served.arms.process(CANDIDATE)
        assert worn is not None
        order = asyncio.create_task(body.prepare(raised))
        while start.asked < 50 and not order.done():
            await asyncio.sleep(0)
        assert await served.arms.renew(worn)
        before = start.asked
        await order  # and is not refused
        assert start.asked > before
        await served.arms.close()

    asyncio.run(story())


def test_no_arm_begins_to_make_room_from_an_order_to_the_end_of_it() -> None:
    async def story() -> None:
        served = Paced(0.0001).shop()
        arms = served.arms
        quiet, raised = routing(weight=0, guardrails=None), routing(weight=5000, guardrails=None, epoch=Epoch(2))
        body, seen = OneProcess(served), [arms.expecting]
        await body.prepare(quiet)
        seen.append(arms.expecting)
        body.follow(quiet, None)
        seen.append(arms.expecting)
        await body.prepare(raised)
        seen.append(arms.expecting)
        await body.forget()
        seen.append(arms.expecting)
        await body.prepare(raised)
        seen.append(arms.expecting)
        await body.settle()  # of an order before
        seen.append(arms.expecting)
        assert seen == [False, True, False, True, False, True, False]
        await arms.close()

    asyncio.run(story())


def test_one_that_dies_of_the_trial_answers_nothing() -> None:
    rate = found(Answering(0.001, dies_after=400))
    assert (rate.rows_s, rate.surely) == (0.0, 0.0)
    assert too_little("r", rate, share=0.1, rate_rps=1.0) is not None
