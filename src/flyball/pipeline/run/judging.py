"""The candidate and the champion on rows that neither was fitted on, and what the gates say of it."""

import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.frames import conform
from flyball.core.model import Label, Load, Loaded, LoadFresh
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Estimate, GateResult, TestResult
from flyball.core.service import Service
from flyball.pipeline import gates
from flyball.pipeline.evaluate import Scored, aligned, difference, evaluate, wanted
from flyball.pipeline.run.deploying import deploy
from flyball.pipeline.seed import seed_of
from flyball.pipeline.split import Rows, Split
from flyball.stats.metrics import score


class Judged(Record):
    """All that was found out about a candidate."""

    scored: Scored  # on the whole holdout
    metrics: dict[str, Estimate]  # computed from labels: the same whenever it is repeated
    measured: dict[str, Estimate]  # by the clock, on the disk, in memory
    missing: dict[str, str]
    results: tuple[GateResult, ...]
    tests: tuple[TestResult, ...] = ()  # of the deployment suite


def judge(
    job: TrainingJob,
    service: Service,
    table: pl.DataFrame,
    parts: Split,
    candidate: Loaded,
    load: Load,
    fresh: LoadFresh | None = None,
) -> Judged:
    """Evaluate on the holdout, compare with the champion on the rows that both may be judged on, ask the gates."""
    label = service.data.label
    scored = _score(candidate, table, parts.holdout, label)
    classes = _all_classes(service, table, candidate)
    wide = aligned(scored, candidate.facts.classes, classes)
    found = evaluate(wanted(service), wide, classes=classes, rng=_rng(service))
    rows = conform(table[parts.holdout.tolist()], candidate.dtypes)
    deployed = deploy(service, candidate, rows, job.judged_folder or job.output_folder, fresh)
    missing = {**found.missing, **deployed.missing}
    evidence = gates.Evidence(metrics=found.metrics | deployed.metrics, missing=missing)
    if job.champion_folder is not None:
        evidence = _with_champion(job, service, table, parts, candidate, load, evidence)
    return Judged(
        scored=scored,
        metrics=found.metrics,
        measured=deployed.metrics,
        missing=missing,
        results=gates.judge(service.gates, evidence),
        tests=deployed.tests,
    )


def _with_champion(
    job: TrainingJob,
    service: Service,
    table: pl.DataFrame,
    parts: Split,
    candidate: Loaded,
    load: Load,
    evidence: gates.Evidence,
) -> gates.Evidence:
    if len(parts.shared) == 0:
        words = "the champion was fitted on every row of the holdout"
        return replace(evidence, has_champion=True, no_comparison=words)
    assert job.champion_folder is not None
    try:
        champion = load(job.champion_folder, release=job.champion or "")
        theirs = _score(champion, table, parts.shared, service.data.label)
    except Exception as error:  # whatever it is: a champion that cannot answer is no evidence for the candidate
        words = f"the champion could not answer the holdout: {type(error).__name__}: {error}"
        return replace(evidence, has_champion=True, no_comparison=words)
    classes = _all_classes(service, table, candidate, champion)
    theirs = aligned(theirs, champion.facts.classes, classes)
    ours = _score(candidate, table, parts.shared, service.data.label)
    ours = aligned(ours, candidate.facts.classes, classes)
    return replace(
        evidence,
        has_champion=True,
        difference=lambda name: difference(name, theirs, ours, classes=classes, rng=_rng(service)),
        champion=lambda name: score(
            name, theirs.truth, theirs.predictions, theirs.scores, classes=list(classes) or None
        ),
    )


def _all_classes(service: Service, table: pl.DataFrame, *models: Loaded) -> tuple[Label, ...]:
    """Of many classes, those that a model or a label knows: one may be new in the holdout, another have died out."""
    known = models[0].facts.classes
    if service.experiment.task != "multiclass":
        return known
    others = {label for model in models for label in model.facts.classes}
    return tuple(
        sorted(others | set(table[service.data.label].unique().to_list()), key=lambda label: (str(type(label)), label))
    )


def _score(model: Loaded, table: pl.DataFrame, rows: Rows, label: str) -> Scored:
    chosen = table[rows.tolist()]
    predictions, scores = model.predict_frame(conform(chosen, model.dtypes))
    return Scored(truth=np.array(chosen[label].to_list()), predictions=predictions, scores=scores)


def _rng(service: Service) -> np.random.Generator:
    return np.random.default_rng(seed_of(service.experiment.seed))  # noqa: TID251 -- a verb makes it
