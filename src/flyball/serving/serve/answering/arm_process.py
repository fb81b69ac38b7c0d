"""A release in a process of its own: started, asked, and started again when it dies or hangs.

The arm connects to us when it is loaded and warm. Every question gets exactly one reply: the arm's, or a Failure when
the process dies with the question in its hands. Deadlines are the caller's (`arms.py`).
"""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from flyball.core.clock import Clock
from flyball.core.errors import Unavailable
from flyball.core.prediction import ArmReply, Failure
from flyball.serving.frames import LENGTH, Failed, Hello, NoReply, Question, Reply, packed, taken, unpacked
from flyball.serving.serve.complaints import Complaints
from flyball.serving.serve.resident import resident_mb

START_S = 60.0  # to load and warm a release
WAITING_ROWS = 20_000
DEAD = Failure(reason="dead", message="the arm's process is not there")
FULL = Failure(reason="overload", message="too many rows wait for the arm")
_LIVES = itertools.count(1)  # of all arms: two that shared a socket's name would take each other's connection
_PAUSES_S = (0.0, 0.2, 1.0, 5.0, 15.0, 30.0)  # before the next start, by how many starts in a row came to no answer

Deliver = Callable[[ArmReply | Failure], None]


class ArmProcess:
    """One release, one process at a time."""

    def __init__(
        self,
        release: str,
        command: Callable[[str], Awaitable[Sequence[str]]],
        folder: Path,
        clock: Clock,
        *,
        hung_s: float,
        complain: Callable[[str], None],
    ) -> None:
        """`command`: verifies the release and says what to start for a socket path. `folder`: short, for sockets."""
        self.release = release
        self._command, self._folder, self._clock = command, folder, clock
        self._hung_s, self._complain = hung_s, Complaints(complain)
        self._numbers = itertools.count(1)
        self._open: dict[int, tuple[float, int, Deliver]] = {}  # asked at, rows, whom to tell
        self._rows = 0
        self._idle = asyncio.Event()  # no question is open
        self._idle.set()
        self.answered = 0  # rows, by the process that lives now
        self.fresh_mb: float | None = None  # what it held when it was warm
        self._wire: asyncio.StreamWriter | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._away = asyncio.Event()  # it does not start, for now
        self._failed_starts = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._wire is not None

    @property
    def loaded(self) -> bool:
        """It was warm once; one that died since is on its way back."""
        return self._ready.is_set()

    async def start(self, *, patient: bool = False) -> None:
        """Returns when the arm is warm; `patient`: also when the first try comes to nothing, and goes on trying.

        Raises, where not patient: Unavailable (it does not start), NotFound, Untrusted.
        """
        self._task = asyncio.create_task(self._keep_alive(patient))
        signs = {asyncio.create_task(self._ready.wait()), asyncio.create_task(self._away.wait())}
        done, _ = await asyncio.wait({*signs, self._task}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        for sign in signs:
            sign.cancel()
        if self.loaded or (patient and done):
            return
        if patient:
            self._complain(f"release {self.release} is not ready after {START_S:g} s")
            return
        task, self._task = self._task, None
        if task in done:
            task.result()  # raises what kept it from starting
        task.cancel()
        await self.close()
        raise Unavailable(f"release {self.release} is not ready after {START_S:g} s")

    def ask(self, rows: Sequence[dict[str, Any]], deliver: Deliver, until: float) -> None:
        """`deliver` is called once; at once with a Failure where there is nobody to ask.

        `until`: monotonic seconds, the same in all processes of the machine; what the arm reads later is not predicted.
        """
        if self._wire is None:
            deliver(DEAD)
        elif self._rows > WAITING_ROWS:
            deliver(FULL)
        else:
            number = next(self._numbers)
            self._idle.clear()
            self._open[number] = (self._clock.monotonic(), len(rows), deliver)
            self._rows += len(rows)
            self._wire.write(packed(Question(number, list(rows), until)))

    def end_if_hung(self) -> None:
        """Kill a process that has held a question for too long; it is started again."""
        if not self._open or self._process is None:
            return
        oldest = next(iter(self._open.values()))[0]
        if self._clock.monotonic() - oldest > self._hung_s:
            self._complain(f"the arm of release {self.release} hangs: it is started again")
            self._kill()

    async def drained(self) -> None:
        """Returns when what was asked is answered, or can no longer be: a process that hangs is not waited for longer
        than it may hang."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._hung_s):
                await self._idle.wait()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        self._kill()
        if self._process is not None:
            await self._process.wait()

    async def _keep_alive(self, patient: bool) -> None:
        """Start it again and again. What was loaded once, or may be awaited, is never given up: a release that does
        not verify today is verified again with each start."""
        while True:
            lasting = patient or self.loaded
            if self._failed_starts >= len(_PAUSES_S):
                if not lasting:
                    raise Unavailable(f"release {self.release} died {self._failed_starts} times before it was ready")
                self._complain(f"the arm of release {self.release} does not start; it is tried again and again")
                self._away.set()
            await asyncio.sleep(_PAUSES_S[min(self._failed_starts, len(_PAUSES_S) - 1)])
            self._failed_starts += 1
            try:
                await self._life()
                if patient and not self.loaded:
                    self._complain(f"the arm of release {self.release} ended before it was ready; it is tried again")
                    self._away.set()
            except Exception as error:
                if not (patient or self.loaded):
                    raise
                self._complain(f"the arm of release {self.release} stays away: {error}")
                self._away.set()

    async def _life(self) -> None:
        """From one start to the end of that process."""
        path = self._folder / f"arm-{next(_LIVES)}"
        connected: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue(1)
        server = await asyncio.start_unix_server(lambda r, w: connected.put_nowait((r, w)), path)
        try:
            self._process = await asyncio.create_subprocess_exec(
                *await self._command(str(path)), stdin=asyncio.subprocess.DEVNULL
            )
            ended = asyncio.create_task(self._process.wait())
            arrived = asyncio.create_task(connected.get())
            await asyncio.wait({ended, arrived}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
            if arrived.done():
                await self._converse(*arrived.result())
            else:
                arrived.cancel()
            self._kill()
            await ended
        finally:
            server.close()
            path.unlink(missing_ok=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(LENGTH.size)
                message = unpacked(await reader.readexactly(LENGTH.unpack(head)[0]))
                if isinstance(message, Hello):
                    if message.release != self.release:
                        self._complain(f"release {message.release} answered in place of {self.release}")
                        return
                    self._wire, self.answered, self.fresh_mb = writer, 0, resident_mb(self.pid)
                    self._ready.set()
                elif isinstance(message, (Reply, NoReply)):
                    self._deliver(message)
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # it died; `_life` starts the next one
        finally:
            self._wire = None
            writer.close()
            held, self._open, self._rows = self._open, {}, 0
            self._idle.set()
            for _, _, deliver in held.values():
                deliver(DEAD)

    def _deliver(self, message: Reply | NoReply) -> None:
        self._failed_starts = 0  # it has answered; one that dies of each first question is started ever more slowly
        found = self._open.pop(message.number, None)
        if not self._open:
            self._idle.set()
        if found is None:
            return
        _, rows, deliver = found
        self._rows -= rows
        self.answered += rows
        if isinstance(message, NoReply):
            deliver(taken(Failed(message.reason, message.message)))
        else:
            deliver(ArmReply(answers=tuple(map(taken, message.answers)), service_ms=message.service_ms))

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
