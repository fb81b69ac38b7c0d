"""Process: the training server. It imports what trainings need once, and forks a child for each of them.

Protocol: JSON lines. In: `Request`. Out: any number of `Progress` and `Ended`, then one `Outcome`. The server itself
computes nothing, so there is no thread pool whose locks a fork could copy in a wrong state. While a child runs the
server looks at its time, its memory and its cost, and ends it where a limit is passed. It is the reaper of all that the
child starts: nothing outlives a training. When the client is gone the server ends, and so does the child.
"""

import importlib
import os
import select
import signal
import time
from importlib.util import find_spec
from pathlib import Path

import msgspec

from flyball.adapters.training import sessions
from flyball.adapters.training.gpu import Nvml
from flyball.adapters.training.trainer import Outcome, Request
from flyball.app.wiring.processes.training_child import IMPORTED, SLOW, become, log_tail, send
from flyball.core.runs import Use

LOOK_S, LOOK_RARELY_S = 0.1, 1.0  # between two looks at the memory, with and without a declared limit


def main() -> None:
    """Serve jobs from standard input until it ends."""
    out = os.dup(1)
    os.dup2(2, 1)  # whatever an import prints goes to the log
    os.nice(10)
    sessions.become_reaper()
    import sklearn.ensemble
    import sklearn.linear_model
    import sklearn.pipeline
    import sklearn.preprocessing  # noqa: F401

    import flyball.adapters.models.predictor
    import flyball.adapters.training.optuna_search
    import flyball.adapters.training.step_store
    import flyball.pipeline.run  # noqa: F401

    reader = _Lines(0)
    gpu = Nvml()
    while (line := reader.next()) is not None:
        request = msgspec.json.decode(line, type=Request)
        _import_exporters(request)
        pid = os.fork()
        if pid == 0:
            become(request, out)
        outcome = _Watch(pid, request, reader.fd, gpu).outcome()
        slow = imported_by(Path(request.folder))  # before the answer: whoever gets it removes the folder
        try:
            send(out, outcome)
        except BrokenPipeError:  # the client is gone, and nobody else wants to know
            return
        for name in slow:  # what this child had to import, the next one finds done; now nobody waits
            importlib.import_module(name)


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


def imported_by(folder: Path) -> list[str]:
    """Slow modules that the training in this folder noted. None, if the note is not one: the service's code may write
    there too.
    """
    try:
        names = msgspec.json.decode((folder / IMPORTED).read_bytes(), type=list[str])
    except (OSError, msgspec.DecodeError):
        return []
    return [name for name in names if name in SLOW]


class _Watch:
    """One child from its start to the end of everything that it started."""

    def __init__(self, pid: int, request: Request, client: int, gpu: Nvml) -> None:
        self._pid, self._request, self._client, self._gpu = pid, request, client, gpu
        self._peak_mb, self._cpu_s, self._status = 0.0, 0.0, 0
        self._gpu_mb: float | None = None
        self._began = time.monotonic()

    def outcome(self) -> Outcome:
        """Wait for the end, whichever way it comes, and say what it was."""
        stopped = self._wait()
        seconds = time.monotonic() - self._began
        left = [pid for pid in sessions.below() if pid != self._pid]
        sessions.end_all(self._reaped)
        use = Use(
            seconds=round(seconds, 3),
            cpu_s=round(self._cpu_s, 3),
            peak_rss_mb=round(self._peak_mb, 1),
            gpu_mb=self._gpu_mb,
            gpu=self._gpu.told,
            ended=len(left),
        )
        if stopped is not None:
            return Outcome(error=stopped, use=use)
        return msgspec.structs.replace(self._of_the_child(), use=use)

    def _wait(self) -> str | None:
        """None: it ended by itself, or nobody waits for it any more. Else the limit that it passed."""
        ended = os.pidfd_open(self._pid)
        watched = select.poll()  # not select(), which takes no descriptor past 1023
        for one in (ended, self._client):
            watched.register(one, select.POLLIN)
        request = self._request
        every = LOOK_RARELY_S if request.memory_mb is None else LOOK_S
        try:
            while True:
                left = request.timeout_s - (time.monotonic() - self._began)
                allowed = left if request.cost_s is None else min(left, request.cost_s - (request.timeout_s - left))
                # nobody asks for a second job before the first has ended: a word of the client is its end
                if watched.poll(max(min(allowed, every), 0.0) * 1000):
                    return None
                if (stopped := self._passed(time.monotonic() - self._began)) is not None:
                    return stopped
        finally:
            os.close(ended)

    def _passed(self, seconds: float) -> str | None:
        """The first limit that is passed, and what was measured."""
        request = self._request
        pids = sessions.below()
        now_mb = sessions.resident_mb(pids)
        self._peak_mb = max(self._peak_mb, now_mb)
        gpu_mb = self._gpu.used_mb(pids)
        if gpu_mb is not None:
            self._gpu_mb = max(self._gpu_mb or 0.0, gpu_mb)
        if seconds >= request.timeout_s:
            return f"the training took longer than experiment.timeout_s = {request.timeout_s:g} s"
        if request.memory_mb is not None and now_mb > request.memory_mb:
            return (
                f"the training was stopped: {now_mb:.0f} MB of resident memory, more than "
                f"experiment.limits.memory_mb = {request.memory_mb:g}"
            )
        if request.cost_s is not None and seconds >= request.cost_s:
            return (
                f"the training was stopped: after {seconds:.1f} s it has cost what experiment.limits.cost allows "
                f"({request.cost_s:.1f} s at experiment.limits.cost_per_hour)"
            )
        return None

    def _reaped(self, pid: int, status: int, cpu_s: float, peak_mb: float) -> None:
        self._cpu_s += cpu_s
        self._peak_mb = max(self._peak_mb, peak_mb)
        if pid == self._pid:
            self._status = status

    def _of_the_child(self) -> Outcome:
        folder = Path(self._request.folder)
        result = folder / "result.json"
        if result.is_file():
            try:
                return msgspec.json.decode(result.read_bytes(), type=Outcome)
            except msgspec.DecodeError as error:  # a figure that is none, say: the run failed, the server goes on
                return Outcome(error=f"the result of the training cannot be read: {error}", log=log_tail(folder))
        if os.WIFSIGNALED(self._status):
            name = signal.Signals(os.WTERMSIG(self._status)).name
            why = f", perhaps by the kernel for its memory ({self._peak_mb:.0f} MB)" if name == "SIGKILL" else ""
            return Outcome(error=f"the training process was killed by {name}{why}", log=log_tail(folder))
        code = os.waitstatus_to_exitcode(self._status)
        return Outcome(error=f"the training process left with exit code {code} and no result", log=log_tail(folder))


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
