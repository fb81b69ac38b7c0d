"""A worker of the gateway dies again and again (`kill -9`), each time as soon as a fresh one is there."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flyball.app.drills.fault import DrillFault, Stage

TIMES = 4
BETWEEN_S = 1.5


@asynccontextmanager
async def _inject(stage: Stage, _: float) -> AsyncIterator[None]:
    killing = asyncio.create_task(_kill(stage))
    try:
        yield
    finally:
        killing.cancel()
        await asyncio.gather(killing, return_exceptions=True)


async def _kill(stage: Stage) -> None:
    """The newest of at least two, so that somebody answers; never more than so many times."""
    for _ in range(TIMES):
        while len(living := stage.workers()) < 2:
            await asyncio.sleep(0.1)
        with contextlib.suppress(ProcessLookupError):  # it ended a moment ago by itself
            os.kill(max(living), signal.SIGKILL)
        stage.found["killed"] = stage.found.get("killed", 0.0) + 1
        await asyncio.sleep(BETWEEN_S)


FAULT = DrillFault(
    name="crash_loop",
    what=f"a worker of the gateway is killed {TIMES} times in a row",
    share=0.5,
    told_by=("process/worker", "process/gateway", "health/availability", "health/resources"),
    inject=_inject,
    ends="recovered",
)
