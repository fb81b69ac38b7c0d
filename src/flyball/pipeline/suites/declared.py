"""What the owner declares about the answers: inputs along which the score only rises or falls, inputs that must not
matter, and golden rows whose answers are frozen."""

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.model import Predictions, Scores
from flyball.core.release import Estimate
from flyball.core.service import Task
from flyball.pipeline.suites.found import Found, named, result
from flyball.pipeline.suites.subject import Predict, Subject
from flyball.stats.scoring.intervals import wilson

ROWS = 500
GRID = 9  # values of the input, its quantiles
TOLERANCE = 1e-9  # of a score; of a regression's answer relative to it


def monotone(subject: Subject, rng: np.random.Generator) -> Found:
    """`monotone.<input>`: share of rows where the score moves the wrong way somewhere along the input."""
    tests, metrics = [], {}
    for name, way in subject.tests.monotone.items():
        table = _sample(subject, rng)
        wrong = _wrong_way(subject.predict, table, name, subject.train[name], way)
        found = _share(int(wrong.sum()), table.height)
        verdict = "PASS" if found.value == 0 else "FAIL"
        reason = f"the score moves against {way} {name!r} in {int(wrong.sum())} of {table.height} rows"
        tests.append(result("model", f"monotone {name}", "robustness", verdict, reason, found=found, limit=0.0))  # type: ignore[arg-type]
        metrics[f"monotone.{name}"] = found
    return Found(tests=tuple(tests), metrics=metrics)


def invariant(subject: Subject, rng: np.random.Generator) -> Found:
    """`invariant.<input>`: share of rows whose answer changes when the input takes another row's value."""
    tests, metrics = [], {}
    for name in subject.tests.invariant:
        table = _sample(subject, rng)
        other = table.with_columns(_another(subject.train[name], table[name], rng).alias(name))
        changed = _differs(subject.task, subject.predict(table), subject.predict(other))
        found = _share(int(changed.sum()), table.height)
        verdict = "PASS" if found.value == 0 else "FAIL"
        reason = f"another {name!r} changes the answer in {int(changed.sum())} of {table.height} rows"
        tests.append(result("model", f"invariant {name}", "robustness", verdict, reason, found=found, limit=0.0))  # type: ignore[arg-type]
        metrics[f"invariant.{name}"] = found
    return Found(tests=tuple(tests), metrics=metrics)


def golden(predict: Predict, task: Task, table: pl.DataFrame, expected: pl.Series, *, file: str) -> Found:
    """`golden.differences`: the frozen rows get the frozen answers.

    Args: table: the inputs. expected: the column `prediction` of the file. file: its name, for the words.
    """
    measure = "golden.differences"
    if table.height == 0:
        why = f"{file} holds no row"
        return Found(
            tests=(result("model", "golden set", "quality", "FAIL", f"missing evidence: {why}"),),
            missing={measure: why},
        )
    predictions, _ = predict(table)
    if task == "regression":
        wanted = expected.cast(pl.Float64).to_numpy()
        same = np.isclose(predictions.astype(np.float64), wanted, rtol=1e-6, atol=1e-9)
    else:
        same = np.array([str(p) == str(e) for p, e in zip(predictions.tolist(), expected.to_list(), strict=True)])
    wrong = np.flatnonzero(~same)
    found = _share(int(wrong.size), table.height)
    places = named(f"row {row}" for row in wrong.tolist())
    reason = f"{wrong.size} of {table.height} rows of {file} get another answer" + (f": {places}" if wrong.size else "")
    verdict = "FAIL" if wrong.size else "PASS"
    told = result("model", "golden set", "quality", verdict, reason, found=found, limit=0.0)  # type: ignore[arg-type]
    return Found(tests=(told,), metrics={measure: found})


def _wrong_way(
    predict: Predict, table: pl.DataFrame, name: str, seen: pl.Series, way: Literal["increasing", "decreasing"]
) -> npt.NDArray[np.bool_]:
    values = seen.cast(pl.Float64).drop_nulls().drop_nans().to_numpy()
    grid = np.unique(np.quantile(values, np.linspace(0, 1, GRID), method="nearest"))
    answers = []
    for value in grid:
        moved = table.with_columns(pl.lit(float(value)).cast(table[name].dtype).alias(name))
        predictions, scores = predict(moved)
        answers.append(predictions.astype(np.float64) if scores is None else _first_score(scores))
    steps = np.diff(np.stack(answers), axis=0) * (1 if way == "increasing" else -1)
    scale = max(1.0, float(np.abs(np.stack(answers)).max()))
    return np.asarray((steps < -TOLERANCE * scale).any(axis=0))


def _first_score(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """P(positive); of many classes the rank that the last one has, since there is no one score."""
    return scores if scores.ndim == 1 else scores[:, -1]


def _another(seen: pl.Series, own: pl.Series, rng: np.random.Generator) -> pl.Series:
    """For each row a value of the training rows, another one where there is another."""
    known = seen.unique(maintain_order=True).drop_nulls()
    if len(known) < 2:
        return own
    place = {value: at for at, value in enumerate(known.to_list())}
    at = np.array([place.get(value, 0) for value in own.to_list()])
    step = rng.integers(1, len(known), size=len(own))
    chosen: pl.Series = known[((at + step) % len(known)).tolist()]
    return chosen


def _differs(
    task: Task, before: tuple[Predictions, Scores], after: tuple[Predictions, Scores]
) -> npt.NDArray[np.bool_]:
    if task == "regression" or before[1] is None or after[1] is None:
        return ~np.isclose(before[0].astype(np.float64), after[0].astype(np.float64), rtol=TOLERANCE, atol=TOLERANCE)
    gap = np.abs(before[1] - after[1])
    return np.asarray(gap.reshape(len(gap), -1).max(axis=1) > TOLERANCE)


def _sample(subject: Subject, rng: np.random.Generator) -> pl.DataFrame:
    rows = np.sort(rng.permutation(subject.holdout.height)[:ROWS])
    chosen: pl.DataFrame = subject.holdout[rows.tolist()]
    return chosen


def _share(count: int, rows: int) -> Estimate:
    low, high = wilson(count, rows) if rows else (math.nan, math.nan)
    return Estimate(value=count / rows, low=low, high=high, n=rows)
