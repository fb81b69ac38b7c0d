"""The candidate and the champion on rows that neither was fitted on, and what the gates say of it."""

import math

import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.frames import conform
from flyball.core.measures import family
from flyball.core.model import Label, Load, Loaded, LoadFresh
from flyball.core.ports import TrainingJob
from flyball.core.record import Record
from flyball.core.release import Estimate, GateResult, Release, TestResult
from flyball.core.service import MEASURED, Service
from flyball.pipeline import gates
from flyball.pipeline.evaluate import Scored, aligned, difference, evaluate, wanted
from flyball.pipeline.run.deploying import deploy
from flyball.pipeline.run.testing import Fit, tested
from flyball.pipeline.seed import seed_of
from flyball.pipeline.split import Rows, Split
from flyball.pipeline.suites.plan import plan, untrained
from flyball.stats.scoring.metrics import score


class Judged(Record):
    """All that was found out about a candidate."""

    scored: Scored  # on the whole holdout
    metrics: dict[str, Estimate]  # computed from labels: the same whenever it is repeated
    measured: dict[str, Estimate]  # by the clock, on the disk and by the suites: beside the root, not in it
    missing: dict[str, str]
    results: tuple[GateResult, ...]
    tests: tuple[TestResult, ...] = ()  # of the suites that ran

    @property
    def passed(self) -> bool:
        """Every gate, and no hard test failed."""
        return gates.passed(self.results, self.tests)


def judge(
    job: TrainingJob,
    service: Service,
    table: pl.DataFrame,
    parts: Split,
    candidate: Loaded,
    load: Load,
    *,
    fresh: LoadFresh | None = None,
    fit: Fit | None = None,
    made: pl.DataFrame | None = None,
    tests: tuple[TestResult, ...] = (),
    cost: float | None = None,
    known: Release | None = None,
) -> Judged:
    """Evaluate on the holdout, run the suites that the declaration asks for, compare with the champion, ask the gates.

    Args:
        fit: the user's `train` with its configuration and seed; None: nothing is fitted again.
        made: features of the whole table, in its order; None: they are not known.
        fresh: loads the package in a new interpreter; None: there is none.
        tests: results from before, such as the parity of the model file, for the gates and for the release.
        cost: of the training so far, in the unit of cost_per_hour.
        known: an earlier judgement of the same release: what cannot be made again without fitting is taken from it.
    """
    label = service.data.label
    scored = _score(candidate, table, parts.holdout, label)
    classes = _all_classes(service, table, candidate)
    wide = aligned(scored, candidate.facts.classes, classes)
    found = evaluate(wanted(service), wide, classes=classes, rng=_rng(service))
    suites = tested(job, service, table, parts, candidate, wide, classes, fit=fit, made=made)
    rows = conform(table[parts.holdout.tolist()], candidate.dtypes)
    deployed = deploy(service, candidate, rows, job.judged_folder or job.output_folder, fresh)
    told = _with_known((*tests, *deployed.tests, *suites.tests), known)
    values, unbounded = _finite(_known_measures(known) | deployed.metrics | suites.metrics)
    lacking = untrained(plan(service), service.experiment.metric, told, values)
    told = (*told, *lacking.tests)
    if cost is not None:
        values["cost"] = Estimate(value=cost, low=cost, high=cost, n=1)
    priced = {"cost": "no price is declared, or none was when it was trained: experiment.limits.cost_per_hour"}
    missing = {**found.missing, **deployed.missing, **lacking.missing, **suites.missing, **unbounded}
    missing |= priced if _asks_cost(service) else {}
    evidence = gates.Evidence(
        metrics=found.metrics | values,
        missing=missing,
        tests=told,
        cost=cost,
        grade=job.snapshot.grade,
        rows={"trained": len(parts.train), "holdout": len(parts.holdout), "shared": len(parts.shared)},
    )
    if job.champion_folder is not None:
        evidence = _with_champion(job, service, table, parts, candidate, load, evidence)
    return Judged(
        scored=scored,
        metrics=found.metrics,
        measured=_kept(values, service),
        missing={name: why for name, why in missing.items() if name not in values},
        results=gates.judge(service.gates, evidence),
        tests=told,
    )


def _finite(values: dict[str, Estimate]) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Measures that are numbers with bounds, and why the others are none: no gate may read half a figure."""
    sound = {n: one for n, one in values.items() if all(map(math.isfinite, (one.value, one.low, one.high)))}
    return sound, {n: f"it has no finite bounds on {values[n].n} rows" for n in values.keys() - sound.keys()}


def _asks_cost(service: Service) -> bool:
    return "cost" in gates.reads(service.gates)


def _kept(values: dict[str, Estimate], service: Service) -> dict[str, Estimate]:
    """What the release keeps beside its metrics: all of a full run, else what gates read; the tests carry the rest."""
    asked = gates.reads(service.gates) | {*MEASURED, "cost"}
    return values if service.experiment.suites == "full" else {n: found for n, found in values.items() if n in asked}


def _with_known(tests: tuple[TestResult, ...], known: Release | None) -> tuple[TestResult, ...]:
    """The results at hand, and those of an earlier judgement that nothing has replaced."""
    if known is None:
        return tests
    made = {(test.suite, test.name) for test in tests}
    return (*tests, *(test for test in known.tests if (test.suite, test.name) not in made))


def _known_measures(known: Release | None) -> dict[str, Estimate]:
    """Measures of an earlier judgement; the clock's are taken again."""
    if known is None:
        return {}
    return {name: found for name, found in known.metrics.items() if name not in MEASURED and family(name) is not None}


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
        champion_metrics=evaluate(wanted(service), theirs, classes=classes, rng=_rng(service)).metrics,
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
