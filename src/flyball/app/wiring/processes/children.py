"""Child processes that do not outlive us: started, watched, started again when they die, stopped by their own id."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # prctl(2): the signal a child gets when its parent dies, however it dies
FIRST_WAIT_S, LONGEST_WAIT_S = 0.1, 5.0
STOP_S = 15.0  # a child that has not ended by then is killed


class Child:
    """One child process; `keep` starts it again for as long as it is wanted."""

    def __init__(self, name: str, arguments: Sequence[str], *, pid_file: Path) -> None:
        self.name, self._arguments, self._pid_file = name, tuple(arguments), pid_file
        self._process: asyncio.subprocess.Process | None = None
        self.starts = 0

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.returncode is None else None

    def replace_argument(self, option: str, value: str) -> None:
        """For the starts to come."""
        place = self._arguments.index(option) + 1
        self._arguments = (*self._arguments[:place], value, *self._arguments[place + 1 :])

    async def start(self) -> asyncio.subprocess.Process:
        """Start it; its standard output is a pipe, its standard error ours."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self._arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            preexec_fn=partial(die_with_parent, os.getpid()),
        )
        self.starts += 1
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.write_text(f"{self._process.pid}\n")
        return self._process

    async def keep(self) -> None:
        """Until cancelled: pass on what it prints, start it again when it ends, more slowly after each quick death."""
        wait_s = FIRST_WAIT_S
        while True:
            process = self._process or await self.start()
            began = asyncio.get_running_loop().time()
            assert process.stdout is not None
            async for line in process.stdout:
                sys.stderr.write(f"{self.name}: {line.decode(errors='replace')}")
            code = await process.wait()
            lived_s = asyncio.get_running_loop().time() - began
            wait_s = FIRST_WAIT_S if lived_s > LONGEST_WAIT_S else min(2 * wait_s, LONGEST_WAIT_S)
            sys.stderr.write(f"{self.name} ended ({code}); it is started again\n")
            await asyncio.sleep(wait_s)
            self._process = None

    async def stop(self) -> None:
        """Ask it to end, and wait."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):  # it ended a moment ago by itself
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
        self._pid_file.unlink(missing_ok=True)


def die_with_parent(parent: int) -> None:
    """In the child, before it becomes another program. `parent` is the id of who forked it: in a container that may
    well be 1, the id that orphans are given elsewhere.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # the parent died before the line above
        os._exit(0)
