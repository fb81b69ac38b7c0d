"""Fit, test, judge and package one candidate.

Order matters: the features code is tested before anything is fitted; the model is packaged, loaded again as a gateway
would and only then asked, so what was judged is what is served; an optional last fit comes after the gates.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault, TrainingFailed
from flyball.core.events import Reason
from flyball.core.frames import conform
from flyball.core.ids import ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.model import Code, ImportCode, Input, Label, Load, Packaged, features
from flyball.core.ports import TrainingJob
from flyball.core.release import Release
from flyball.core.service import Service
from flyball.pipeline import deployment, gates
from flyball.pipeline.baseline import baseline
from flyball.pipeline.packing import CODE
from flyball.pipeline.run import package
from flyball.pipeline.run.data import labelled, read_snapshot
from flyball.pipeline.run.judging import Judged, judge
from flyball.pipeline.seed import seed_of
from flyball.pipeline.split import ROW, Split, positions, temporal


def run(job: TrainingJob, *, import_code: ImportCode, load: Load, step: Callable[[str], None]) -> Release:
    """Train one release into `job.output_folder` and return it, gates judged, neither signed nor registered.

    Raises: TrainingFailed, Untrusted, BadInput, NotEnoughData; and whatever the service's own code raises.
    """
    began = time.perf_counter()
    timings: dict[str, float] = {}

    def stage(name: str) -> None:
        timings[name] = round(time.perf_counter() - began, 4)
        step(name)

    stage("data")
    service, contract = _declared(job)
    table = labelled(job, contract, service)
    parts = _split(job, service, table)
    if job.judge_only is not None:
        stage("evaluate")
        return _judge_again(job, job.judge_only, service, table, parts, load)
    output = Path(job.output_folder)
    package.copy_sources(job, output)
    stage("code")
    code = import_code(str(output / CODE), job.code, service.experiment.module)
    inputs = tuple(Input(name=c.name, kind=c.kind) for c in contract.columns if c.name != service.data.label)
    plain = _plain(service, inputs)
    frame = table.select([column.name for column in inputs])
    made = _features(code, frame, plain, service)
    stage("fit")
    estimator = _fit(code, service, made, table, parts.train, **_parent(job, service, load))
    facts = _facts(job, service, inputs, plain, estimator, table, parts.train)
    loaded = package.write_model(output, facts, estimator, load)
    stage("evaluate")
    judged = judge(job, service, table, parts, loaded, load)
    normal = baseline(frame[parts.train.tolist()], plain, facts, judged.scored.predictions, judged.scored.scores)
    if service.experiment.refit:
        stage("refit")
        everything = np.concatenate([parts.train, parts.holdout])
        estimator = _fit(code, service, made, table, everything, **_parent(job, service, load))
        facts = _facts(job, service, inputs, plain, estimator, table, everything)
        loaded = package.write_model(output, facts, estimator, load)
    stage("package")
    package.write_evidence(output, judged.metrics, normal)
    package.write_probe(output, frame[parts.holdout.tolist()], loaded)
    release = _release(job, service, table, parts, judged, package.seal(output))
    package.write_annexes(
        output, service, release, facts, judged.missing, timings | {"end": round(time.perf_counter() - began, 4)}
    )
    return release


def _judge_again(
    job: TrainingJob, release: Release, service: Service, table: pl.DataFrame, parts: Split, load: Load
) -> Release:
    """The same release with the gates of the job's declaration."""
    if job.judged_folder is None:
        raise TrainingFailed("the job names a release to judge and not its folder")
    judged = judge(job, service, table, parts, load(job.judged_folder, release=release.root), load)
    return replace(
        release,
        metrics=release.metrics | judged.metrics | judged.measured,
        gates=judged.results,
        passed=gates.passed(judged.results),
        compared_with=ReleaseRoot(job.champion) if job.champion is not None else None,
        rubber_stamped=job.champion is None,
    )


def _declared(job: TrainingJob) -> tuple[Service, DataContract]:
    service = msgspec.convert(job.declaration, Service)
    if job.contract is None:
        raise TrainingFailed("the job carries no data contract")
    if service.data.label not in {column.name for column in job.contract.columns}:
        fault = Fault(where="contract", path=service.data.label, expected="a column for the label", found="none")
        raise BadInput("The contract does not fit the service.", (fault,))
    return service, job.contract


def _split(job: TrainingJob, service: Service, table: pl.DataFrame) -> Split:
    theirs = None
    if job.champion_snapshot is not None and job.champion_snapshot_folder is not None:
        known = read_snapshot(job.champion_snapshot_folder, job.champion_snapshot)
        seen = positions(known, job.champion_snapshot.first_row) <= job.champion_last_row
        theirs = conform(known.filter(pl.Series(seen)), {n: t for n, t in table.schema.items() if n != ROW})
    return temporal(
        table,
        timestamp=service.data.timestamp,
        holdout=service.experiment.split.holdout,
        champion_last_row=job.champion_last_row if theirs is None else 0,
        champion_rows=theirs,
    )


def _plain(service: Service, inputs: tuple[Input, ...]) -> tuple[str, ...]:
    apart = {service.data.key, service.data.timestamp}
    return tuple(column.name for column in inputs if column.name not in apart)


def _features(code: Code, frame: pl.DataFrame, plain: tuple[str, ...], service: Service) -> pl.DataFrame:
    made = features(code.features, frame, plain)
    if code.features is not None:
        rng = np.random.default_rng(seed_of(service.experiment.seed))  # noqa: TID251 -- a verb makes it
        fault = deployment.unlike(lambda part: features(code.features, part, plain), frame, rng=rng)
        if fault is not None:
            raise TrainingFailed(fault)
    return made


def _parent(job: TrainingJob, service: Service, load: Load) -> dict[str, Any]:
    """For a warm start the estimator to begin from, loaded anew for each fit, as a fit may change it; None at first."""
    if not service.experiment.warm_start:
        return {}
    if job.parent_folder is None:
        return {"parent": None}
    parent = load(job.parent_folder, release=job.parent or "").estimator
    if parent is None:
        words = f"release {job.parent} was packaged without its estimator, so a warm start cannot begin from it"
        raise TrainingFailed(f"{words}; set experiment.export: pickle, or warm_start: false")
    return {"parent": parent}


def _fit(code: Code, service: Service, made: pl.DataFrame, table: pl.DataFrame, rows: Any, **parent: Any) -> Any:
    chosen = rows.tolist()
    estimator = code.train(
        made[chosen],
        table[service.data.label][chosen],
        config=dict(service.experiment.config),
        seed=seed_of(service.experiment.seed),
        **parent,
    )
    needed = "predict" if service.experiment.task == "regression" else "predict_proba"
    if not callable(getattr(estimator, needed, None)):
        raise TrainingFailed(f"train() must return an estimator with {needed}, found {type(estimator).__name__}")
    return estimator


def _facts(
    job: TrainingJob,
    service: Service,
    inputs: tuple[Input, ...],
    plain: tuple[str, ...],
    estimator: Any,
    table: pl.DataFrame,
    rows: Any,
) -> Packaged:
    return Packaged(
        service=service.metadata.name,
        task=service.experiment.task,
        threshold=service.experiment.threshold,
        label=service.data.label,
        classes=_classes(service, estimator, table[service.data.label][rows.tolist()]),
        inputs=inputs,
        plain=plain,
        module=service.experiment.module,
        code=job.code,
    )


def _classes(service: Service, estimator: Any, label: pl.Series) -> tuple[Label, ...]:
    """As the estimator orders its probabilities; sorted labels where it does not say."""
    if service.experiment.task == "regression":
        return ()
    named = getattr(estimator, "classes_", None)
    classes: list[Label] = label.unique().sort().to_list() if named is None else np.asarray(named).tolist()
    if len(classes) < 2 or (service.experiment.task == "binary" and len(classes) != 2):
        wanted = "two classes" if service.experiment.task == "binary" else "at least two classes"
        raise TrainingFailed(f"expected {wanted} of {service.data.label!r} in the training rows, found {classes}")
    return tuple(classes)


def _release(
    job: TrainingJob, service: Service, table: pl.DataFrame, parts: Split, judged: Judged, root: ReleaseRoot
) -> Release:
    positions = table[ROW].to_numpy()
    fitted = positions if service.experiment.refit else positions[parts.train]
    return Release(
        root=root,
        experiment=ExperimentDigest(job.experiment),
        service=ServiceName(service.metadata.name),
        task=service.experiment.task,
        snapshot=job.snapshot.root,
        metrics=judged.metrics | judged.measured,
        gates=judged.results,
        passed=gates.passed(judged.results),
        compared_with=ReleaseRoot(job.champion) if job.champion is not None else None,
        trained_rows=len(fitted),
        holdout_rows=len(parts.holdout),
        first_row=int(positions.min()),
        last_row=int(positions.max()),
        reason=msgspec.convert(job.reason, Reason),
        rubber_stamped=job.champion is None,
        trained_last_row=int(fitted.max()),
        refitted=service.experiment.refit,
    )
