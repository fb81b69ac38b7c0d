"""How good are the answers, before their labels come; and was the last such estimate right?

Classifiers by confidence (`stats.cbpe`), regressions by the loss that such predictions cost on the holdout
(`stats.direct_loss`). Both assume that the label depends on the answer as it did there. When labels come, the same
estimate is made for the very rows that have them: a realised metric beyond the gap's interval breaks the assumption,
and a broken one says that the concept has moved, whatever the inputs do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.errors import NotEnoughData
from flyball.core.estimating import Assumption, AssumptionCheck, Estimated
from flyball.core.release import Baseline, Estimate, LabelledReference
from flyball.core.service import Service, Task
from flyball.monitor import risk
from flyball.monitor.answers import Answers, Values, unlabelled
from flyball.monitor.concept import RunningConcept
from flyball.monitor.expected_risk import Request, RunningRisk
from flyball.monitor.folding import Pending
from flyball.monitor.labels import HeldPane, Place, WaitingRows
from flyball.monitor.replay_buffer import ReplayBuffer
from flyball.monitor.self_influence import RunningInfluence
from flyball.stats.change.trend import DAY_S
from flyball.stats.risk import cbpe, direct_loss, recalibration
from flyball.stats.risk.weighting import stretch
from flyball.stats.scoring.metrics import METRICS

LEAST_ROWS = 30  # of a window: fewer say nothing
Z95, Z999 = 1.959963984540054, 3.290526731491895
_OLD = LabelledReference(rows=0, reason="the release was made before calibration was kept: scores as they are")


@dataclass(kw_only=True)
class RunningEstimate:
    """Answers of the running window. Memory: one number or one score a class a row, and the panes that wait."""

    release: str
    metric: str
    task: Task
    baseline: Baseline
    promised: Estimate | None  # the metric on the holdout
    risk: RunningRisk
    concept: RunningConcept
    influence: RunningInfluence
    check: AssumptionCheck | None = None
    _pending: Pending = field(default_factory=Pending)
    _parts: list[tuple[Values, Values | None]] = field(default_factory=list)

    def take(self, predictions: pl.DataFrame) -> None:
        """The release's own answers of a pane."""
        if predictions.height and self._pending.add(predictions):
            self._fold()

    def _fold(self) -> None:
        """Before anything reads or draws: the answers of the panes that wait, in their order."""
        for predictions, parts in self._pending.taken():
            # a pane without any score says something else than a row without one, so such panes stay apart
            if len(parts) > 1 and "score" in predictions.columns and predictions["score"].null_count():
                for start, rows in zip(accumulate(parts, initial=0), parts, strict=False):
                    self._take(predictions[start : start + rows])
            else:
                self._take(predictions)

    def _take(self, predictions: pl.DataFrame) -> None:
        ours = (pl.col("outcome") == "answered") & (pl.col("release") == self.release)
        if "excluded" in predictions.columns:
            ours &= ~pl.col("excluded")
        rows = predictions.filter(ours)
        found = unlabelled(rows, self.baseline, self.task)
        if found is not None:
            self._parts.append(found)
            self.risk.take(rows, *found)
            self.influence.answered(*found)

    def told(self, rows: WaitingRows, window_rows: int) -> dict[str, Any]:
        """All that ends with a window, by the name of its field. Args: window_rows: that a retraining takes."""
        return {
            "estimated": self.report(),
            "risk": self.risk.report(rows.find),
            "concept": self.concept.report(),
            "influence": self.influence.report(*rows.caused(window_rows), window_rows),
        }

    def report(self) -> Estimated:
        """The estimate of the window, which ends with it."""
        self._fold()
        parts, self._parts = self._parts, []
        prediction = np.concatenate([one for one, _ in parts]) if parts else np.zeros(0)
        kept = [score for _, score in parts if score is not None]
        score = np.concatenate(kept) if kept and len(kept) == len(parts) else None
        return estimate(self.metric, prediction, score, self.baseline, self.task, self.promised, check=self.check)

    def compare(self, answers: Answers, realised: Estimate, *, at: float) -> None:
        """Labels have come: was the estimate right on these rows? Args: at: of the newest, seconds since the epoch."""
        self._fold()
        found = check(self.metric, answers, realised, self.baseline, self.task, self.promised)
        if found is not None:
            self.check = found
            self.concept.take(at, found.gap.value)
        self.risk.judged(answers)
        self.influence.champion(answers)

    def lacking(self, places: Sequence[Place]) -> None:
        """These rows were to be judged and had no label."""
        if places:
            self._fold()
        by_pane: dict[int, tuple[HeldPane, list[int]]] = {}
        for held, at in places:
            by_pane.setdefault(id(held), (held, []))[1].append(at)
        for held, offsets in by_pane.values():
            found = unlabelled(held.frame[offsets], self.baseline, self.task)
            if found is not None:
                self.risk.unlabelled(*found)


def estimating(
    service: Service, release: str, baseline: Baseline, metrics: Mapping[str, Estimate], *, rng: np.random.Generator
) -> RunningEstimate | None:
    """For a release that begins to serve; None: the service watches no metric. Args: metrics: on its holdout."""
    declared = service.monitor.live_metric
    if declared is None:
        return None
    task = service.experiment.task
    buffer = ReplayBuffer[Request](rng=rng, block_rows=service.monitor.window_rows)
    held = RunningRisk(
        baseline=baseline,
        task=task,
        metric=declared.name,
        buffer=buffer,
        waits=service.data.label_window_s > 0,
        slices=[name for name in service.monitor.slices if isinstance(name, str)],
    )
    return RunningEstimate(
        release=release,
        metric=declared.name,
        task=task,
        baseline=baseline,
        promised=metrics.get(declared.name),
        risk=held,
        concept=RunningConcept(rng=rng, over_s=service.monitor.health.trend_days * DAY_S),
        influence=RunningInfluence(baseline=baseline, task=task),
    )


def estimate(
    metric: str,
    prediction: Values,
    score: Values | None,
    baseline: Baseline,
    task: Task,
    promised: Estimate | None,
    *,
    check: AssumptionCheck | None = None,
) -> Estimated:
    """The metric of these rows without their labels; no value is a verdict with its reason.

    Args: prediction: class numbers or numbers, shape [n]. score: shape [n] or [n, k]; None for a regression.
    """
    known = baseline.labelled or _OLD
    none = Estimated(
        metric=metric,
        by="direct_loss" if task == "regression" else "cbpe",
        verdict="INSUFFICIENT",
        reason="",
        assumption=_assumption(check),
        check=check,
    )
    if prediction.size < LEAST_ROWS:
        return replace(none, reason=f"{prediction.size} answers of the release: at least {LEAST_ROWS} are needed")
    if promised is None:
        return replace(none, reason=f"the release has no {metric} on its holdout to take the sampling error from")
    try:
        value, spread = _value(metric, prediction, score, known, task)
    except NotEnoughData as error:
        return replace(none, reason=str(error))
    except KeyError as error:
        return replace(none, reason=str(error.args[0]))
    except ValueError as error:
        return replace(none, verdict="INVALID", reason=str(error))
    se = standard_error(promised, prediction.size, spread, fewer=_fewer(score, known, baseline))
    found = Estimate(value=value, low=value - Z95 * se, high=value + Z95 * se, n=int(prediction.size))
    return replace(
        none, verdict="OK", reason=_rests_on(known, task), value=found, loss=risk.loss(metric, promised, found)
    )


def check(
    metric: str, answers: Answers, realised: Estimate, baseline: Baseline, task: Task, promised: Estimate | None
) -> AssumptionCheck | None:
    """Estimate and truth on the same rows; None where there is no estimate of them.

    The interval of the gap is two-sided 99.9 %, because it is looked at in every window.
    """
    found = estimate(metric, answers.prediction, answers.score, baseline, task, promised)
    if found.value is None:
        return None
    se = (found.value.high - found.value.value) / Z95
    gap = -METRICS[metric].better_by(found.value.value, realised.value)
    half = Z999 * se
    return AssumptionCheck(
        estimated=found.value.value,
        realised=realised.value,
        gap=Estimate(value=gap, low=gap - half, high=gap + half, n=realised.n, confidence=0.999),
        rows=answers.rows,
    )


def _value(
    metric: str, prediction: Values, score: Values | None, known: LabelledReference, task: Task
) -> tuple[float, float]:
    """(estimate, standard deviation that one row of the window brings to the realised value)."""
    if task != "regression":
        if score is None:
            raise NotEnoughData("the answers have no scores to estimate from")
        p = recalibration.apply(known.maps, score)
        return cbpe.expected(metric, p, prediction, score), cbpe.spread(metric, p, prediction, score)
    kind = direct_loss.LOSSES.get(metric)
    table = known.losses.get(kind or "")
    if table is None:
        raise NotEnoughData(f"the release has no loss table for {metric}: {known.reason}")
    if bad := int((~np.isfinite(prediction)).sum()):
        raise ValueError(f"expected finite predictions, found {bad} that are not")
    at = np.searchsorted(np.asarray(table.edges), prediction, side="right")
    found = direct_loss.from_table(metric, table, np.bincount(at, minlength=len(table.mean)).tolist())
    return found.value, found.se * math.sqrt(found.n)


def standard_error(promised: Estimate, n: int, spread: float, *, fewer: float = 1.0) -> float:
    """Of a realised metric of n rows about its estimate: one row's spread, on the reference or in the window, whichever
    is larger, over n and over the reference's own rows. Args: fewer: see `weighting.stretch`."""
    z = Z95 if promised.confidence == 0.95 else risk.Z90
    known = (promised.high - promised.low) / 2 / z * math.sqrt(promised.n)
    return max(known, spread) * math.sqrt(1 / n + fewer / promised.n)


def _fewer(score: Values | None, known: LabelledReference, baseline: Baseline) -> float:
    """How much thinner the reference is where this window's scores lie."""
    if score is None or not known.score_labels:
        return 1.0
    one, name = (score, "score") if score.ndim == 1 else (score.max(axis=1), "top_score")
    at = np.searchsorted(np.asarray(baseline.prediction[name].edges), one, side="right")
    old = np.array(known.score_labels).sum(axis=1)
    return stretch(old, np.bincount(at, minlength=old.size))


def _assumption(found: AssumptionCheck | None) -> Assumption:
    if found is None:
        return "unknown"
    return "broken" if found.gap.low > 0 or found.gap.high < 0 else "met"


def _rests_on(known: LabelledReference, task: Task) -> str:
    if task == "regression":
        return f"loss by prediction on {known.rows} rows of the holdout; holds while the loss of such answers stays"
    return f"{known.reason}; holds while P(label | score) is the holdout's"
