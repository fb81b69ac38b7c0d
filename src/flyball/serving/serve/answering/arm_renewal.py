"""Arms in processes of their own that are worn make room for fresh ones, one at a time: warm first, then the swap.

None begins to while an order is prepared: the order's trial shows what a release can carry, and a process that starts
beside it takes the core that it is tried on.
"""

import asyncio

from flyball.core.clock import Clock
from flyball.core.declared.serving import Recycling
from flyball.serving.resilience.wear import Wear
from flyball.serving.serve.answering.arm_process import ArmProcess
from flyball.serving.serve.answering.arms import Arms
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.resident import resident_mb

LOOK_S = 1.0
RETRY_S = 30.0  # after a fresh process that did not start


class ArmRenewal:
    """Of one service in one worker."""

    def __init__(self, arms: Arms, declared: Recycling, clock: Clock, complain: Complaints) -> None:
        self._arms, self._declared, self._clock, self._complain = arms, declared, clock, complain
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0
        self._hopeless: set[str] = set()  # of whose bound the operator knows

    def look(self) -> None:
        """Now and then; returns at once."""
        if self._declared == Recycling() or self._task is not None or self._arms.expecting:
            return
        if self._clock.monotonic() < self._next:
            return
        self._next = self._clock.monotonic() + LOOK_S
        for process in self._arms.processes:
            wear = Wear(self._declared, fresh_mb=process.fresh_mb)
            if wear.complaint is not None and process.release not in self._hopeless:
                self._hopeless.add(process.release)  # its next life holds a little more or less, and is no news
                arm = f"the arm of release {process.release}"
                self._complain(f"{arm}: {wear.complaint}; its memory is not a reason to replace it")
            if process.alive and (why := wear.why(resident_mb(process.pid), process.answered)) is not None:
                self._task = asyncio.create_task(self._renew(process, why))
                return

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _renew(self, process: ArmProcess, why: str) -> None:
        try:
            if await self._arms.renew(process):
                self._complain(f"the arm of release {process.release} made room for another: {why}")
        except Exception as error:
            self._complain(f"the arm of release {process.release} stays, no other starts: {error}")
            self._next = self._clock.monotonic() + RETRY_S
        finally:
            self._task = None
