"""A worker is started again also by a machine that has no process to give at first."""

import asyncio
import errno
import os
import signal
import sys
from pathlib import Path

from tests.serving.stage import PATIENCE_S

from flyball.serving.serve.workers.keeper import Workers
from flyball.serving.serve.workers.link import Link

WORKER = """
import json, os, socket, sys
wire = socket.socket(socket.AF_UNIX)
wire.connect(sys.argv[1])
wire.sendall(json.dumps({"type": "here", "worker": 0, "pid": os.getpid()}).encode() + b"\\n")
for line in wire.makefile():
    wire.sendall(json.dumps({"type": "did", "number": json.loads(line)["number"]}).encode() + b"\\n")
"""


def test_a_machine_without_processes_to_give_delays_a_worker_and_does_not_lose_it(tmp_path: Path) -> None:
    said: list[str] = []
    up: list[Link] = []
    starts = 0

    async def spawn(number: int, path: str) -> asyncio.subprocess.Process:
        nonlocal starts
        starts += 1
        if starts == 2:
            raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        return await asyncio.create_subprocess_exec(sys.executable, "-c", WORKER, path)

    async def bring_up(link: Link) -> None:
        up.append(link)

    async def story() -> None:
        ways = {"bring_up": bring_up, "sum_up": "".join, "complain": said.append, "gone": lambda *_: None}
        crew = Workers([0, 1], spawn, tmp_path, **ways)  # type: ignore[arg-type]
        await crew.start()
        os.kill(crew.live[0].pid, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE_S):
            while not up:
                await asyncio.sleep(0.01)
        assert crew.live == up
        await crew.stop()

    asyncio.run(story())
    assert any(os.strerror(errno.EAGAIN) in message for message in said)
