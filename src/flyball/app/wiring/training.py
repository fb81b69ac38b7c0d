"""Process: the training server. It imports what trainings need once, and forks a child for each of them.

Protocol: JSON lines. In: `Request`. Out: any number of `Progress`, then one `Outcome`. The server itself computes
nothing, so there is no thread pool whose locks a fork could copy in a wrong state. A child has a session, a working
directory and a log of its own; standard output is that log, so nothing the service's code prints can reach the
protocol. When the client is gone the server ends, and so does the child it waits for.
"""

import ctypes
import importlib
import os
import random
import select
import signal
import sys
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import msgspec

from flyball.adapters.trainer import Outcome, Progress, Request
from flyball.core.errors import FlyballError

_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)
IMPORTED = "imported.json"
_SLOW = ("lightgbm", "skl2onnx")  # seconds; neither starts a thread when it is imported


def main() -> None:
    """Serve jobs from standard input until it ends."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever an import prints goes to the log
    os.nice(10)
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401

    import flyball.adapters.predictor
    import flyball.pipeline.run  # noqa: F401

    reader = _Lines(0)
    while (line := reader.next()) is not None:
        request = msgspec.json.decode(line, type=Request)
        _import_exporters(request)
        pid = os.fork()
        if pid == 0:
            _child(request, out)
        _send(out, _wait(pid, request, reader.fd))
        _import_as(request)


def _import_exporters(request: Request) -> None:
    """What almost every export needs, once for all children. onnxruntime is left to them: it starts a thread when it is
    imported, and a fork would copy whatever lock that holds.
    """
    if request.job.declaration.get("experiment", {}).get("export") == "pickle":
        return
    if find_spec("onnx") is not None:
        import onnx.checker
        import onnx.helper
        import onnx.numpy_helper  # noqa: F401


def _import_as(request: Request) -> None:
    """What this child had to import, the next one finds done. After the answer, when nobody waits."""
    noted = Path(request.folder) / IMPORTED
    for name in msgspec.json.decode(noted.read_bytes()) if noted.is_file() else ():
        if name in _SLOW:  # the file lies where the service's code may write
            importlib.import_module(name)


def _wait(pid: int, request: Request, client: int) -> Outcome:
    """The end of the child, whichever way it comes; its whole session is gone afterwards."""
    ended = os.pidfd_open(pid)
    deadline = time.monotonic() + request.timeout_s
    timed_out = False
    try:
        while True:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([ended, client], [], [], max(left, 0.0))
            if ended in ready:
                break
            if client in ready or left <= 0:  # nobody asks for a second job before the first has ended: it is the end
                timed_out = client not in ready
                break
    finally:
        os.close(ended)
        _kill_session(pid)
    _, status = os.waitpid(pid, 0)
    if timed_out:
        return Outcome(error=f"the training took longer than experiment.timeout_s = {request.timeout_s:g} s")
    return _outcome(Path(request.folder), status)


def _outcome(folder: Path, status: int) -> Outcome:
    result = folder / "result.json"
    if result.is_file():
        return msgspec.json.decode(result.read_bytes(), type=Outcome)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return Outcome(error=f"the training process was killed by {name}", log=_tail(folder))
    code = os.waitstatus_to_exitcode(status)
    return Outcome(error=f"the training process left with exit code {code} and no result", log=_tail(folder))


def _child(request: Request, out: int) -> NoReturn:
    """Become the training process; never returns."""
    folder = Path(request.folder)
    code = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
        os.chdir(folder)
        log = os.open("training.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        outcome = _train(request, out)
        (folder / IMPORTED).write_bytes(msgspec.json.encode([name for name in _SLOW if name in sys.modules]))
        draft = folder / "result.draft"
        draft.write_bytes(msgspec.json.encode(outcome))
        draft.replace(folder / "result.json")
        sys.stdout.flush()
        sys.stderr.flush()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _train(request: Request, out: int) -> Outcome:
    import numpy as np

    from flyball.adapters import formats
    from flyball.adapters.code import import_code
    from flyball.adapters.fresh import load_fresh
    from flyball.adapters.predictor import load
    from flyball.pipeline.run import run
    from flyball.pipeline.seed import seed_of

    # code that asks the global generators, against advice, is repeatable too
    seed = seed_of(str(request.job.declaration["experiment"].get("seed", "0")))
    random.seed(seed)
    np.random.seed(seed)
    try:
        release = run(
            request.job,
            import_code=import_code,
            load=load,
            step=lambda name: _send(out, Progress(step=name)),
            formats=formats,
            fresh=load_fresh,
        )
    except FlyballError as error:
        return Outcome(error=str(error))
    except MemoryError:
        return Outcome(error="the training ran out of memory")
    except SystemExit as error:
        return Outcome(
            error=f"the service's code called sys.exit({error.code!r})", log=_users_traceback(error, request)
        )
    except BaseException as error:
        words = f"{type(error).__name__}: {error}"
        return Outcome(error=f"the service's code raised {words}", log=_users_traceback(error, request))
    return Outcome(release=release)


def _users_traceback(error: BaseException, request: Request) -> str:
    """The traceback without the frames above the service's own code, and with its file names as the user knows them."""
    inside = str(Path(request.job.output_folder) / "code") + "/"
    frames = traceback.extract_tb(error.__traceback__)
    first = next((at for at, frame in enumerate(frames) if frame.filename.startswith(inside)), 0)
    text = "".join(traceback.format_list(frames[first:]))
    return text.replace(inside, "") + f"{type(error).__name__}: {error}"


def _tail(folder: Path) -> str:
    log = folder / "training.log"
    return log.read_text(errors="replace")[-4000:].strip() if log.is_file() else ""


def _kill_session(pid: int) -> None:
    """The child and what it started; a child that has not yet made its session is reached by its own id."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _send(fd: int, message: Outcome | Progress) -> None:
    data = msgspec.json.encode(message) + b"\n"
    while data:
        data = data[os.write(fd, data) :]


class _Lines:
    """Lines of a file descriptor, without reading ahead beyond what `select` should still see."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._held = b""

    def next(self) -> bytes | None:
        while b"\n" not in self._held:
            more = os.read(self.fd, 65536)
            if not more:
                return None
            self._held += more
        line, _, self._held = self._held.partition(b"\n")
        return line


if __name__ == "__main__":
    main()
