"""A drill on a running service strikes the drill's own rows, holds up nobody beside them, and ends by the clock."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from tests.serving.leaps import Leaping
from tests.serving.stage import PATIENCE_S

from flyball.adapters.drill_word import DrillWord
from flyball.app.drills.lease import put
from flyball.core.drill_lease import DrillLease
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.serve.answering.arms import LATE
from flyball.serving.serve.answering.champion import InProcess
from flyball.serving.serve.answering.struck import MB, StruckChampion

LONG_S = 100.0  # leapt over where it is to pass
MINE, OTHERS = {"card": "drill-001", "amount": 1.0}, {"card": "c-1", "amount": 2.0}
Reply = ArmReply | Failure


class Model:
    """Answers each row by its amount, at once."""

    release = "sha256:aa"

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        return ArmReply(answers=tuple(Answer(prediction=row["amount"]) for row in rows), service_ms=1.0)


def word(fault: str, **more: Any) -> DrillLease:
    more = {"until": time.time() + 60, "release": Model.release, "column": "card", **more}
    return DrillLease(drill="dr-1", fault=fault, service="shop", share=0.05, driver=os.getpid(), **more)


class Struck:
    """A champion of a real thread under the word of a file."""

    def __init__(self, place: Path, *, bounded: bool = True) -> None:
        self.place, self.clock = place, Leaping()
        inner = InProcess(Model(), self.clock, stuck_s=10 * LONG_S, bounded=bounded)
        self.champion = StruckChampion(inner, DrillWord(place, "shop", look_s=0.0), self.clock)

    def asked(self, *rows: dict[str, Any], seconds: float = 2 * LONG_S) -> "asyncio.Future[tuple[Reply, float]]":
        """The reply, and after how many seconds it came."""
        now = self.clock.monotonic
        began, future = now(), asyncio.get_running_loop().create_future()
        self.champion.ask(rows, lambda reply: future.set_result((reply, now() - began)), began + seconds)
        return future


def told(place: Path, story: Callable[[Struck], Awaitable[None]]) -> None:
    async def within() -> None:
        struck = Struck(place)
        try:
            await asyncio.wait_for(story(struck), 2 * LONG_S + PATIENCE_S)
        finally:
            struck.champion.close()

    asyncio.run(within())


def test_without_a_word_and_of_another_release_nothing_is_struck(tmp_path: Path) -> None:
    async def story(struck: Struck) -> None:
        for said in (
            None,
            word("latency", release="", slow_s=LONG_S),
            word("latency", release="sha256:bb", slow_s=LONG_S),
        ):
            if said is not None:
                put(struck.place, said)
            reply, seconds = await struck.asked(MINE)
            assert isinstance(reply, ArmReply)
            assert (reply.service_ms, seconds < LONG_S) == (1.0, True)

    told(tmp_path / "drill.json", story)


def test_a_slow_answer_is_slow_by_its_own_time_and_those_beside_it_are_not(tmp_path: Path) -> None:
    async def story(struck: Struck) -> None:
        put(struck.place, word("latency", slow_s=LONG_S))
        mine, others = struck.asked(MINE), struck.asked(OTHERS)
        beside, at_once = await others
        await struck.clock.leap(LONG_S)
        reply, seconds = await mine
        assert isinstance(reply, ArmReply)
        assert isinstance(beside, ArmReply)
        assert reply.answers == (Answer(prediction=1.0),)
        assert reply.service_ms > 1e3 * LONG_S > 1.0 >= beside.service_ms
        assert seconds >= LONG_S > at_once

    told(tmp_path / "drill.json", story)


def test_a_stall_is_late_at_its_deadline_and_those_beside_it_are_answered(tmp_path: Path) -> None:
    async def story(struck: Struck) -> None:
        put(struck.place, word("upstream_stall"))
        mine, others = struck.asked(MINE, seconds=LONG_S), struck.asked(OTHERS)
        assert isinstance((await others)[0], ArmReply)
        assert not mine.done()
        await struck.clock.leap(LONG_S)
        reply, seconds = await mine
        assert (reply, seconds >= LONG_S) == (LATE, True)
        both = struck.asked(OTHERS, MINE, seconds=LONG_S)
        await struck.clock.leap(LONG_S)
        together, _ = await both
        assert together == LATE  # who shares a request with a struck row shares its fate

    told(tmp_path / "drill.json", story)


def test_what_leaks_is_bounded_and_given_back_at_the_end_with_nobody_there(tmp_path: Path) -> None:
    """The driver is gone, nobody asks any more: the time of the word is enough."""

    async def story(struck: Struck) -> None:
        put(struck.place, word("memory_leak", leak_mb=1, most_mb=3))
        for _ in range(5):
            await struck.asked(MINE)
        await struck.asked(OTHERS)
        assert struck.champion.leaked == 3 * MB
        put(struck.place, word("memory_leak", leak_mb=1, most_mb=3, until=time.time() + 0.1))
        async with asyncio.timeout(PATIENCE_S):
            while struck.champion.leaked:
                await asyncio.sleep(0.05)

    told(tmp_path / "drill.json", story)


@pytest.mark.parametrize("fault", ["latency", "upstream_stall", "memory_leak"])
def test_a_word_is_over_at_its_time_and_at_once_when_it_is_taken_away(tmp_path: Path, fault: str) -> None:
    async def story(struck: Struck) -> None:
        for taken_away in (False, True):
            put(struck.place, word(fault, slow_s=LONG_S, leak_mb=1, most_mb=3))
            assert not struck.champion.quick  # no requests are put together while it strikes
            if taken_away:
                struck.place.unlink()
            else:
                put(struck.place, word(fault, until=time.time() - 0.001))
            reply, _ = await struck.asked(MINE)
            assert isinstance(reply, ArmReply)
            assert (reply.service_ms, struck.champion.leaked) == (1.0, 0)
            assert struck.champion.quick

    told(tmp_path / "drill.json", story)


def test_without_a_key_that_is_a_text_a_share_of_all_rows_is_struck() -> None:
    rows = [{"amount": float(number)} for number in range(20_000)]
    said = word("latency", column="")
    share = sum(map(said.strikes, rows)) / len(rows)
    assert 0.04 < share < 0.06
    assert said.strikes({"a": 1, "b": 2}) == said.strikes({"b": 2, "a": 1})
    assert not any(replace(said, share=0.0).strikes(row) for row in rows)


def test_a_word_is_of_one_service_and_is_looked_at_now_and_then(tmp_path: Path) -> None:
    place = tmp_path / "drill.json"
    put(place, word("latency"))
    assert DrillWord(place, "loan")() is None
    seldom = DrillWord(place, "shop", look_s=3600.0)
    assert seldom() is not None
    place.unlink()
    assert seldom() is not None  # the file was not looked at again
    place.write_text("{")
    assert DrillWord(place, "shop")() is None
