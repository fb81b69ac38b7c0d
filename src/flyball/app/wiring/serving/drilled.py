"""What a drill may strike in a process that answers, where `flyball up` was started with `--allow-drills`.

Without it each function here gives back what it was given, and nothing of a drill is imported, asked or read.
"""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from flyball.adapters.prediction_log.disk import Disk
from flyball.core.clock import Clock
from flyball.core.drill_lease import VARIABLE, DrillLease
from flyball.serving.serve.answering.arm_process import ArmProcess
from flyball.serving.serve.answering.arms import Champion, Start


def disk_of(service: str) -> Disk:
    """The disk of this service's log: the real one, which a drill may fill."""
    if not (file := os.environ.get(VARIABLE)):
        return Disk()
    from flyball.adapters.drill_word import DrillWord
    from flyball.adapters.prediction_log.drilled_disk import DrilledDisk

    return DrilledDisk(DrillWord(Path(file), service, look_s=0.0))  # one write every 50 ms: it looks each time


def arm_of(service: str) -> Callable[..., ArmProcess]:
    """How the process of a release other than the champion is made: with what a drill may make of its answers."""
    if not (file := os.environ.get(VARIABLE)):
        return ArmProcess
    from flyball.adapters.drill_word import DrillWord
    from flyball.serving.serve.answering.struck_arm import StruckArm

    return partial(StruckArm, word=DrillWord(Path(file), service))


def struck(start: Start, service: str, clock: Clock) -> Start:
    """How releases come to life, with what a drill may make of the champion's answers around it."""
    if not (file := os.environ.get(VARIABLE)):
        return start
    from flyball.adapters.drill_word import DrillWord

    return _StruckStart(start, DrillWord(Path(file), service), clock)


class _StruckStart:
    """`arms.Start`: the champion is struck; a candidate is by its own process (`arm_of`)."""

    def __init__(self, inner: Start, word: Callable[[], DrillLease | None], clock: Clock) -> None:
        self._inner, self._word, self._clock = inner, word, clock

    async def in_process(self, root: str) -> Champion:
        from flyball.serving.serve.answering.struck import StruckChampion

        return StruckChampion(await self._inner.in_process(root), self._word, self._clock)

    async def process(self, root: str, *, patient: bool) -> ArmProcess:
        return await self._inner.process(root, patient=patient)
