"""The release folder: what goes into it, and which part of it the root names.

In the root: the model file (`core.model.ModelFile`), `code/`, `contract.yaml`, `release.json`, `metrics.json`,
`baseline.json`, `probe.parquet` and `probe_predictions.json`. Beside it, pointing to it:
`manifest.json`, `evidence.json` (the release with its gates, its tests and what the clock measured), `card.md`,
`timings.json`, later `experiment.json`, `inputs.json` and `model.sig`. The signature covers both.
"""

import pickle
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.codec import canonical
from flyball.core.errors import TrainingFailed
from flyball.core.ids import ReleaseRoot
from flyball.core.model import Formats, Load, Loaded, ModelFile, Packaged, outputs
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Baseline, Estimate, Release, TestResult
from flyball.core.service import Service
from flyball.pipeline.evidence.card import card
from flyball.pipeline.formats import candidates
from flyball.pipeline.manifest import Manifest
from flyball.pipeline.packing import BESIDE, CODE, CONTRACT, MANIFEST
from flyball.pipeline.run.data import files_under, manifest_of
from flyball.pipeline.suites import deployment_parity

PICKLE_PROTOCOL = 5
PROBE, PROBE_ANSWERS = "probe.parquet", "probe_predictions.json"
PROBE_ROWS = 64
FACTS = "release.json"
_MODEL_FILES = frozenset(get_args(ModelFile))


def copy_sources(job: TrainingJob, output: Path) -> None:
    """Code and contract as they were hashed."""
    for path, data in files_under(Path(job.service_folder) / CODE).items():
        _write(output / CODE / path, data)
    _write(output / CONTRACT, (Path(job.service_folder) / CONTRACT).read_bytes())


class Written(Record):
    """A package with its model file, loaded again as a gateway would."""

    loaded: Loaded
    facts: Packaged  # with the name of the model file
    tests: tuple[TestResult, ...]  # parity of the exported model, or why it is a pickle


def write_model(
    output: Path,
    facts: Packaged,
    estimator: Any,
    load: Load,
    *,
    service: Service,
    holdout: pl.DataFrame,
    formats: Formats | None,
) -> Written:
    """Write the model file in the best format that answers as the estimator does, and load the package again.

    `holdout`: features of the rows held out, on which exported models are compared with the estimator.

    Raises: TrainingFailed: it cannot be pickled, or not be loaded again; or it has to be ONNX and that differs.
    """
    data, facts, tests = _model_file(facts, estimator, service, holdout, formats)
    remove_other_models(output, facts)
    _write(output / FACTS, canonical(facts))
    _write(output / facts.model, data)
    try:
        return Written(loaded=load(str(output)), facts=facts, tests=tests)
    except Exception as error:  # user code runs while a pickle is loaded
        raise TrainingFailed(f"the packaged model cannot be loaded again: {type(error).__name__}: {error}") from error


def remove_other_models(output: Path, facts: Packaged) -> None:
    """A fit before this one may have left a model file in another format."""
    for other in _MODEL_FILES - {facts.model}:
        (output / other).unlink(missing_ok=True)


def _model_file(
    facts: Packaged, estimator: Any, service: Service, holdout: pl.DataFrame, formats: Formats | None
) -> tuple[bytes, Packaged, tuple[TestResult, ...]]:
    section = service.experiment
    files, why = candidates(section.export, estimator, warm_start=section.warm_start)
    for file in files:
        found = _exported(file, facts, estimator, holdout, formats)
        if not isinstance(found, str):
            data, test = found
            return data, replace(facts, model=file), (test,)
        if file == "model.tar":
            raise TrainingFailed(f"the files that {type(estimator.own).__name__}.save() writes are no model: {found}")
        if section.export == "onnx":
            raise TrainingFailed(f"experiment.export is onnx, and the model cannot be: {found}")
        why = found
    return _pickled(estimator), replace(facts, model="model.pkl"), (deployment_parity.kept_as_pickle(why),)


def _exported(
    file: ModelFile, facts: Packaged, estimator: Any, holdout: pl.DataFrame, formats: Formats | None
) -> tuple[bytes, TestResult] | str:
    """The exported model if it passes the parity gate, else what is wrong with it."""
    if formats is None:
        return "nothing that exports models was at hand"
    exported = formats.write(file, estimator, holdout)
    if isinstance(exported, str):
        return f"{file}: {exported}"
    try:
        reader = formats.read(file, exported.data)
    except Exception as error:  # a runtime refuses what a converter wrote in ways of its own
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        return f"{file} is written and cannot be read: {said}"
    found = deployment_parity.parity(
        lambda table: outputs(estimator, table, facts),
        lambda table: outputs(reader, table, facts),
        holdout,
        tolerance=exported.tolerance,
    )
    if not found.agrees:
        return f"{file} {deployment_parity.words(found)}"
    return exported.data, deployment_parity.result(file, found)


def _pickled(estimator: Any) -> bytes:
    try:
        return pickle.dumps(estimator, protocol=PICKLE_PROTOCOL)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise TrainingFailed(
            f"the estimator cannot be pickled: {error}; define its classes and functions at the top of a module"
        ) from error


def write_evidence(output: Path, metrics: dict[str, Estimate], normal: Baseline) -> None:
    _write(output / "metrics.json", canonical(metrics))
    _write(output / "baseline.json", canonical(normal))


def write_probe(output: Path, holdout: pl.DataFrame, model: Loaded) -> None:
    """Rows of the holdout at even distances, and the packaged model's answers to them.

    Raises: TrainingFailed: an answer is not a finite number.
    """
    at = np.unique(np.linspace(0, holdout.height - 1, min(PROBE_ROWS, holdout.height)).astype(np.int64))
    rows = holdout[at.tolist()]
    rows.write_parquet(output / PROBE, compression="zstd")
    predictions, scores = model.predict_frame(rows)
    answers = {"predictions": predictions.tolist(), "scores": None if scores is None else scores.tolist()}
    try:
        _write(output / PROBE_ANSWERS, canonical(answers))
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
