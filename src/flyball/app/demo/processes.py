"""The processes that the demo starts, and ends: each by its own id, whatever happens."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from flyball.app.demo.observe import NotSeen

READY_S = 60.0
TRAIN_S = 90.0
STOP_S = 20.0


class Up(msgspec.Struct):
    """What `flyball up --json` says of itself."""

    url: str
    gateway_pid: int
    controller_pid: int


class Processes:
    """Runs `flyball` verbs in a home, as a person at a terminal would."""

    def __init__(self, home: Path, environment: dict[str, str], log: Path) -> None:
        """`environment`: added to ours. `log`: gets what the processes say on standard error."""
        self._home, self._log = home, log
        self._environment = {**os.environ, **environment}
        self._up: asyncio.subprocess.Process | None = None

    async def train(self, file: Path) -> dict[str, Any]:
        """`flyball train`: its JSON document. Raises: NotSeen: it did not end with a release that passed its gates."""
        process = await self._start("train", str(file))
        try:
            async with asyncio.timeout(TRAIN_S):
                out, _ = await process.communicate()
        except TimeoutError as error:
            raise NotSeen(f"the training of {file.parent.name} took more than {TRAIN_S:g} s") from error
        finally:
            await _end(process)
        if process.returncode != 0:
            raise NotSeen(f"flyball train ended with exit code {process.returncode}: {out.decode()[-1500:]}")
        document: dict[str, Any] = msgspec.json.decode(out)
        return document

    @asynccontextmanager
    async def up(self, file: Path, *options: str) -> AsyncIterator[Up]:
        """`flyball up` while the block runs. Raises: NotSeen: it does not come up."""
        process = self._up = await self._start("up", str(file), "--port", "0", *options)
        try:
            yield await self._ready(process)
        finally:
            self._up = None
            await _end(process)

    def check(self) -> None:
        """Raises: NotSeen: `up` has ended by itself."""
        if self._up is not None and self._up.returncode is not None:
            raise NotSeen(f"flyball up ended with exit code {self._up.returncode}; see {self._log}")

    def pid(self, name: str) -> int | None:
        """Of the running `gateway` or `controller`; None while there is none."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self._home / "run" / f"{name}.pid").read_text())
            return pid if _alive(pid) else None
        return None

    async def _ready(self, process: asyncio.subprocess.Process) -> Up:
        assert process.stdout is not None
        text = b""
        try:
            async with asyncio.timeout(READY_S):
                while (told := _document(text)) is None:
                    line = await process.stdout.readline()
                    if not line:
                        raise NotSeen(f"flyball up ended before it answered; see {self._log}")
                    text += line
        except TimeoutError as error:
            raise NotSeen(f"flyball up was not ready within {READY_S:g} s; see {self._log}") from error
        try:
            return msgspec.convert(told, Up)
        except msgspec.ValidationError as error:
            raise NotSeen(f"flyball up does not come up: {text.decode()[-1500:]}") from error

    async def _start(self, verb: str, *arguments: str) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "flyball.app.cli", verb, *arguments),
                *("--json", "--home", str(self._home)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=self._environment,
                start_new_session=True,  # a Ctrl-C at the terminal is ours to pass on
            )


def _document(text: bytes) -> Any | None:
    """The JSON document, once all of its lines are there."""
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, wait, and then insist; its children are in its session and go with it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a process that was killed and not yet waited for still has its number
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False
