"""The dummy: the best answer that needs no input, on the same rows. What does not beat it has learned nothing.

Accuracy of "always no" on a rare class, recall of "always yes": a constant gets the better of many metrics, so the
metric stands beside the best constant for *that* metric, chosen on the training labels.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label, Predictions, Scores
from flyball.core.release import Estimate, TestResult
from flyball.pipeline.evaluate import Scored, difference, evaluate
from flyball.pipeline.suites.found import Found, estimate, result, words
from flyball.stats.scoring.intervals import Interval
from flyball.stats.scoring.metrics import METRICS, score

SURE = 0.999  # confidence with which a model has to be worse than a constant before it fails by that


@dataclass(frozen=True, kw_only=True)
class Constant:
    """A model with one answer."""

    prediction: Label
    scores: tuple[float, ...] = ()  # P(class), in the order of the classes; empty for regression

    def answers(self, rows: int) -> tuple[Predictions, Scores]:
        """The same for every row, in the form of the task."""
        predictions = np.full(rows, self.prediction)
        if not self.scores:
            return predictions, None
        wide = np.tile(np.asarray(self.scores), (rows, 1))
        return predictions, wide[:, 1] if len(self.scores) == 2 else wide


def best_constant(metric: str, train: npt.NDArray[np.generic], classes: tuple[Label, ...]) -> Constant:
    """The constant that this metric likes best on the training labels.

    >>> best_constant("accuracy", np.array([0, 0, 1]), (0, 1)).prediction
    0
    >>> best_constant("recall", np.array([0, 0, 1]), (0, 1)).prediction
    1
    """
    if not classes:
        numbers = train.astype(np.float64)
        return Constant(prediction=float(numbers.mean() if metric == "rmse" else np.median(numbers)))
    shares = np.array([float(np.mean(train == label)) for label in classes])
    spread = tuple((shares / shares.sum()).tolist()) if shares.sum() > 0 else (1 / len(classes),) * len(classes)
    options = [Constant(prediction=label, scores=spread) for label in classes]
    kind = METRICS[metric]
    usable = train[np.isin(train, np.array(classes))]
    if kind.needs == "score" or usable.size == 0:
        return options[int(np.argmax(shares))]
    values = []
    for option in options:
        predictions, _ = option.answers(usable.size)
        try:
            values.append(kind.better_by(0.0, score(metric, usable, predictions, None, classes=list(classes))))
        except NotEnoughData:
            values.append(-np.inf)
    return options[int(np.argmax(values))]


def beside_dummy(
    metrics: Iterable[str],
    scored: Scored,
    train: npt.NDArray[np.generic],
    classes: tuple[Label, ...],
    rng: np.random.Generator,
) -> Found:
    """`dummy.<metric>` and `over_dummy.<metric>` for each, with intervals on the holdout."""
    found: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for name in metrics:
        constant = _answers(name, scored, train, classes)
        own = evaluate((name,), constant, classes=classes, rng=rng)
        found |= {f"dummy.{name}": value for value in own.metrics.values()}
        missing |= {f"dummy.{name}": why for why in own.missing.values()}
        try:
            found[f"over_dummy.{name}"] = estimate(difference(name, constant, scored, classes=classes, rng=rng))
        except (NotEnoughData, ValueError, KeyError) as error:
            missing[f"over_dummy.{name}"] = words(error)
    return Found(metrics=found, missing=missing)


def better_than_dummy(
    metric: str,
    scored: Scored,
    train: npt.NDArray[np.generic],
    classes: tuple[Label, ...],
    rng: np.random.Generator,
) -> TestResult:
    """PASS where the metric is better with 95 % confidence; FAIL where it is worse with 99.9 %, or every answer is one.

    >>> rare = np.array([0] * 99 + [1])
    >>> no = Scored(truth=rare, predictions=np.zeros(100, dtype=int), scores=np.full(100, 0.01))
    >>> better_than_dummy("accuracy", no, rare, (0, 1), np.random.default_rng(0)).verdict
    'FAIL'
    """
    name = f"better than a dummy by {metric}"
    constant = _answers(metric, scored, train, classes)
    reads = scored.predictions if METRICS[metric].needs == "prediction" else scored.scores
    if reads is not None and _one_answer(np.asarray(reads)):
        said = f"{scored.predictions[0]!s}" if METRICS[metric].needs == "prediction" else "one score"
        reason = f"all {len(scored.truth)} holdout rows got one answer, {said}: it is a dummy"
        return result("training", name, "training", "FAIL", reason, n=len(scored.truth))
    try:
        usual = difference(metric, constant, scored, classes=classes, rng=rng)
        base = score(metric, constant.truth, *_read(metric, constant), classes=list(classes) or None)
    except (NotEnoughData, ValueError, KeyError) as error:
        return result("training", name, "training", "INCONCLUSIVE", words(error), n=len(scored.truth))
    reason = f"better by {usual.value:.4g} ({usual.low:.4g} to {usual.high:.4g}) than the best constant's {base:.4g}"
    if usual.low > 0:
        return result("training", name, "training", "PASS", reason, found=usual, limit=0.0)
    sure = widened(usual, SURE)
    if sure.high < 0:
        return result("training", name, "training", "FAIL", f"{reason}: worse than a dummy", found=usual, limit=0.0)
    return result("training", name, "training", "INCONCLUSIVE", f"{reason}: not told apart", found=usual, limit=0.0)


def _answers(metric: str, scored: Scored, train: npt.NDArray[np.generic], classes: tuple[Label, ...]) -> Scored:
    predictions, scores = best_constant(metric, train, classes).answers(len(scored.truth))
    return Scored(truth=scored.truth, predictions=predictions, scores=scores)


def _one_answer(answers: npt.NDArray[np.generic]) -> bool:
    return bool(answers.shape[0] > 1 and np.all(answers == answers[0]))


def _read(metric: str, scored: Scored) -> tuple[Predictions | None, Scores]:
    return (None, scored.scores) if METRICS[metric].needs == "score" else (scored.predictions, None)


def widened(found: Interval, confidence: float) -> Interval:
    """The same interval at a higher confidence, by the normal law."""
    z = NormalDist().inv_cdf
    factor = z((1 + confidence) / 2) / z(0.975)
    return Interval(
        value=found.value,
        low=found.value - factor * (found.value - found.low),
        high=found.value + factor * (found.high - found.value),
        n=found.n,
        method=found.method,
    )
