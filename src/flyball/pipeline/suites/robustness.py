"""Robustness: inputs with holes and inputs with noise are answered with finite numbers, and cost a bounded loss.

Holes are made only in inputs that the contract lets be missing; noise of a twentieth of its standard deviation is added
to each number that is no code. Half of what the model gains over a dummy is the most that either may cost.
"""

import numpy as np
import polars as pl

from flyball.core.errors import NotEnoughData
from flyball.core.release import Estimate, TestResult
from flyball.pipeline.evaluate import Scored, aligned, difference
from flyball.pipeline.suites.dummy import beside_dummy
from flyball.pipeline.suites.found import Found, estimate, merged, result, words
from flyball.pipeline.suites.subject import Subject, taken
from flyball.pipeline.suites.training import finite

ROWS = 2000
HOLES = 0.1  # share of the cells
NOISE = 0.05  # of a standard deviation
FEW = 20  # a number with at most so many values is taken for a code
MOST = 0.5  # share of the gain over a dummy that may be lost


def robustness(subject: Subject, rng: np.random.Generator) -> Found:
    """`robustness.missing` and `robustness.perturbed`: loss of the experiment's metric, in its unit."""
    rows = np.sort(rng.permutation(subject.holdout.height)[:ROWS])
    table, base = subject.holdout[rows.tolist()], taken(subject.scored, rows)
    optional = [name for name in subject.plain if name not in subject.required()]
    numbers = [name for name in subject.plain if _is_measured(subject.train[name])]
    train = np.array(subject.train[subject.label].to_list())
    gain = beside_dummy((subject.metric,), base, train, subject.classes, rng).metrics.get(
        f"over_dummy.{subject.metric}"
    )
    limit = MOST * max(0.0, gain.value) if gain is not None else None
    parts = []
    for kind, names, change in (("missing", optional, _with_holes), ("perturbed", numbers, _with_noise)):
        if names:
            parts.append(_tried(subject, kind, change(table, names, rng), base, limit, rng))
        else:
            why = "no input may be missing" if kind == "missing" else "no input is a measured number"
            parts.append(Found(missing={f"robustness.{kind}": why}))
    return merged(parts)


def _tried(
    subject: Subject, kind: str, table: pl.DataFrame, base: Scored, limit: float | None, rng: np.random.Generator
) -> Found:
    name, measure = f"{kind} inputs", f"robustness.{kind}"
    try:
        predictions, scores = subject.predict(table)
    except Exception as error:  # the user's features or estimator: that it raises is the finding
        reason = f"it raises on {kind} inputs: {type(error).__name__}: {str(error)[:200]}"
        return Found(
            tests=(result("model", name, "robustness", "FAIL", reason, n=table.height),), missing={measure: reason}
        )
    healthy = finite(subject.task, predictions, scores)
    if healthy.verdict != "PASS":
        reason = f"on {kind} inputs {healthy.reason}"
        bad = result("model", name, "robustness", "FAIL", reason, value=healthy.value, limit=0.0, n=table.height)
        return Found(tests=(bad,), missing={measure: reason})
    reason = f"{table.height} rows with {kind} inputs get finite answers"
    sound = result("model", name, "robustness", "PASS", reason, value=0.0, limit=0.0, n=table.height)
    other = Scored(truth=base.truth, predictions=predictions, scores=scores)
    try:
        other = aligned(other, subject.classes, subject.classes)
        lost = difference(subject.metric, other, base, classes=subject.classes, rng=rng)
    except (NotEnoughData, ValueError, KeyError) as error:
        why = words(error)
        told = (sound, result("model", f"loss on {name}", "robustness", "INCONCLUSIVE", why, hard=False))
        return Found(tests=told, missing={measure: why})
    told = (sound, _bounded(name, subject.metric, estimate(lost), limit))
    return Found(tests=told, metrics={measure: estimate(lost)})


def _bounded(name: str, metric: str, lost: Estimate, limit: float | None) -> TestResult:
    name = f"loss on {name}"
    reason = f"{metric} is worse by {lost.value:.4g} ({lost.low:.4g} to {lost.high:.4g})"
    if limit is None:
        return result("model", name, "robustness", "PASS", reason, hard=False, found=lost)
    verdict = "FAIL" if lost.low > limit else "PASS" if lost.value <= limit else "INCONCLUSIVE"
    reason += f"; at most {limit:.4g}, half of the gain over a dummy"
    return result("model", name, "robustness", verdict, reason, hard=False, found=lost, limit=limit)  # type: ignore[arg-type]


def _is_measured(column: pl.Series) -> bool:
    return column.dtype.is_numeric() and column.n_unique() > FEW


def _with_holes(table: pl.DataFrame, names: list[str], rng: np.random.Generator) -> pl.DataFrame:
    holes = {name: pl.Series(rng.random(table.height) < HOLES) for name in names}
    return table.with_columns(
        pl.when(hole).then(None).otherwise(table[name]).alias(name) for name, hole in holes.items()
    )


def _with_noise(table: pl.DataFrame, names: list[str], rng: np.random.Generator) -> pl.DataFrame:
    """Whole numbers stay whole."""
    changed = []
    for name in names:
        column = table[name]
        values = column.cast(pl.Float64)
        sd = float(values.drop_nans().std() or 0.0)  # type: ignore[arg-type]
        moved = values + pl.Series(rng.normal(size=table.height) * NOISE * sd)
        changed.append((moved.round() if column.dtype.is_integer() else moved).cast(column.dtype).alias(name))
    return table.with_columns(changed)
