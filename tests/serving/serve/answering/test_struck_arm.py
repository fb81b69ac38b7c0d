"""The candidate of a drill raises for the drill's rows alone, in a real process, while the drill's word says so."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.serving.stage import LOADER, PATIENCE_S

from flyball.adapters.clock import SystemClock
from flyball.adapters.drill_word import DrillWord
from flyball.app.drills.lease import put
from flyball.core.drill_lease import DrillLease
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.serving.serve.answering.struck_arm import RAISED, StruckArm, merged

MINE, OTHERS = {"card": "drill-001", "amount": 1.0}, {"card": "c-1", "amount": 2.0}


def word(**more: Any) -> DrillLease:
    said: dict[str, Any] = {"fault": "bad_candidate", "release": "r", "until": time.time() + 60} | more
    return DrillLease(drill="dr-1", service="shop", share=0.05, driver=os.getpid(), column="card", **said)


def test_rows_of_the_drill_raise_and_those_beside_them_are_answered_until_the_word_is_over(tmp_path: Path) -> None:
    (tmp_path / "behaviour.json").write_text(json.dumps({"sick": False, "score": 0.5}))
    place = tmp_path / "drill.json"

    async def story() -> None:
        async def command(socket: str) -> Sequence[str]:
            module = [sys.executable, "-m", "flyball.app.wiring.processes.arm"]
            return [*module, "--release", str(tmp_path), "--socket", socket, "--root", "r", "--loader", LOADER]

        said = DrillWord(place, "shop", look_s=0.0)
        arm = StruckArm("r", command, tmp_path, SystemClock(), hung_s=PATIENCE_S, complain=print, word=said)
        async with asyncio.timeout(PATIENCE_S):
            await arm.start()

        async def failed(*rows: dict[str, Any]) -> list[bool]:
            future: asyncio.Future[ArmReply | Failure] = asyncio.get_running_loop().create_future()
            arm.ask(rows, future.set_result, time.monotonic() + PATIENCE_S)
            reply = await asyncio.wait_for(future, PATIENCE_S)
            assert isinstance(reply, ArmReply)
            return [isinstance(answer, Failure) for answer in reply.answers]

        assert await failed(MINE, OTHERS) == [False, False]
        put(place, word())
        assert await failed(MINE, OTHERS, MINE) == [True, False, True]
        assert await failed(MINE) == [True]
        assert await failed(OTHERS) == [False]
        for other in (word(release="another"), word(fault="latency"), word(until=time.time() - 1)):
            put(place, other)
            assert await failed(MINE) == [False]
        await arm.close()

    asyncio.run(story())


@given(st.lists(st.booleans(), max_size=20))
def test_each_answer_keeps_its_row(struck: list[bool]) -> None:
    others = [number for number, mine in enumerate(struck) if not mine]
    reply = ArmReply(answers=tuple(Answer(prediction=number) for number in others), service_ms=1.0)
    found = merged(reply, struck)
    assert isinstance(found, ArmReply)
    expected = [RAISED if mine else Answer(prediction=number) for number, mine in enumerate(struck)]
    assert list(found.answers) == expected
