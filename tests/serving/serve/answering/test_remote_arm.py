"""A model that is elsewhere: many questions under way, one reply each, and nobody waits for a server that is away."""

import asyncio
from collections.abc import Callable, Sequence
from threading import Event
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.adapters.clock import SystemClock
from flyball.core.errors import Untrusted
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.serve.answering import remote_arm
from flyball.serving.serve.answering.champion import TOGETHER_ROWS
from flyball.serving.serve.answering.remote_arm import RemoteArm, RemoteChampion

Reply = ArmReply | Failure
CLOCK = SystemClock()
FAR = 1e9


def replied(rows: Sequence[dict[str, Any]]) -> ArmReply:
    return ArmReply(answers=tuple(Answer(prediction=row["n"]) for row in rows), service_ms=10.0)


class Elsewhere:
    """`core.prediction.Asking` that answers when it is told to."""

    def __init__(self, *, connections: int = 3, at_once: bool = True, once: bool = False) -> None:
        self.release, self.connections, self.once = "sha256:aa", connections, once
        self.asked: list[list[int]] = []
        self.seconds: list[float] = []
        self.under_way = self.most = 0
        self.why, self.other_model = "", False
        self.closed = False
        self._at_once, self._free = at_once, asyncio.Condition()
        self.tickets = 0

    async def answer(self, rows: Sequence[dict[str, Any]], seconds: float) -> Reply:
        self.asked.append([row["n"] for row in rows])
        self.seconds.append(seconds)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if not self._at_once:
                async with self._free:
                    await self._free.wait_for(lambda: self.tickets > 0)
                    self.tickets -= 1
            if any(row.get("fails") for row in rows):
                return Failure(reason="exception", message="it fails")
            if any(row.get("raises") for row in rows):
                raise RuntimeError("a fault of ours")
            return replied(rows)
        finally:
            self.under_way -= 1

    async def let(self, questions: int) -> None:
        async with self._free:
            self.tickets += questions
            self._free.notify_all()

    async def away(self) -> str:
        return self.why

    def verify(self) -> None:
        if self.other_model:
            raise Untrusted("other answers")

    async def close(self) -> None:
        self.closed = True


class Told:
    """Replies by the number of the question."""

    def __init__(self) -> None:
        self.replies: dict[int, list[Reply]] = {}

    def to(self, number: int) -> Callable[[Reply], None]:
        return lambda reply: self.replies.setdefault(number, []).append(reply)

    def one(self, number: int) -> Reply:
        (reply,) = self.replies[number]
        return reply


async def until(happened: Callable[[], bool]) -> None:
    while not happened():
        await asyncio.sleep(0.001)


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{"n": n} for n in numbers]


@pytest.fixture(autouse=True)
def watched_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_arm, "AGAIN_S", 0.001)
    monkeypatch.setattr(remote_arm, "WATCH_S", 0.01)


@settings(max_examples=40)
@given(
    sizes=st.lists(st.integers(0, 5), max_size=25),
    connections=st.integers(1, 4),
    steps=st.lists(st.integers(1, 4), max_size=6),
)
def test_every_question_has_one_reply_of_its_own_rows(sizes: list[int], connections: int, steps: list[int]) -> None:
    async def story() -> None:
        there, told = Elsewhere(connections=connections, at_once=False), Told()
        arm = RemoteArm(there, CLOCK, print)
        wanted: dict[int, list[int]] = {}
        for number, size in enumerate(sizes):
            wanted[number] = [100 * number + at for at in range(size)]
            arm.ask(rows(*wanted[number]), told.to(number), FAR)
            if steps and number % 5 == 4:
                await there.let(steps[number % len(steps)])
        await there.let(1000)
        await until(lambda: len(told.replies) == len(sizes))
        await arm.close()
        for number in wanted:
            reply = told.one(number)
            assert isinstance(reply, ArmReply)
            assert [answer.prediction for answer in reply.answers if isinstance(answer, Answer)] == wanted[number]
        assert there.most <= connections
        assert there.closed

    asyncio.run(story())


@given(sizes=st.lists(st.integers(0, 3), min_size=1, max_size=9))
def test_where_a_row_is_asked_once_each_question_goes_out_alone(sizes: list[int]) -> None:
    async def story() -> None:
        there, told = Elsewhere(connections=1, once=True), Told()
        arm = RemoteArm(there, CLOCK, print)
        wanted = [[10 * number + at for at in range(size)] for number, size in enumerate(sizes)]
        for number, question in enumerate(wanted):
            arm.ask(rows(*question), told.to(number), FAR)
        await until(lambda: len(told.replies) == len(sizes))
        await arm.close()
        # questions of nothing fail nobody, and may go out together
        assert [question for question in there.asked if question] == [question for question in wanted if question]

    asyncio.run(story())


def test_free_connections_are_used_at_once_and_what_waits_goes_out_together() -> None:
    async def story() -> None:
        there, told = Elsewhere(connections=2, at_once=False), Told()
        arm = RemoteArm(there, CLOCK, print)
        for number in range(5):
            arm.ask(rows(number), told.to(number), FAR)
        await until(lambda: there.under_way == 2)
        assert there.asked == [[0], [1]]
        await there.let(1)
        await until(lambda: len(there.asked) == 3)
        assert there.asked[2] == [2, 3, 4]
        await there.let(2)
        await until(lambda: len(told.replies) == 5)
        shares = [told.one(number).service_ms for number in range(5)]  # type: ignore[union-attr]
        assert shares == [10.0, 10.0, pytest.approx(10 / 3), pytest.approx(10 / 3), pytest.approx(10 / 3)]
        await arm.close()

    asyncio.run(story())


def test_a_call_has_a_bound_of_rows_and_the_time_of_the_most_patient() -> None:
    async def story() -> None:
        there, told = Elsewhere(connections=1, at_once=False), Told()
        arm = RemoteArm(there, CLOCK, print)
        now = CLOCK.monotonic()
        arm.ask(rows(0), told.to(0), now + 100)
        for number, left in ((1, 50.0), (2, 200.0), (3, -1.0)):
            arm.ask(rows(*range(TOGETHER_ROWS // 2)), told.to(number), now + left)
        await there.let(3)
        await until(lambda: len(told.replies) == 4)
        assert [len(asked) for asked in there.asked] == [1, TOGETHER_ROWS]
        assert there.seconds[1] == pytest.approx(200.0, abs=20.0)
        late = told.one(3)  # nobody waits for it any more: it was never sent
        assert isinstance(late, Failure)
        assert late.reason == "deadline"
        await arm.close()

    asyncio.run(story())


@pytest.mark.parametrize("wrong", ["fails", "raises"])
def test_what_fails_fails_for_those_who_asked_it_together_and_for_nobody_else(wrong: str) -> None:
    async def story() -> None:
        there, told = Elsewhere(connections=2), Told()
        arm = RemoteArm(there, CLOCK, print)
        arm.ask([{"n": 1, wrong: True}], told.to(1), FAR)
        arm.ask(rows(2), told.to(2), FAR)
        await until(lambda: len(told.replies) == 2)
        assert isinstance(told.one(1), Failure)
        assert told.one(2) == replied(rows(2))
        await arm.close()

    asyncio.run(story())


def test_a_server_that_is_away_twice_is_asked_nothing_until_it_answers_as_it_was_judged() -> None:
    said: list[str] = []

    async def story() -> None:
        there, told = Elsewhere(), Told()
        arm = RemoteArm(there, CLOCK, said.append)
        there.why = "status 503"
        await until(lambda: arm.away)
        arm.ask(rows(1), told.to(1), FAR)
        refused = told.one(1)  # at once
        assert isinstance(refused, Failure)
        assert (refused.reason, there.asked) == ("open", [])
        assert "status 503" in refused.message
        there.other_model, there.why = True, ""
        await until(lambda: "other answers" in str(arm._away))
        there.other_model = False
        await until(lambda: not arm.away)
        arm.ask(rows(2), told.to(2), FAR)
        await until(lambda: 2 in told.replies)
        assert told.one(2) == replied(rows(2))
        await arm.close()

    asyncio.run(story())
    assert len(said) == 1
    assert "is not asked: status 503" in said[0]


def test_one_no_opens_nothing() -> None:
    async def story() -> None:
        there = Elsewhere()
        looks = iter(["busy", "", "", "busy", "", ""])
        seen: list[bool] = []

        async def away() -> str:
            seen.append(arm.away)
            return next(looks, "")

        there.away = away  # type: ignore[method-assign]
        arm = RemoteArm(there, CLOCK, print)
        await until(lambda: len(seen) > 6)
        assert not any(seen)
        await arm.close()

    asyncio.run(story())


def test_a_champion_elsewhere_answers_from_a_thread_of_its_own_and_ends_when_all_is_answered() -> None:
    async def story() -> None:
        there, told = Elsewhere(connections=4), Told()
        arm = await RemoteChampion.started(there, CLOCK, print, stuck_s=60.0)
        assert (arm.release, arm.quick, arm.away) == ("sha256:aa", False, False)
        for number in range(50):
            arm.ask(rows(number), told.to(number), FAR)
        arm.close()
        await until(lambda: len(told.replies) == 50 and there.closed)
        assert all(told.one(number) == replied(rows(number)) or number for number in range(50))

    asyncio.run(story())


def test_features_that_hang_hold_their_thread_and_nobody_else() -> None:
    free = Event()

    class Hanging(Elsewhere):
        async def answer(self, rows: Sequence[dict[str, Any]], seconds: float) -> Reply:
            await asyncio.to_thread(lambda: None)
            free.wait(60)  # code of a service that never gives the loop back
            return await super().answer(rows, seconds)

    async def story() -> None:
        there, told = Hanging(), Told()
        arm = await RemoteChampion.started(there, CLOCK, print, stuck_s=0.05)
        arm.ask(rows(1), told.to(1), FAR)
        numbers = iter(range(2, 10_000))

        def stuck() -> bool:
            number = next(numbers)
            arm.ask(rows(number), told.to(number), FAR)
            return any("busy" in reply.message for [reply] in told.replies.values() if isinstance(reply, Failure))

        await until(stuck)
        free.set()
        await until(lambda: 1 in told.replies)
        arm.close()

    asyncio.run(story())
