"""How the releases of a service come to life in a process that answers: the champion in it, others beside it."""

import asyncio
import sys
from pathlib import Path

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.remote_asking import asking
from flyball.app.wiring.processes.arm import behind, loader_of, warm
from flyball.app.wiring.serving.drilled import arm_of
from flyball.app.wiring.serving.panes import complain
from flyball.core.ports import Releases
from flyball.core.prediction import Predictor
from flyball.core.service import Service
from flyball.serving.serve.answering.arm_process import ArmProcess
from flyball.serving.serve.answering.arms import Champion
from flyball.serving.serve.answering.champion import InProcess
from flyball.serving.serve.answering.remote_arm import RemoteChampion


class ReleaseStart:
    """`serve.arms.Start`: every release is verified each time before a byte of it is loaded."""

    def __init__(self, releases: Releases, clock: SystemClock, sockets: Path, loader: str, served: Service) -> None:
        self._releases, self._clock, self._sockets, self._loader = releases, clock, sockets, loader
        serving, self._arm = served.serving, arm_of(served.metadata.name)
        self._deadline_s, self._once = serving.deadline_ms / 1000.0, not serving.idempotent
        self._filters = [one for one in serving.filters if one.function is not None]

    async def in_process(self, root: str) -> Champion:
        predictor = await asyncio.to_thread(self._loaded, root)
        if (remote := asking(predictor)) is not None:
            return await RemoteChampion.started(remote, self._clock, complain, stuck_s=self._deadline_s)
        bounded = getattr(predictor, "bounded", False)
        return InProcess(predictor, self._clock, stuck_s=self._deadline_s, bounded=bounded, apart=self._once)

    async def process(self, root: str, *, patient: bool) -> ArmProcess:
        async def command(socket: str) -> list[str]:
            folder = await asyncio.to_thread(self._releases.verified, root)
            module = [sys.executable, "-m", "flyball.app.wiring.processes.arm"]
            filters = msgspec.json.encode(self._filters).decode()
            told = ["--socket", socket, "--loader", self._loader, "--filters", filters]
            told += ["--once"] if self._once else []
            return [*module, "--release", folder, "--root", root, *told]

        hung_s = max(2.0, 3 * self._deadline_s)
        arm = self._arm(root, command, self._sockets, self._clock, hung_s=hung_s, complain=complain)
        await arm.start(patient=patient)
        return arm

    def _loaded(self, root: str) -> Predictor:
        folder = self._releases.verified(root)
        predictor = loader_of(self._loader)(folder, release=root, once=self._once)
        predictor = behind(folder, predictor, self._filters, once=self._once)
        if not self._once:
            warm(predictor)
        return predictor
