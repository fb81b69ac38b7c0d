"""Training tests that call `train()` again: shuffled labels teach nothing, twice the same gives the same, and a handful
of rows can be learned by heart."""

import numpy as np
import polars as pl

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label, Predictions, Scores
from flyball.core.release import TestResult
from flyball.core.service import Task
from flyball.pipeline.evaluate import Scored, aligned, difference
from flyball.pipeline.suites.found import Verdict, result, words
from flyball.pipeline.suites.subject import Fitted, Learn

SAMPLE_ROWS = 2000
TINY = 8  # different rows of the batch that is to be learned by heart
COPIES = 100  # of each, so that a least number of rows in a leaf is no obstacle
LEARNED = 0.5  # share of the dummy's loss that may remain


def finite(task: Task, predictions: Predictions, scores: Scores) -> TestResult:
    """Answers to the holdout are numbers in their range, and probabilities sum to 1.

    >>> finite("regression", np.array([1.0, np.nan]), None).verdict
    'FAIL'
    """
    n = len(predictions)
    values = predictions.astype(np.float64) if scores is None else scores
    bad = ~np.isfinite(values)
    if scores is not None:
        bad |= ~((scores >= 0) & (scores <= 1))
    rows = bad.reshape(n, -1).any(axis=1) if n else np.zeros(0, dtype=bool)
    if scores is not None and scores.ndim == 2:
        rows |= ~np.isclose(scores.sum(axis=1), 1.0, atol=1e-6)
    count = int(rows.sum())
    if count:
        reason = f"{count} of {n} answers are no {'number' if task == 'regression' else 'probability'}"
        return result("training", "finite", "training", "FAIL", reason, value=count / n, limit=0.0, n=n)
    return result("training", "finite", "training", "PASS", f"{n} answers are finite", value=0.0, limit=0.0, n=n)


def deterministic(learn: Learn, made: pl.DataFrame, label: pl.Series, rng: np.random.Generator) -> TestResult:
    """Two trainings on the same sample answer alike, bit for bit."""
    rows = np.sort(rng.permutation(made.height)[:SAMPLE_ROWS]).tolist()
    sample, truth = made[rows], label[rows]
    answers = [_bits(learn(sample, truth).predict(sample)) for _ in range(2)]
    n = len(rows)
    if answers[0] == answers[1]:
        return result(
            "training", "deterministic", "training", "PASS", f"two trainings on {n} rows agree to the bit", n=n
        )
    reason = f"two trainings on the same {n} rows with the same seed differ: hand the seed on to what draws"
    return result("training", "deterministic", "training", "FAIL", reason, n=n)


def beats_shuffled(
    learn: Learn,
    metric: str,
    made: tuple[pl.DataFrame, pl.DataFrame],
    label: pl.Series,
    scored: Scored,
    classes: tuple[Label, ...],
    rng: np.random.Generator,
) -> TestResult:
    """The candidate against the same code taught shuffled labels.

    One shuffle may happen to agree with the labels a little; it is compared with the candidate, never with chance.

    Args: made: features of the training and of the holdout rows. label: of the training rows. scored: the candidate.
    """
    name = f"better than shuffled labels by {metric}"
    n = len(scored.truth)
    try:
        other = learn(made[0], label[rng.permutation(len(label)).tolist()])
        predictions, scores = other.predict(made[1])
        taught = aligned(Scored(truth=scored.truth, predictions=predictions, scores=scores), other.classes, classes)
        found = difference(metric, taught, scored, classes=classes, rng=rng)
    except (NotEnoughData, ValueError, KeyError) as error:
        return result("training", name, "training", "INCONCLUSIVE", words(error), n=n)
    reason = f"better by {found.value:.4g} ({found.low:.4g} to {found.high:.4g}) than with shuffled labels"
    verdict: Verdict = "PASS" if found.low > 0 else "FAIL" if found.high <= 0 else "INCONCLUSIVE"
    return result("training", name, "training", verdict, reason, found=found, limit=0.0)


def learns_by_heart(
    learn: Learn, task: Task, made: pl.DataFrame, label: pl.Series, rng: np.random.Generator
) -> TestResult:
    """A few rows, each repeated, are fitted closely: what cannot learn them is wired wrongly."""
    name = "overfits a tiny batch"
    rows = _different(made, label, task, rng)
    if len(rows) < 2:
        reason = "the sample has no two rows with other features and another label"
        return result("training", name, "training", "INCONCLUSIVE", reason, n=len(rows))
    batch, truth = made[rows * COPIES], label[rows * COPIES]
    fitted = learn(batch, truth)
    remaining = _loss(fitted, batch, truth, task)
    reason = f"{len(rows)} rows, {COPIES} times each: {remaining:.1%} of a dummy's loss remains"
    verdict = "PASS" if remaining <= LEARNED else "INCONCLUSIVE" if remaining < 0.95 else "FAIL"
    if verdict == "FAIL":
        reason += ": labels and features do not belong together, or the model cannot learn at all"
    return result("training", name, "training", verdict, reason, value=remaining, limit=LEARNED, n=len(rows))  # type: ignore[arg-type]


def _different(made: pl.DataFrame, label: pl.Series, task: Task, rng: np.random.Generator) -> list[int]:
    """Rows that differ in features, and with the classes in turn."""
    order = rng.permutation(made.height)[: 50 * SAMPLE_ROWS].tolist()
    table = made[order].with_columns(pl.Series("__row", order), label[order].alias("__label"))
    table = table.unique([c for c in made.columns if not made[c].dtype.is_nested()], keep="first", maintain_order=True)
    if task == "regression":
        return [int(row) for row in table.sort("__label")["__row"].gather_every(max(1, table.height // TINY))[:TINY]]
    each = max(1, TINY // max(1, table["__label"].n_unique()))
    chosen = table.group_by("__label", maintain_order=True).head(each)
    return [int(row) for row in chosen["__row"]] if chosen["__label"].n_unique() > 1 else []


def _loss(fitted: Fitted, batch: pl.DataFrame, truth: pl.Series, task: Task) -> float:
    """Share of the dummy's loss that remains: absolute error, or 1 - P(true class)."""
    predictions, scores = fitted.predict(batch)
    values = np.array(truth.to_list())
    if task == "regression":
        dummy = float(np.abs(values - np.median(values)).mean())
        return float(np.abs(values - predictions).mean()) / dummy if dummy > 0 else 0.0
    assert scores is not None
    wide = np.column_stack([1 - scores, scores]) if scores.ndim == 1 else scores
    names = np.array(fitted.classes)
    shares = np.array([(values == name).mean() for name in names])
    at = np.argmax(values[:, None] == names[None, :], axis=1)
    dummy = 1 - float(np.mean(shares[at]))
    return (1 - float(wide[np.arange(values.size), at].mean())) / dummy if dummy > 0 else 0.0


def _bits(answers: tuple[Predictions, Scores]) -> tuple[bytes, bytes]:
    predictions, scores = answers
    return repr(predictions.tolist()).encode(), b"" if scores is None else scores.tobytes()
