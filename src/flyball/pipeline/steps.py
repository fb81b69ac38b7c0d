"""The steps of a training as a table: what each needs, what it reads of the job, and the name of its output.

The name (key) of an output is a digest over the step's name, the version of its code, what it reads and the keys of the
steps before it. So what did not change has the name it had, and is found; what changed has another one, and so has all
that comes after it. Nothing about time, place, run or executor is in a key.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from flyball.core.codec import digest
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.service import Service
from flyball.pipeline.identity import asked_tests, typed

DOMAIN = "flyball/step/v1"


class Step(Record):
    """One step. `version` is raised with each change of its code that may change what it gives."""

    name: str
    after: tuple[str, ...] = ()  # steps whose output it needs
    reads: tuple[str, ...] = ()  # parts of the job, see `parts`
    place: Literal["training", "pipeline"] = "training"  # the training's process, or the one that asked for it
    version: int = 1


TABLE: tuple[Step, ...] = (
    Step(name="validate", reads=("snapshot", "contract", "label")),
    Step(name="split", after=("validate",), reads=("timestamp", "split")),
    Step(name="features", after=("validate",), reads=("code", "inputs", "environment")),
    Step(
        name="search",
        after=("split", "features"),
        reads=("search", "metric", "task", "trials_threshold", "config", "seed", "parent"),
    ),
    Step(name="train", after=("split", "features", "search"), reads=("task", "config", "seed", "parent")),
    Step(name="evaluate", after=("train",), reads=("judging", "champion", "packaging", "files", "read_at", "price")),
    Step(name="baseline", after=("evaluate",)),
    Step(name="refit", after=("train", "evaluate"), reads=("refit",)),
    Step(name="package", after=("evaluate", "baseline", "refit"), reads=("service",)),
    Step(name="sign", after=("package",), place="pipeline"),
    Step(name="gate", after=("evaluate", "sign"), place="pipeline"),
    Step(name="register", after=("sign", "gate"), place="pipeline"),
    Step(name="explain", after=("register",), place="pipeline"),  # after registration: no rollout waits for it
)

NAMES = tuple(step.name for step in TABLE)
OPTIONAL = frozenset({"search", "refit"})  # left out unless the declaration asks


def asked(service: Service) -> tuple[str, ...]:
    """The steps that a training of this service goes through, in order."""
    wanted = {"search": service.experiment.search is not None, "refit": service.experiment.refit}
    return tuple(name for name in NAMES if wanted.get(name, True))


def keys(parts: Mapping[str, Any]) -> dict[str, str]:
    """Step -> name of its output, for the steps of the training's process.

    Raises: KeyError: a part that a step reads is not there.
    """
    found: dict[str, str] = {}
    for step in TABLE:
        if step.place == "training":
            document = {
                "step": step.name,
                "version": step.version,
                "reads": {name: parts[name] for name in step.reads},
                "after": {name: found[name] for name in step.after},
            }
            found[step.name] = digest(DOMAIN, document)
    return found


def parts(
    job: TrainingJob, service: Service, *, environment: str, files: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """What of a job the steps read, as values that have a digest.

    Args: files: digests of the contract file, the golden set, the off-policy log and clauses' tables, by role and name.

    Raises: BadInput: the configuration holds a number that has no text (NaN, infinity).
    """
    experiment = service.experiment
    section = msgspec.to_builtins(experiment)
    known = job.champion_snapshot
    theirs = None if known is None else {"root": known.root, "first_row": known.first_row}
    return {
        "snapshot": {"root": job.snapshot.root, "first_row": job.snapshot.first_row},
        "contract": msgspec.to_builtins(job.contract),
        "label": service.data.label,
        "timestamp": service.data.timestamp,
        "split": section["split"],
        "champion": {"root": job.champion, "last_row": job.champion_last_row, "snapshot": theirs},
        "code": {"digest": job.code, "module": experiment.module},
        "inputs": {"key": service.data.key, "timestamp": service.data.timestamp, "label": service.data.label},
        "seed": experiment.seed,
        "environment": environment,
        "search": section["search"],
        "metric": experiment.metric,
        "task": experiment.task,
        "config": typed(experiment.config),
        # trials are scored by it; without a search another threshold fits nothing anew
        "trials_threshold": experiment.threshold if experiment.search is not None else None,
        "parent": {"root": job.parent, "warm_start": experiment.warm_start},  # `train` gets `parent`, or does not
        "judging": {
            "gates": msgspec.to_builtins(service.gates),
            "live_metric": msgspec.to_builtins(service.monitor.live_metric),
            "grade": job.snapshot.grade,
            "metric": experiment.metric,
            "seed": experiment.seed,
            "suites": experiment.suites,
            "tests": asked_tests(section["tests"]),
        },
        "packaging": {
            "threshold": experiment.threshold,
            "export": experiment.export,
            "warm_start": experiment.warm_start,
            "objectives": msgspec.to_builtins(service.serving.objectives),
        },
        "files": dict(files or {}),
        "read_at": job.snapshot.as_of,
        "price": experiment.limits.cost_per_hour,  # what the fit has cost is part of the judgement
        "refit": experiment.refit,
        "service": {"name": service.metadata.name, "owner": service.metadata.owner},
    }
