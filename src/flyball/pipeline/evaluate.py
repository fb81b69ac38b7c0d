"""How good a model is on the rows that were held out: each metric that somebody reads, with its interval."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace
from scipy import stats

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label, Predictions, Scores
from flyball.core.record import Record
from flyball.core.release import Estimate
from flyball.core.service import Service
from flyball.pipeline import gates
from flyball.stats.scoring.intervals import Interval, interval, paired_difference
from flyball.stats.scoring.metrics import METRICS

LATENCY = "latency_p99_ms"  # measured, not computed from labels: it is no part of the root


class Scored(Record):
    """Labels and one model's answers to the same rows, in order."""

    truth: npt.NDArray[Any]
    predictions: Predictions
    scores: Scores


class Evaluated(Record):
    """Metrics that exist, and why the others do not."""

    metrics: dict[str, Estimate]
    missing: dict[str, str] = {}  # metric -> reason


def wanted(service: Service) -> tuple[str, ...]:
    """Metrics that the declaration reads: its own, its gates', its live metric's; sorted;
    what suites and the clock measure is left out."""
    names = {service.experiment.metric, *gates.reads(service.gates)}
    if service.monitor.live_metric is not None:
        names.add(service.monitor.live_metric.name)
    return tuple(sorted(names & set(METRICS)))


def evaluate(names: Iterable[str], scored: Scored, *, classes: Sequence[Label], rng: np.random.Generator) -> Evaluated:
    """Each named metric on these rows; one that cannot be computed is missing with its reason, never a zero."""
    metrics: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for name in names:
        try:
            found = interval(name, scored.truth, *_columns(name, scored), rng=rng, classes=_classes(classes))
            if not all(map(math.isfinite, (found.value, found.low, found.high))):
                raise NotEnoughData(f"it is not a finite number on {found.n} rows")
            metrics[name] = Estimate(value=found.value, low=found.low, high=found.high, n=found.n)
        except (NotEnoughData, ValueError, KeyError) as error:
            missing[name] = _words(error)
    return Evaluated(metrics=metrics, missing=missing)


def difference(
    name: str, champion: Scored, candidate: Scored, *, classes: Sequence[Label], rng: np.random.Generator
) -> Interval:
    """How much better the candidate is on the same rows, in the metric's unit; positive = better.

    Raises: NotEnoughData, ValueError, KeyError: it cannot be said.
    """
    return paired_difference(
        name,
        candidate.truth,
        _columns(name, champion),
        _columns(name, candidate),
        rng=rng,
        classes=_classes(classes),
    )


def latency(milliseconds: Sequence[float]) -> Estimate:
    """The 99th percentile with distribution-free bounds (order statistics).

    Raises: NotEnoughData: no measurement.

    >>> latency([1.0] * 99 + [5.0]).high
    5.0
    """
    if not milliseconds:
        raise NotEnoughData("no answer was timed")
    ordered = np.sort(np.asarray(milliseconds, dtype=np.float64))
    n = ordered.size
    low, high = (int(stats.binom.ppf(p, n, 0.99)) for p in (0.025, 0.975))
    value = float(np.quantile(ordered, 0.99))
    return Estimate(
        value=value, low=min(value, float(ordered[max(low - 1, 0)])), high=float(ordered[min(high, n - 1)]), n=n
    )


def aligned(scored: Scored, own: Sequence[Label], classes: Sequence[Label]) -> Scored:
    """The same answers over more classes: a class that a model does not know has probability 0 from it.

    >>> one = Scored(truth=np.array(["c"]), predictions=np.array(["a"]), scores=np.array([[0.7, 0.3]]))
    >>> aligned(one, ("a", "c"), ("a", "b", "c")).scores.tolist()
    [[0.7, 0.0, 0.3]]
    """
    if scored.scores is None or scored.scores.ndim == 1 or tuple(own) == tuple(classes):
        return scored
    wide = np.zeros((len(scored.scores), len(classes)))
    wide[:, [list(classes).index(label) for label in own]] = scored.scores
    return replace(scored, scores=wide)


def _columns(name: str, scored: Scored) -> tuple[Predictions | None, Scores]:
    if name in METRICS and METRICS[name].needs == "score":
        return None, scored.scores
    return scored.predictions, None


def _classes(classes: Sequence[Label]) -> Sequence[object] | None:
    return list(classes) if classes else None


def _words(error: Exception) -> str:
    return str(error.args[0]) if error.args else type(error).__name__
