"""Step explain: the evidence of a registered release, for people and for the tools of others.

Runs after registration, so that no rollout waits for it, in a process of its own as every training does. Nothing is
fitted and nothing under the root changes: card, bill of materials, attributions and plots point to the root. They are
looked through for personal data before anybody gets them.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from flyball.core.codec import canonical
from flyball.core.errors import FlyballError, TrainingFailed
from flyball.core.frames import conform
from flyball.core.model import Loaded, Predictions, Scores, outputs
from flyball.core.ports import StepStore, Tools
from flyball.core.release import Attributions, Release, refusals
from flyball.core.service import Task
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.evidence.bill_of_materials import Library, bill_of_materials
from flyball.pipeline.evidence.card import card
from flyball.pipeline.evidence.plots import Plots, plots
from flyball.pipeline.inputs import Inputs
from flyball.pipeline.packing import CARD, INPUTS
from flyball.pipeline.run import fitting
from flyball.pipeline.run.subject import Subject
from flyball.pipeline.run.testing import scanned
from flyball.pipeline.seed import seed_of
from flyball.pipeline.split import Split

BILL, ATTRIBUTIONS, MISSING = "bom.cdx.json", "attributions.json", "missing.json"
_SEEN = "it was fitted once more on the rows held out, so they say nothing about it"
_DRAWN_FROM_ROWS = ("attributions", "slices")  # the others show answers to rows held out


def explain(
    of: Subject, release: Release, table: pl.DataFrame, parts: Split, tools: Tools, store: StepStore | None
) -> Release:
    """Write the evidence into the job's output folder; the release is handed back as it is.

    Raises: TrainingFailed: the job does not say where the release is, or the evidence holds personal data.
    """
    job = of.job
    if job.judged_folder is None:
        raise TrainingFailed("the job names a release to explain and not its folder")
    loaded = tools.load(job.judged_folder, release=release.root)
    rows = conform(table[parts.holdout.tolist()], loaded.dtypes)
    predictions, scores = loaded.predict_frame(rows)
    truth = np.array(table[of.label][parts.holdout.tolist()].to_list())
    missing: dict[str, str] = {}
    rests_on = _attributions(of, rows, loaded, tools, store, missing)
    scored = Scored(truth=truth, predictions=predictions, scores=scores)
    drawn = plots(release.task, scored, loaded.facts.classes, attributions=rests_on, tests=release.tests)
    pictures = _rendered(drawn, release, tools, missing)
    _write(of, release, loaded, rests_on, pictures, missing)
    # looked through before libraries are added: version numbers are no addresses, and the plots lie beside it as text
    _write_bill(of, release, loaded, rests_on)
    found = refusals((), scanned(job, of.service, None, folder=Path(job.output_folder)).tests)
    if found:
        raise TrainingFailed(f"the evidence may not be kept: {'; '.join(found)}")
    installed = msgspec.json.decode((Path(job.judged_folder) / INPUTS).read_bytes(), type=Inputs).environment.installed
    libraries = tuple(Library(name=one.name, version=one.version, record=one.record) for one in installed)
    _write_bill(of, release, loaded, rests_on, libraries=libraries, pictures=pictures)
    return release


def _attributions(
    of: Subject, rows: pl.DataFrame, loaded: Loaded, tools: Tools, store: StepStore | None, missing: dict[str, str]
) -> Attributions | None:
    """Of the estimator where there is one, by its features; else of the packaged model, by its inputs."""
    if tools.attribute is None:
        missing["attributions"] = "nothing that explains models was at hand"
        return None
    seed, task = seed_of(of.service.experiment.seed), of.service.experiment.task
    estimator = loaded.estimator if loaded.estimator is not None else _kept_estimator(of, store)
    words = "prediction" if task == "regression" else "score" if task == "binary" else "top probability"
    try:
        if estimator is None:
            return tools.attribute(
                None, rows, lambda part: _number(task, loaded.predict_frame(part)), output=words, seed=seed
            )
        return tools.attribute(
            estimator,
            loaded.features(rows),
            lambda made: _number(task, outputs(estimator, made, loaded.facts)),
            output=words,
            seed=seed,
        )
    except Exception as error:  # the service's own estimator, asked in ways that it may not bear: told, not passed over
        missing["attributions"] = f"{type(error).__name__}: {error}"
        return None


def _kept_estimator(of: Subject, store: StepStore | None) -> Any:
    """As it was fitted, where the step is still kept; of a refitted release it would be another model."""
    key = of.job.steps.get("train")
    if store is None or key is None or of.service.experiment.refit:
        return None
    files = store.get(key)
    return None if files is None else fitting.load(files)


def _number(task: Task, answers: tuple[Predictions, Scores]) -> Any:
    predictions, scores = answers
    if task == "regression" or scores is None:
        return np.asarray(predictions, dtype=np.float64)
    return scores if scores.ndim == 1 else scores.max(axis=1)


def _rendered(drawn: Plots, release: Release, tools: Tools, missing: dict[str, str]) -> dict[str, str]:
    """File name -> SVG text; what is not drawn is told with the reason."""
    missing |= {f"plot {name}": why for name, why in drawn.missing.items()}
    pictures: dict[str, str] = {}
    for name, spec in drawn.specs.items():
        if release.refitted and name not in _DRAWN_FROM_ROWS:
            missing[f"plot {name}"] = _SEEN
        elif tools.render is None:
            missing[f"plot {name}"] = "nothing that draws was at hand"
        else:
            try:
                pictures[f"{name}.svg"] = tools.render(spec)
            except FlyballError as error:
                missing[f"plot {name}"] = f"{error} {error.hint}".strip()
    return pictures


def _write(
    of: Subject,
    release: Release,
    loaded: Loaded,
    rests_on: Attributions | None,
    pictures: dict[str, str],
    missing: dict[str, str],
) -> None:
    text = card(of.service, release, loaded.facts, missing={}, attributions=rests_on, plots=sorted(pictures))
    files = {name: svg.encode() for name, svg in pictures.items()} | {CARD: text.encode(), MISSING: canonical(missing)}
    if rests_on is not None:
        files[ATTRIBUTIONS] = canonical(rests_on)
    for name, data in files.items():
        (Path(of.job.output_folder) / name).write_bytes(data)


def _write_bill(
    of: Subject,
    release: Release,
    loaded: Loaded,
    rests_on: Attributions | None,
    *,
    libraries: Sequence[Library] = (),
    pictures: Mapping[str, str] = {},
) -> None:
    model = Path(of.job.judged_folder or "") / loaded.facts.model
    document = bill_of_materials(
        of.service,
        release,
        loaded.facts,
        model_sha256=sha256(model.read_bytes()).hexdigest(),
        libraries=libraries,
        attributions=rests_on,
        plots=pictures,
    )
    (Path(of.job.output_folder) / BILL).write_bytes(canonical(document))
