"""`core.ports.Trainer`: trainings in forked children of one server process.

The server (`app.wiring.training`) pays for importing scikit-learn once; each training still has a process, a session
and a working directory of its own, so a crash, a hang or an exit is the training's own. The environment is pinned:
what is not named here does not reach the service's code. A server that died is replaced at the next training.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from flyball.adapters.training import confine
from flyball.adapters.training.run_notes import leave
from flyball.core.errors import TrainingFailed, Unavailable
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Release
from flyball.core.runs import StepUse, Use
from flyball.core.service import Limits

PINNED = {
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "LOKY_MAX_CPU_COUNT": "1",  # joblib's n_jobs=-1: a forest sums its trees in the order in which threads end
    "POLARS_MAX_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
}
_KEPT = ("PATH", "HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "TMPDIR")
SERVER = (sys.executable, "-P", "-m", "flyball.app.wiring.processes.training_server")


def variables() -> dict[str, str]:
    """What reaches a training of this process's environment variables, and what is pinned. Other code that PYTHONPATH
    lets it import is part of the experiment's environment (`adapters/training/import_paths.py`).
    """
    return {name: os.environ[name] for name in _KEPT if name in os.environ} | PINNED


class Request(Record, tag="request"):
    job: TrainingJob
    folder: str  # working directory of the child
    timeout_s: float
    memory_mb: float | None = None
    cost_s: float | None = None  # seconds that its cost limit allows


class Progress(Record, tag="progress"):
    step: str


class Ended(Record, tag="ended"):
    use: StepUse


class Outcome(Record, tag="outcome"):
    """Either a release or an error; `log` is the user's traceback or the end of what was printed."""

    release: Release | None = None
    error: str | None = None
    log: str = ""
    use: Use = Use()


class ForkServerTrainer:
    """One training at a time; callers from several threads wait for each other."""

    def __init__(self, *, on_step: Callable[[str], None] = lambda _: None, command: Sequence[str] = SERVER) -> None:
        self._on_step = on_step
        self._command = tuple(command)
        self._server: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()
        self._closing = False  # the owner ends it: what breaks off now is not the training's fault

    def train(self, job: TrainingJob) -> Release:
        """Run a training to its end.

        Raises: TrainingFailed: with what the code said. Unavailable: the server cannot be started.
        """
        folder = Path(job.output_folder).parent / "process"
        folder.mkdir(parents=True, exist_ok=True)
        with self._turn:
            self._closing = False
            watched = () if confine.available() else job.watched
            before = confine.listing(watched)
            outcome = self._ask(request(job, str(folder)))
            touched = confine.changed(before, confine.listing(watched))
        leave(job.run_folder, outcome.use, folder / "training.log")
        if outcome.release is None and self._closing:
            raise Unavailable("the trainer was closed while it trained", hint="train again: nothing was registered")
        if touched:
            raise TrainingFailed(f"files outside the training's own folder were changed: {', '.join(touched[:5])}")
        if outcome.release is None:
            text = outcome.error or "no reason was given"
            raise TrainingFailed(f"{text}\n{outcome.log}".rstrip())
        return outcome.release

    def close(self) -> None:
        """End the server, and the training it may be running; the next training starts a new one."""
        server, self._server = self._server, None
        if server is None:
            return
        self._closing = True
        if server.stdin is not None:
            server.stdin.close()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        if server.stdout is not None:
            server.stdout.close()

    def warm(self) -> None:
        """Start the server now, so that the first training finds its imports done."""
        with self._turn:
            self._running()

    def _ask(self, request: Request) -> Outcome:
        server = self._running()
        assert server.stdin is not None
        assert server.stdout is not None
        steps: list[StepUse] = []
        try:
            server.stdin.write(msgspec.json.encode(request) + b"\n")
            server.stdin.flush()
            while line := server.stdout.readline():
                message = msgspec.json.decode(line, type=Progress | Ended | Outcome)
                match message:
                    case Outcome():
                        return msgspec.structs.replace(message, use=_with_steps(message.use, steps))
                    case Ended():
                        steps.append(message.use)
                    case Progress():
                        self._on_step(message.step)
        except (BrokenPipeError, msgspec.DecodeError) as error:
            self._discard()
            return Outcome(error=f"the training server broke off: {error}", use=_with_steps(Use(), steps))
        status = self._discard()
        words = f"the training server died ({status}); the next training starts a new one"
        return Outcome(error=words, use=_with_steps(Use(), steps))

    def _running(self) -> subprocess.Popen[bytes]:
        if self._server is not None and self._server.poll() is None:
            return self._server
        self._discard()
        try:
            self._server = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=variables(),
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"the training server cannot be started: {error}") from error
        return self._server

    def _discard(self) -> str:
        """Forget the server; says how it ended."""
        server, self._server = self._server, None
        if server is None:
            return "not running"
        server.kill()
        code = server.wait()
        for pipe in (server.stdin, server.stdout):
            if pipe is not None:
                pipe.close()
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def request(job: TrainingJob, folder: str) -> Request:
    """The job with the limits that the server watches."""
    section = job.declaration.get("experiment", {})
    limits = msgspec.convert(section.get("limits", {}), Limits)
    priced = limits.cost is not None and limits.cost_per_hour > 0
    return Request(
        job=job,
        folder=folder,
        timeout_s=float(section.get("timeout_s", 3600.0)),
        memory_mb=limits.memory_mb,
        cost_s=3600.0 * (limits.cost or 0.0) / limits.cost_per_hour if priced else None,
    )


def _with_steps(use: Use, steps: Sequence[StepUse]) -> Use:
    return msgspec.structs.replace(use, steps=tuple(steps))
