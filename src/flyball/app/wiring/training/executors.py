"""Where trainings run: `experiment.executor` of each job chooses among the trainers, each started when first needed."""

from collections.abc import Callable
from typing import Protocol

from flyball.adapters.training.in_process import InProcessTrainer
from flyball.adapters.training.optuna_search import TpeSearch
from flyball.adapters.training.ray_trainer import RayTrainer
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.core.ports import Trainer, TrainingJob
from flyball.core.release import Release

DEFAULT = "subprocess"


class Closable(Trainer, Protocol):
    def close(self) -> None: ...

    def warm(self) -> None: ...


class Executors:
    """`core.ports.Trainer` over all of them."""

    def __init__(self, *, on_step: Callable[[str], None] = lambda _: None) -> None:
        self._on_step = on_step
        self._trainers: dict[str, Closable] = {}

    def train(self, job: TrainingJob) -> Release:
        """See the port."""
        return self._named(job.declaration.get("experiment", {}).get("executor", DEFAULT)).train(job)

    def warm(self) -> None:
        """Start the default one."""
        self._named(DEFAULT).warm()

    def close(self) -> None:
        """End all that were started; the next training starts its own anew."""
        for trainer in self._trainers.values():
            trainer.close()

    def _named(self, executor: str) -> Closable:
        if executor not in self._trainers:
            self._trainers[executor] = self._start(executor)
        return self._trainers[executor]

    def _start(self, executor: str) -> Closable:
        if executor == "ray":
            return RayTrainer(on_step=self._on_step)
        if executor == "in_process":
            return in_process(on_step=self._on_step)
        return ForkServerTrainer(on_step=self._on_step)


def in_process(*, on_step: Callable[[str], None] = lambda _: None) -> InProcessTrainer:
    """The executor without isolation."""
    from flyball.pipeline.run import run
    from flyball.pipeline.seed import seed_of

    return InProcessTrainer(run, seed_of, searcher=TpeSearch(), on_step=on_step)
