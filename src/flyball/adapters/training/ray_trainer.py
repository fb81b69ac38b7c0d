"""`core.ports.Trainer` on a Ray cluster (extra `ray`).

A node is taken to share nothing with us: the job brings its code, its snapshots, the champion and the kept steps along
as bytes, and the release, the log and new steps come back the same way. On the node the training runs as it does here,
in a forked child of a training server with the same pinned environment and the same limits, so that the same inputs
give the same root. Where a cluster is already joined it is used; else `address` says which one is, and without one a
local cluster is started that ends with the trainer.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from flyball.adapters.training.run_notes import LOG, leave, used
from flyball.adapters.training.step_store import FolderSteps
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.core.errors import TrainingFailed, Unavailable
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Release
from flyball.core.runs import Use

Tree = Mapping[str, bytes]  # path -> content

# fields of a job that name folders, and what they hold goes along
_FOLDERS = (
    "service_folder",
    "snapshot_folder",
    "champion_folder",
    "champion_snapshot_folder",
    "judged_folder",
    "parent_folder",
)


class Returned(Record):
    """What comes back from a node."""

    release: Release | None
    error: str | None
    use: Use
    log: bytes
    output: dict[str, bytes]
    steps: dict[str, dict[str, bytes]]  # key -> files, of steps that were not known here


class RayTrainer:
    """One task a training. Not in the digest, not in the root: where a training ran is not what it is."""

    def __init__(
        self,
        *,
        address: str | None = None,
        cpus: float = 1.0,
        on_step: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._address, self._cpus, self._on_step = address, cpus, on_step
        self._started = False  # the local cluster is ours to end

    def train(self, job: TrainingJob) -> Release:
        """See the port; also Raises: TrainingFailed: the worker was lost, with Ray's reason."""
        ray = self._joined()
        self._on_step("ray")
        trees = {name: _tree(Path(folder)) for name in _FOLDERS if (folder := getattr(job, name)) is not None}
        store = FolderSteps(Path(job.steps_folder)) if job.steps_folder else None
        known = _kept(store, job.steps.values())
        task = ray.remote(num_cpus=self._cpus, max_retries=0)(on_node)
        try:
            data = ray.get(task.remote(msgspec.json.encode(job), ray.put(trees), ray.put(known)))
        except ray.exceptions.RayError as error:
            leave(job.run_folder, Use(gpu="not measured: the worker was lost"), None)
            words = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise TrainingFailed(f"the Ray worker was lost: {type(error).__name__}: {words}") from error
        back = msgspec.msgpack.decode(data, type=Returned)
        log = Path(job.output_folder).parent / "training.log"
        log.write_bytes(back.log)
        leave(job.run_folder, back.use, log)
        for key, files in back.steps.items():
            if store is not None:
                store.put("", key, files)
        if back.release is None:
            raise TrainingFailed(back.error or "no reason was given")
        _write(Path(job.output_folder), back.output)
        return back.release

    def close(self) -> None:
        """Leave the cluster, if it was this trainer that joined or started it."""
        if self._started:
            _ray().shutdown()
            self._started = False

    def warm(self) -> None:
        """Join the cluster now."""
        self._joined()

    def _joined(self) -> Any:
        """Raises: Unavailable: the extra is not installed, or no cluster can be joined."""
        ray = _ray()
        if ray.is_initialized():
            return ray
        environment = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        where = (
            {"address": self._address} if self._address else {"num_cpus": os.cpu_count(), "include_dashboard": False}
        )
        try:
            ray.init(
                **where,
                log_to_driver=False,
                configure_logging=False,
                runtime_env={"env_vars": environment},
                **({} if self._address else {"_node_ip_address": "127.0.0.1"}),
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise Unavailable(f"no Ray cluster can be joined: {error}") from error
        self._started = True
        return ray


def on_node(job_text: bytes, trees: Mapping[str, Tree], known: Mapping[str, Tree]) -> bytes:
    """On the node: put the job's folders in place, train as at home, and give everything back."""
    job = msgspec.json.decode(job_text, type=TrainingJob)
    with TemporaryDirectory(prefix="flyball-") as name:
        root = Path(name)
        for field, tree in trees.items():
            _write(root / field, tree)
        places = {field: str(root / field) for field in trees}
        here = {"home": name, "output_folder": str(root / "run" / "release"), "run_folder": str(root / "notes")}
        here |= {"steps_folder": str(root / "steps") if job.steps else ""}
        (root / "run" / "release").mkdir(parents=True)
        store = FolderSteps(root / "steps")
        for key, files in known.items():
            store.put("", key, files)
        local = msgspec.structs.replace(job, **places, **here, watched=())
        trainer = ForkServerTrainer()
        release, error = None, None
        try:
            release = trainer.train(local)
        except TrainingFailed as failed:
            error = str(failed)
        finally:
            trainer.close()
        log = root / "notes" / LOG
        steps = _kept(store, set(job.steps.values()) - known.keys())
        return msgspec.msgpack.encode(
            Returned(
                release=release,
                error=error,
                use=used(local.run_folder),
                log=log.read_bytes() if log.is_file() else b"",
                output=_tree(root / "run" / "release"),
                steps=steps,
            )
        )


def _kept(store: FolderSteps | None, keys: Iterable[str]) -> dict[str, dict[str, bytes]]:
    found = {} if store is None else {key: store.get(key) for key in keys}
    return {key: dict(files) for key, files in found.items() if files is not None}


def _tree(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _write(folder: Path, tree: Tree) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _ray() -> Any:
    """Raises: Unavailable: the extra is not installed."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
    try:
        import ray
    except ImportError as error:
        raise Unavailable("the executor ray is not installed", hint="pip install flyball[ray]") from error
    return ray
