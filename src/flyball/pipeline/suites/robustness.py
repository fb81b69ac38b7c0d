"""Robustness: inputs with holes and inputs with noise are answered with finite numbers, and cost a bounded loss.

Holes are made only in inputs that the contract lets be missing; noise of a twentieth of its standard deviation is added
to each number that is no code, and kept within the range of the training rows and what the contract promises: no row is
made that a client could not send. Half of what the model gains over a dummy is the most that either may cost.
"""

import numpy as np
import polars as pl

from flyball.core.contract import Column
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
    for kind, names in (("missing", optional), ("perturbed", numbers)):
        if not names:
            parts.append(_nothing(kind))
            continue
        changed = _with_holes(table, names, rng) if kind == "missing" else _with_noise(subject, table, names, rng)
        parts.append(_tried(subject, kind, changed, base, limit, rng))
    return merged(parts)


def _nothing(kind: str) -> Found:
    """There is nothing to try, which is said and stops nothing."""
    why = "the contract lets no input be missing" if kind == "missing" else "no input is a measured number"
    told = result("model", f"{kind} inputs", "robustness", "INCONCLUSIVE", f"not tried: {why}", hard=False, n=0)
    return Found(tests=(told,), missing={f"robustness.{kind}": why})


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


def _with_noise(subject: Subject, table: pl.DataFrame, names: list[str], rng: np.random.Generator) -> pl.DataFrame:
    """Whole numbers stay whole; a value that leaves the range goes to its end, one that was outside stays as it is."""
    promised = {column.name: column for column in subject.contract.columns} if subject.contract else {}
    changed = []
    for name in names:
        column = table[name]
        values = column.cast(pl.Float64)
        sd = float(values.drop_nans().std() or 0.0)  # type: ignore[arg-type]
        moved = values + pl.Series(rng.normal(size=table.height) * NOISE * sd)
        moved = moved.round() if column.dtype.is_integer() else moved
        low, high = _range(subject.train[name])
        moved = pl.select(
            pl.when(values.is_between(low, high)).then(moved.clip(low, high)).otherwise(values)
        ).to_series()
        if (one := promised.get(name)) is not None:
            moved = (moved / one.multiple_of).round() * one.multiple_of if one.multiple_of else moved
            moved = pl.select(pl.when(_kept(one, moved)).then(moved).otherwise(values)).to_series()
        changed.append(moved.cast(column.dtype).alias(name))
    return table.with_columns(changed)


def _range(seen: pl.Series) -> tuple[float, float]:
    known = seen.cast(pl.Float64).drop_nulls().to_numpy()
    known = known[np.isfinite(known)]
    return (float(known.min()), float(known.max())) if known.size else (-np.inf, np.inf)


def _kept(column: Column, values: pl.Series) -> pl.Series:
    """Where a moved number still keeps the column's promises."""
    kept = pl.Series([True]).new_from_index(0, len(values))
    for bound, holds in (
        (column.minimum, pl.Series.ge),
        (column.maximum, pl.Series.le),
        (column.exclusive_minimum, pl.Series.gt),
        (column.exclusive_maximum, pl.Series.lt),
    ):
        if isinstance(bound, int | float):
            kept &= holds(values, bound)
    if column.enum is not None:
        kept &= values.is_in([float(one) for one in column.enum if isinstance(one, int | float)])
    return kept.fill_null(value=False)
