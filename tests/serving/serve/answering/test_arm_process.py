"""A release in a process of its own that does not come up: who waits for it, and for how long."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.serving.stage import LOADER, PATIENCE_S

from flyball.adapters.clock import SystemClock
from flyball.serving.serve.answering import arm_process
from flyball.serving.serve.answering.arm_process import ArmProcess

ENDS = [sys.executable, "-c", "raise SystemExit(1)"]


def test_the_patient_wait_for_the_first_try_only_and_the_next_one_may_take_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arm_process, "START_S", 1e6)  # it is not the bound that ends the wait
    (tmp_path / "behaviour.json").write_text(json.dumps({"sick": False, "score": 0.5}))
    said: list[str] = []

    async def story() -> None:
        tries, mended = 0, asyncio.Event()

        async def command(socket: str) -> Sequence[str]:
            nonlocal tries
            tries += 1
            if tries == 1:
                return ENDS
            await mended.wait()
            module = [sys.executable, "-m", "flyball.app.wiring.processes.arm"]
            return [*module, "--release", str(tmp_path), "--socket", socket, "--root", "r", "--loader", LOADER]

        arm = ArmProcess("r", command, tmp_path, SystemClock(), hung_s=PATIENCE_S, complain=said.append)
        async with asyncio.timeout(PATIENCE_S):
            await arm.start(patient=True)
        assert not arm.loaded
        assert said == ["the arm of release r ended before it was ready; it is tried again"]
        mended.set()
        async with asyncio.timeout(PATIENCE_S):
            while not arm.alive:
                await asyncio.sleep(0.01)
        assert tries == 2
        await arm.close()

    asyncio.run(story())
