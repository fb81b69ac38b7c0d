"""The ledger cannot be written: somebody else holds its lock. The kernel takes that back from whoever is killed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flyball.app.drills.fault import DrillFault, Stage


@asynccontextmanager
async def _inject(stage: Stage, _: float) -> AsyncIterator[None]:
    async with stage.lock_ledger():
        yield


FAULT = DrillFault(
    name="ledger_gone",
    what="nobody can write to the ledger",
    share=1.0,
    told_by=("controller/silent",),
    inject=_inject,
    running_s=30.0,  # a controller is silent after 15 s
)
