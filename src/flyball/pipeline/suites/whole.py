"""The suites put together: from subject and plan to all results and measures, each test with a stream of its own.

A test that cannot be made says so in its result; it is never left out in silence.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

import numpy as np
import polars as pl

from flyball.pipeline.split import ROW
from flyball.pipeline.suites import declared
from flyball.pipeline.suites.backtest import backtest
from flyball.pipeline.suites.calibration import calibration
from flyball.pipeline.suites.columns import constant_columns, label_copies, time_in_features
from flyball.pipeline.suites.contract import contract_kept
from flyball.pipeline.suites.copied_rows import copied_rows
from flyball.pipeline.suites.dummy import beside_dummy, better_than_dummy
from flyball.pipeline.suites.fairness import fairness
from flyball.pipeline.suites.found import Found, merged
from flyball.pipeline.suites.future import future_rows, known_in_time
from flyball.pipeline.suites.off_policy import off_policy_value
from flyball.pipeline.suites.plan import Plan
from flyball.pipeline.suites.rare_class import USUAL, rare_class
from flyball.pipeline.suites.robustness import robustness
from flyball.pipeline.suites.shift import shift
from flyball.pipeline.suites.slices import slices
from flyball.pipeline.suites.subject import Learn, Subject
from flyball.pipeline.suites.target_leak import target_leak
from flyball.pipeline.suites.training import beats_shuffled, deterministic, finite, learns_by_heart

Streams = Callable[[str], np.random.Generator]  # a generator for each test by name: one more test changes no other


def data_suite(subject: Subject, *, now: datetime, streams: Streams) -> Found:
    """The data tests; all are cheap."""
    timestamp = subject.service.data.timestamp
    inputs = subject.train.select(subject.plain)
    seen = subject.features
    label = subject.train[subject.label]
    whole = pl.concat([subject.train, subject.holdout])
    columns = [name for name in subject.train.columns if name != ROW]
    tests = [
        contract_kept(subject.contract, whole),
        label_copies(_together(inputs, seen), label),
        time_in_features(seen, timestamp, plain=subject.made_train is None),
        constant_columns(seen),
        future_rows(whole, timestamp, now=now),
        known_in_time(whole, subject.plain, timestamp),
    ]
    return merged(
        (
            Found(tests=tuple(test for test in tests if test is not None)),
            target_leak(seen, label, regression=subject.task == "regression", rng=streams("target leak")),
            copied_rows(subject.train.select(columns), subject.holdout.select(columns), label=subject.label),
            shift(subject.train, subject.holdout, subject.plain),
        )
    )


def training_suite(subject: Subject, plan: Plan, learn: Learn | None, *, streams: Streams) -> Found:
    """Beside a dummy and finite always; what trains again where the plan says so."""
    train = np.array(subject.train[subject.label].to_list())
    tests = [
        better_than_dummy(subject.metric, subject.scored, train, subject.classes, streams("dummy")),
        finite(subject.task, subject.scored.predictions, subject.scored.scores),
    ]
    if plan.training and learn is not None and subject.made_train is not None and subject.made_holdout is not None:
        label, made = subject.train[subject.label], (subject.made_train, subject.made_holdout)
        rng = streams("shuffled")
        tests.append(beats_shuffled(learn, subject.metric, made, label, subject.scored, subject.classes, rng))
        tests.append(deterministic(learn, made[0], label, streams("twice")))
        tests.append(learns_by_heart(learn, subject.task, made[0], label, streams("tiny batch")))
    return Found(tests=tuple(tests))


def model_suite(
    subject: Subject,
    plan: Plan,
    learn: Learn | None,
    golden: tuple[pl.DataFrame, pl.Series] | None,
    log: pl.DataFrame | None = None,
    *,
    streams: Streams,
) -> Found:
    """The model tests that the plan asks for.

    Args: golden: inputs and expected answers, where a golden set is declared and could be read. log: of actions taken
        by chance, where one is declared.
    """
    return merged(_model(subject, plan, learn, golden, log, streams))


def _model(
    subject: Subject,
    plan: Plan,
    learn: Learn | None,
    golden: tuple[pl.DataFrame, pl.Series] | None,
    log: pl.DataFrame | None,
    streams: Streams,
) -> Iterator[Found]:
    tests, scored, classes = subject.tests, subject.scored, subject.classes
    train = np.array(subject.train[subject.label].to_list())
    classifies = subject.task != "regression"
    if plan.wants("ece") or plan.wants("calibration_"):
        yield calibration(scored, classes, streams("calibration")) if classifies else Found()
    points = {name for name in plan.measures if name.startswith(("precision_at_recall", "recall_at_precision"))}
    if points or (plan.model and subject.task == "binary"):
        yield rare_class(
            scored, train, classes, sorted(points | (set(USUAL) if plan.model else set())), streams("rare")
        )
    usual = (subject.metric, *(("pr_auc",) if classifies else ()))
    compared = set(plan.metrics_of("dummy.", usual)) | set(plan.metrics_of("over_dummy.", usual))
    if compared:
        yield beside_dummy(sorted(compared), scored, train, classes, streams("beside a dummy"))
    for metric in plan.metrics_of("slice.worst.", (subject.metric,)):
        if tests.slices:
            yield slices(subject, tests.slices, metric, streams(f"slices {metric}"))
    if plan.wants("fairness."):
        yield fairness(subject)
    if plan.wants("robustness."):
        yield robustness(subject, streams("robustness"))
    if plan.wants("monotone."):
        yield declared.monotone(subject, streams("monotone"))
    if plan.wants("invariant."):
        yield declared.invariant(subject, streams("invariant"))
    if golden is not None and plan.wants("golden."):
        yield declared.golden(subject.predict, subject.task, *golden, file=tests.golden or "")
    if log is not None and tests.off_policy is not None and plan.wants("off_policy."):
        yield off_policy_value(subject, tests.off_policy, log, streams("off-policy value"))
    for metric in plan.metrics_of("backtest.", (subject.metric,)):
        if learn is not None and subject.made_train is not None and subject.made_holdout is not None:
            made = pl.concat([subject.made_train, subject.made_holdout])
            label = pl.concat([subject.train[subject.label], subject.holdout[subject.label]])
            windows = tests.backtest_windows
            yield backtest(learn, metric, made, label, classes, windows, streams(f"backtest {metric}"))


def _together(inputs: pl.DataFrame, made: pl.DataFrame) -> pl.DataFrame:
    """Inputs and what was made of them, each column once."""
    return inputs.with_columns(made[name] for name in made.columns if name not in inputs.columns)
