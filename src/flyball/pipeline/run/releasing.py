"""Step package: the release folder sealed under its root, and the record that goes with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from flyball.core.codec import canonical
from flyball.core.events import Reason
from flyball.core.ids import ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.model import Loaded
from flyball.core.release import Baseline, Release
from flyball.pipeline.packing import BESIDE, CODE, CONTRACT
from flyball.pipeline.run import package
from flyball.pipeline.run.data import files_under
from flyball.pipeline.run.judging import Judged
from flyball.pipeline.run.packaged import Package
from flyball.pipeline.run.searching import TRIALS, Chosen
from flyball.pipeline.run.subject import Subject
from flyball.pipeline.split import ROW, Split


def sealed(
    output: Path, holdout: pl.DataFrame, loaded: Loaded, judged: Judged, normal: Baseline, chosen: Chosen
) -> ReleaseRoot:
    """Write the evidence, what was searched and the probe beside the model, and hash it all.

    Raises: TrainingFailed: an answer to a probe row is not a finite number.
    """
    if chosen.trials:
        (output / TRIALS).write_bytes(canonical(chosen))
    package.write_evidence(output, judged.metrics, normal)
    package.write_probe(output, holdout, loaded)
    return package.seal(output)


def dump(output: Path) -> Mapping[str, bytes]:
    """The files under the root that this training made; code and contract are copied anew in each run."""
    return {path: data for path, data in files_under(output).items() if path not in BESIDE and not _copied(path)}


def load(files: Mapping[str, bytes], made: Package) -> ReleaseRoot:
    made.restore(files)
    return package.seal(made.output)


def _copied(path: str) -> bool:
    """Sources: their bytes may change where what is read of them does not, by a comment in the contract, say."""
    return path == CONTRACT or path.startswith(f"{CODE}/")


def release(of: Subject, table: pl.DataFrame, parts: Split, judged: Judged, root: ReleaseRoot) -> Release:
    """The record of the release, gates judged."""
    job, experiment = of.job, of.service.experiment
    positions: Any = table[ROW].to_numpy()
    fitted = positions if experiment.refit else positions[parts.train]
    return Release(
        root=root,
        experiment=ExperimentDigest(job.experiment),
        service=ServiceName(of.service.metadata.name),
        task=experiment.task,
        snapshot=job.snapshot.root,
        metrics=judged.metrics | judged.measured,
        gates=judged.results,
        tests=judged.tests,
        passed=judged.passed,
        compared_with=ReleaseRoot(job.champion) if job.champion is not None else None,
        trained_rows=len(fitted),
        holdout_rows=len(parts.holdout),
        first_row=int(positions.min()),
        last_row=int(positions.max()),
        reason=msgspec.convert(job.reason, Reason),
        rubber_stamped=job.champion is None,
        trained_last_row=int(fitted.max()),
        refitted=experiment.refit,
    )
