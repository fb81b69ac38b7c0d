"""Fit, test, judge and package one candidate: the steps in their order.

Order matters: the features code is tested before anything is fitted; the model is packaged, loaded again as a gateway
would and only then asked, so what was judged is what is served; an optional last fit comes after the gates. Each step's
output is kept under the digest of its inputs, so a run that was killed goes on where it was (`pipeline/steps.py`).
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.codec import canonical
from flyball.core.errors import Unavailable
from flyball.core.frames import conform
from flyball.core.model import Code
from flyball.core.ports import StepStore, Tools, TrainingJob
from flyball.core.release import Baseline, Release
from flyball.core.runs import StepUse
from flyball.pipeline import envelope
from flyball.pipeline.baseline import ASKED_ROWS, Held, baseline, sensitivity
from flyball.pipeline.labelled import labelled as labelled_reference
from flyball.pipeline.packing import CODE
from flyball.pipeline.run import evaluating, explaining, featuring, fitting, package, releasing, searching, splitting
from flyball.pipeline.run.data import labelled
from flyball.pipeline.run.dice import reseed
from flyball.pipeline.run.featuring import Made
from flyball.pipeline.run.judging import Judged
from flyball.pipeline.run.packaged import Package
from flyball.pipeline.run.parent import warm
from flyball.pipeline.run.searching import Chosen
from flyball.pipeline.run.stepping import Steps
from flyball.pipeline.run.subject import Subject, subject
from flyball.pipeline.run.testing import sample_of, scanned
from flyball.pipeline.split import Rows, Split


def run(
    job: TrainingJob,
    tools: Tools,
    *,
    step: Callable[[str], None],
    ended: Callable[[StepUse], None] = lambda _: None,
    store: StepStore | None = None,
) -> Release:
    """Train one release into `job.output_folder` and return it, gates judged, neither signed nor registered.

    Args:
        step, ended: told of each step, before and after it.
        store: keeps the outputs of steps; None: everything is done.

    Raises: TrainingFailed, Untrusted, BadInput, NotEnoughData; and whatever the service's own code raises.
    """
    of = subject(job)
    seed = of.service.experiment.seed
    steps = Steps(job.steps, store, began=step, ended=ended, prepare=lambda: reseed(seed))
    table = steps.take(
        "validate",
        lambda: labelled(job, of.contract, of.service),
        dump=lambda found: {"rows.json": canonical(found.height)},
        load=lambda _: labelled(job, of.contract, of.service),  # the rows are the snapshot's: kept once is enough
    )
    parts = steps.take("split", lambda: splitting.split(of, table), dump=splitting.dump, load=splitting.load)
    parts = splitting.with_champion(of, table, parts)
    if job.judge_only is not None:
        step("evaluate")
        return evaluating.judge_again(of, job.judge_only, table, parts, tools)
    if job.explain is not None:
        step("explain")
        return explaining.explain(of, job.explain, table, parts, tools, store)
    made = Package(Path(job.output_folder), of.service, tools)
    package.copy_sources(job, made.output)
    code = warm(of, tools, tools.import_code(str(made.output / CODE), job.code, of.service.experiment.module))
    return _candidate(of, steps, table, parts, code, made, tools)


def _candidate(
    of: Subject,
    steps: Steps,
    table: pl.DataFrame,
    parts: Split,
    code: Code,
    made: Package,
    tools: Tools,
) -> Release:
    """From the split to the sealed folder."""
    features = steps.take(
        "features",
        lambda: featuring.make(of, code, table),
        dump=lambda found: found.kept,
        load=lambda files: featuring.again(files, of, code, table),
    )
    chosen = _config(of, steps, table, parts, code, features, tools)

    def fitted(rows: Rows) -> Mapping[str, bytes]:
        return fitting.dump(fitting.fit(of, code, features.table, table, rows, chosen.config))

    def learn(rows: pl.DataFrame, label: pl.Series) -> Any:
        return fitting.train(of, code, rows, label, chosen.config)

    estimator = steps.take("train", lambda: fitted(parts.train), dump=_as_it_is, load=_as_it_is)

    def evaluated() -> evaluating.Evaluated:
        one = fitting.load(estimator)
        facts = fitting.facts(of, one, table, parts.train)
        cost = envelope.cost_of(steps.worked_s, of.service.experiment.limits.cost_per_hour)
        return evaluating.evaluate(of, table, parts, facts, one, made, tools, fit=learn, made=features.table, cost=cost)

    judged = steps.take(
        "evaluate", evaluated, dump=evaluating.dump, load=lambda files: evaluating.load(files, made)
    ).judged
    inputs = of.frame(table)
    normal = steps.take(
        "baseline",
        lambda: _normal(inputs, parts, of, made, judged),
        dump=lambda found: {"baseline.json": canonical(found)},
        load=lambda files: msgspec.json.decode(files["baseline.json"], type=Baseline),
    )
    if of.service.experiment.refit:
        judged = _refit(of, steps, table, parts, fitted, made, features, judged)
    root = steps.take(
        "package",
        lambda: releasing.sealed(
            made.output, sample_of(of.job, inputs[parts.holdout.tolist()]), made.loaded, judged, normal, chosen
        ),
        dump=lambda _: releasing.dump(made.output),
        load=lambda files: releasing.load(files, made),
    )
    files = scanned(of.job, of.service, None, folder=made.output).tests
    release = releasing.release(of, table, parts, replace(judged, tests=(*judged.tests, *files)), root)
    package.write_annexes(made.output, of.service, release, made.facts, judged.missing, steps.timings)
    return release


def _normal(inputs: pl.DataFrame, parts: Split, of: Subject, made: Package, judged: Judged) -> Baseline:
    """What normal looked like, and what the holdout's labels said of the answers."""
    scored = judged.scored
    held = Held(frame=inputs[parts.holdout.tolist()].select(of.plain), truth=scored.truth)
    train = inputs[parts.train.tolist()]
    normal = baseline(train, of.plain, made.facts, scored.predictions, scored.scores, held=held)
    # not from the declared seed: what a model that took no notice of it answers is the same release
    rng = np.random.default_rng(scored.truth.size)  # noqa: TID251 - from the holdout
    said = labelled_reference(
        made.facts.task,
        made.facts.classes,
        scored.truth,
        scored.predictions,
        scored.scores,
        answers=normal.prediction,
        rng=rng,
    )
    return replace(normal, labelled=said, sensitivity=_cares(held.frame, of, made, judged, rng))


def _cares(
    held: pl.DataFrame, of: Subject, made: Package, judged: Judged, rng: np.random.Generator
) -> dict[str, float]:
    """How much the answers rest on each input; none where the service's code does not bear rows that are mixed so."""
    try:
        rows = conform(held.head(ASKED_ROWS), made.loaded.dtypes)
        return sensitivity(made.loaded, rows, of.plain, rng)
    except Exception as error:  # the service's own code, asked in ways that it may not bear: told, not passed over
        judged.missing["sensitivity"] = f"{type(error).__name__}: {error}"
        return {}


def _config(
    of: Subject,
    steps: Steps,
    table: pl.DataFrame,
    parts: Split,
    code: Code,
    features: Made,
    tools: Tools,
) -> Chosen:
    """The declared configuration, or what a search makes of it."""
    if of.service.experiment.search is None:
        return Chosen(config=dict(of.service.experiment.config))
    searcher = tools.searcher
    if searcher is None:
        raise Unavailable("the declaration asks for a search, and this process has nobody who searches")
    return steps.take(
        "search",
        lambda: searching.search(of, code, features.table, table, parts, searcher),
        dump=searching.dump,
        load=searching.load,
    )


def _refit(
    of: Subject,
    steps: Steps,
    table: pl.DataFrame,
    parts: Split,
    fitted: Callable[[Rows], Mapping[str, bytes]],
    made: Package,
    features: Made,
    judged: Judged,
) -> Judged:
    """Fit once more on all rows, and put that model into the package; of the judgement, only its model file changes."""
    rows = np.concatenate([parts.train, parts.holdout])

    def again() -> evaluating.Evaluated:
        estimator: Any = fitting.load(fitted(rows))
        held = features.table[parts.holdout.tolist()]
        files = made.write(fitting.facts(of, estimator, table, rows), estimator, held)
        return evaluating.Evaluated(judged=evaluating.with_tests(judged, made.tests), files=files)

    return steps.take("refit", again, dump=evaluating.dump, load=lambda files: evaluating.load(files, made)).judged


def _as_it_is(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    return files
