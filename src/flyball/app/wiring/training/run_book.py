"""The facts and folders of runs: what is written when a training begins, is refused, fails or gives a release."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from flyball.adapters.training.run_notes import used
from flyball.adapters.training.step_store import FolderSteps
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.core import events as e
from flyball.core.ids import ExperimentDigest, Ids, ReleaseRoot, ServiceName
from flyball.core.ports import TrainingJob
from flyball.core.release import Release
from flyball.core.runs import Ended, StepUse
from flyball.core.service import Experiment
from flyball.decide.signals import training_failed
from flyball.pipeline import envelope, steps
from flyball.pipeline.identity import Experiment as Document
from flyball.pipeline.suites.masking import masked
from flyball.registry.runs import Book

ERROR_LINES = 40  # of what a failed run said; the log has the rest


class RunBook:
    """Handed in: where runs leave their notes, and where their ids come from."""

    def __init__(self, home: Home, ids: Ids) -> None:
        self._home, self._ids = home, ids

    def prepared(self, job: TrainingJob, declared: Declared, document: Document) -> TrainingJob:
        """The job as one run: with its id, the place of its notes, and the names of its steps."""
        service, run = declared.service, self._ids.new("run")
        files = {f"{each.role} {each.name}": each.digest for each in document.data if each.role != "train"}
        environment = f"{document.env.digest} {document.evaluation.digest}"  # another Flyball may do a step otherwise
        return replace(
            job,
            run=run,
            run_folder=str(self._home.runs / run),
            steps=steps.keys(steps.parts(job, service, environment=environment, files=files)),
            steps_folder=str(self._home.steps(service.metadata.name)),
            watched=_watched(declared.folder, self._home),
        )

    def refusal(self, experiment: Experiment, rows: int, book: Book) -> str | None:
        """Why the run is not started: earlier runs of the service used more than is declared."""
        past = [
            envelope.Past(rows=run.rows, seconds=run.use.seconds, peak_rss_mb=run.use.peak_rss_mb)
            for run in book.runs.values()
            if run.outcome == "trained" and all(step.how != "found" for step in run.use.steps)
        ]
        return envelope.refusal(
            experiment, envelope.estimate(past, rows, cost_per_hour=experiment.limits.cost_per_hour)
        )

    def begun(self, job: TrainingJob, document: Document, ticket: str | None, book: Book) -> list[e.AnyFact]:
        """The intent to train; and the end of runs of the same experiment that were killed before they could say so.

        Whoever holds the experiment (`wiring/training/alone.py`) knows that nobody else is at it.
        """
        name = ServiceName(job.declaration["metadata"]["name"])
        killed = [
            e.RunFinished(
                service=name,
                run=run.run,
                experiment=ExperimentDigest(run.experiment),
                outcome="broken_off",
                executor=run.executor,
                reason=run.reason,
                error="it was killed with the process that had asked for it",
                use=used(str(self._home.runs / run.run)),
            )
            for run in book.runs.values()
            if run.outcome == "running" and run.experiment == job.experiment
        ]
        started = e.TrainingStarted(
            service=name,
            experiment=ExperimentDigest(job.experiment),
            snapshot=job.snapshot.root,
            reason=_reason(job),
            ticket=ticket,
            run=job.run,
            code=document.code.digest,
            contract=document.of_role("contract"),
            environment=document.env.digest,
            parent=None if job.parent is None else ReleaseRoot(job.parent),
        )
        return [*killed, started]

    def ended(
        self,
        job: TrainingJob,
        outcome: Ended,
        *,
        release: Release | None = None,
        error: str = "",
        after: Sequence[StepUse] = (),
    ) -> e.RunFinished:
        """How the run ended, with what its trainer noted and the steps that came after it."""
        use = used(job.run_folder)
        experiment = job.declaration["experiment"]
        return e.RunFinished(
            service=ServiceName(job.declaration["metadata"]["name"]),
            run=job.run,
            experiment=ExperimentDigest(job.experiment),
            outcome=outcome,
            executor=experiment["executor"],
            reason=_reason(job),
            rows=job.snapshot.rows,
            release=release.root if release is not None else None,
            error=masked("\n".join(error.splitlines()[:ERROR_LINES])),
            use=replace(use, steps=(*use.steps, *after)),
            cost=envelope.cost_of(use.seconds, experiment["limits"]["cost_per_hour"]),
        )

    def failed(self, job: TrainingJob, outcome: Ended, error: str, ticket: str | None, book: Book) -> list[e.AnyFact]:
        """A run that gave no release: the failure, the end of the run, and a signal that somebody sees.

        What the detectors find in the error is masked: the ledger forgets nothing. The run's log has the raw text.
        """
        name, error = ServiceName(job.declaration["metadata"]["name"]), masked(error)
        return [
            e.TrainingFailed(service=name, experiment=ExperimentDigest(job.experiment), error=error, ticket=ticket),
            self.ended(job, outcome, error=error),
            training_failed(
                name, error, failures=book.failures + 1, champion=job.champion, last_row=job.snapshot.last_row
            ),
        ]

    def worked(self, job: TrainingJob, release: Release, signed_s: float, book: Book) -> list[e.AnyFact]:
        """A run that gave a release; where trainings had failed before, their signal ends."""
        after = (
            StepUse(name="sign", seconds=round(signed_s, 4)),
            StepUse(name="gate", seconds=0.0),
            StepUse(name="register", seconds=0.0),
            StepUse(name="explain", seconds=0.0, how="left out"),
        )
        ended = self.ended(job, "trained", release=release, after=after)
        cleared = [e.SignalCleared(service=ended.service, signal="training")] if book.failures else []
        return [ended, *cleared]

    def tidy(self, service: str) -> None:
        """Outputs of steps that were not used for longest go when there are too many."""
        FolderSteps(self._home.steps(service)).prune()


def _reason(job: TrainingJob) -> e.Reason:
    reason: e.Reason = msgspec.convert(job.reason, e.Reason)
    return reason


def _watched(folder: Path, home: Home) -> tuple[str, ...]:
    """What a training has no business in: the service's folder and what the home keeps."""
    inside = [path for path in folder.iterdir() if not path.name.startswith(".") and path.resolve() != home.root]
    return tuple(str(path) for path in (*sorted(inside), home.keys, home.releases, home.snapshots))
