"""The release folder: what goes into it, and which part of it the root names.

In the root: `model.pkl`, `code/`, `contract.yaml`, `release.json`, `metrics.json`, `baseline.json`, `probe.parquet` and
`probe_predictions.json`. Beside it, pointing to it: `manifest.json`, `evidence.json` (the release with its gates and
what the clock measured), `card.md`, `timings.json`, later `experiment.json`, `inputs.json` and `model.sig`. The
signature covers both.
"""

import pickle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from flyball.core.codec import canonical
from flyball.core.errors import TrainingFailed
from flyball.core.ids import ReleaseRoot
from flyball.core.model import Load, Loaded, Packaged
from flyball.core.ports import TrainingJob
from flyball.core.release import Baseline, Estimate, Release
from flyball.core.service import Service
from flyball.pipeline.card import card
from flyball.pipeline.manifest import Manifest
from flyball.pipeline.packing import BESIDE, CODE, CONTRACT, MANIFEST
from flyball.pipeline.run.data import files_under, manifest_of

PICKLE_PROTOCOL = 5
PROBE_ROWS = 64


def copy_sources(job: TrainingJob, output: Path) -> None:
    """Code and contract as they were hashed."""
    for path, data in files_under(Path(job.service_folder) / CODE).items():
        _write(output / CODE / path, data)
    _write(output / CONTRACT, (Path(job.service_folder) / CONTRACT).read_bytes())


def write_model(output: Path, facts: Packaged, estimator: Any, load: Load) -> Loaded:
    """Pickle the estimator and load the package again, as a gateway would.

    Raises: TrainingFailed: it cannot be pickled, or not be loaded again.
    """
    _write(output / "release.json", canonical(facts))
    try:
        _write(output / facts.model, pickle.dumps(estimator, protocol=PICKLE_PROTOCOL))
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TrainingFailed(
            f"the estimator cannot be pickled: {error}; define its classes and functions at the top of a module"
        ) from error
    try:
        return load(str(output))
    except Exception as error:  # user code runs while a pickle is loaded
        raise TrainingFailed(f"the packaged model cannot be loaded again: {type(error).__name__}: {error}") from error


def write_evidence(output: Path, metrics: dict[str, Estimate], normal: Baseline) -> None:
    _write(output / "metrics.json", canonical(metrics))
    _write(output / "baseline.json", canonical(normal))


def write_probe(output: Path, holdout: pl.DataFrame, model: Loaded) -> None:
    """Rows of the holdout at even distances, and the packaged model's answers to them.

    Raises: TrainingFailed: an answer is not a finite number.
    """
    at = np.unique(np.linspace(0, holdout.height - 1, min(PROBE_ROWS, holdout.height)).astype(np.int64))
    rows = holdout[at.tolist()]
    rows.write_parquet(output / "probe.parquet", compression="zstd")
    predictions, scores = model.predict_frame(rows)
    answers = {"predictions": predictions.tolist(), "scores": None if scores is None else scores.tolist()}
    try:
        _write(output / "probe_predictions.json", canonical(answers))
    except ValueError as error:
        raise TrainingFailed(f"the model's answers to the probe rows are not finite numbers: {error}") from error


def seal(output: Path) -> ReleaseRoot:
    """Hash what the root names, write the manifest, return the root."""
    found: Manifest = manifest_of(output, without=BESIDE)
    _write(output / MANIFEST, canonical(found))
    return ReleaseRoot(found.root)


def write_annexes(
    output: Path,
    service: Service,
    release: Release,
    facts: Packaged,
    missing: dict[str, str],
    timings: dict[str, float],
) -> None:
    """What points to the root: the release with its evidence, the card, how long each step took in seconds."""
    _write(output / "evidence.json", msgspec.json.encode(release))
    _write(output / "card.md", card(service, release, facts, missing=missing).encode())
    _write(output / "timings.json", msgspec.json.encode(timings))


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
