"""`core.ports.Trainer` in this very process: for tests, notebooks and a debugger. It isolates nothing.

A crash or an exit of the service's code takes the caller along, a hang hangs it, and no limit is watched. Threads and
hash seed are those of this process, so only code that does not depend on them gives the root that the default gives.
"""

import random
import resource
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Protocol

import numpy as np

from flyball.adapters.models import formats
from flyball.adapters.models.attributions import attributions
from flyball.adapters.models.code import import_code
from flyball.adapters.models.fresh import load_fresh
from flyball.adapters.models.predictor import load
from flyball.adapters.training.run_notes import leave
from flyball.adapters.training.step_store import FolderSteps
from flyball.adapters.training.vega_svg import render
from flyball.core.errors import FlyballError, TrainingFailed
from flyball.core.ports import Searcher, StepStore, Tools, TrainingJob
from flyball.core.release import Release
from flyball.core.runs import StepUse, Use


class Run(Protocol):
    """The pipeline's verb."""

    def __call__(
        self,
        job: TrainingJob,
        tools: Tools,
        *,
        step: Callable[[str], None],
        ended: Callable[[StepUse], None],
        store: StepStore | None,
    ) -> Release: ...


class InProcessTrainer:
    """Calls the pipeline. `seed_of`: how a declared seed becomes a number."""

    def __init__(
        self,
        run: Run,
        seed_of: Callable[[str], int],
        *,
        searcher: Searcher | None = None,
        on_step: Callable[[str], None] = lambda _: None,
        store: Callable[[str], StepStore] = lambda folder: FolderSteps(Path(folder)),
    ) -> None:
        self._run, self._seed_of, self._searcher = run, seed_of, searcher
        self._on_step, self._store = on_step, store

    def train(self, job: TrainingJob) -> Release:
        """See the port. The generators of `random` and NumPy are seeded, and given back as they were."""
        steps: list[StepUse] = []
        log = Path(job.output_folder).parent / "training.log"
        began, cpu_s = time.perf_counter(), time.process_time()
        states = random.getstate(), np.random.get_state()
        seed = self._seed_of(str(job.declaration["experiment"].get("seed", "0")))
        random.seed(seed)
        np.random.seed(seed)
        try:
            with log.open("w", encoding="utf-8") as file, redirect_stdout(file), redirect_stderr(file):
                return self._run(
                    job,
                    Tools(
                        import_code=import_code,
                        load=load,
                        searcher=self._searcher,
                        formats=formats,
                        fresh=load_fresh,
                        attribute=attributions,
                        render=render,
                    ),
                    step=self._on_step,
                    ended=steps.append,
                    store=self._store(job.steps_folder) if job.steps_folder else None,
                )
        except TrainingFailed:
            raise
        except FlyballError as error:
            raise TrainingFailed(str(error), hint=error.hint) from error
        except SystemExit as error:
            raise TrainingFailed(f"the service's code called sys.exit({error.code!r})") from error
        except Exception as error:  # the service's own code
            with log.open("a", encoding="utf-8") as file:
                traceback.print_exc(file=file)
            raise TrainingFailed(f"the service's code raised {type(error).__name__}: {error}") from error
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])
            use = Use(
                steps=tuple(steps),
                seconds=round(time.perf_counter() - began, 3),
                cpu_s=round(time.process_time() - cpu_s, 3),
                peak_rss_mb=round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _MAXRSS_BYTES / 1e6, 1),
                gpu="not measured: in-process",
            )
            leave(job.run_folder, use, log)

    def close(self) -> None:
        """Nothing is kept open."""

    def warm(self) -> None:
        """Nothing has to be started."""


_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024
