"""How sure a metric is: an interval for one model, and for the difference of two models on the same rows.

Which method for which metric (`Interval.method` says it):
- a share of rows (accuracy; binary recall and precision): Wilson; the difference of two accuracies: Bonett-Price;
- a ROC area of two classes: DeLong, on the logit scale for one model so that it stays inside 0..1;
- a mean over rows (mae, mape, brier, log_loss) and rmse: normal, paired by row;
- the rest: percentile bootstrap from the generator handed in, a fixed number of resamples.

These are fixed-sample intervals, for a judgement made once (a gate). For a stream that is watched use `sequences`.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from flyball.core.errors import NotEnoughData
from flyball.stats.scoring.delong import delong
from flyball.stats.scoring.metrics import METRICS, Metric, value
from flyball.stats.scoring.ranking import rank
from flyball.stats.scoring.sample import Floats, Sample, confusion, sample

Columns = tuple[npt.ArrayLike | None, npt.ArrayLike | None]  # (prediction, score) of one model


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its two-sided bounds, all in the unit of the metric."""

    value: float
    low: float
    high: float
    n: int  # rows it is computed from, count
    method: str  # wilson, delong, exact, normal, bonett-price, newcombe, delta, student, bernstein, cuped or bootstrap


def wilson(successes: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Score interval of a proportion: (low, high), each 0..1; honest at 0 and n successes. Weighted rows may be given
    as the number of rows that they are worth.

    Raises: NotEnoughData: n = 0. ValueError: not 0 <= successes <= n.
    Source: Wilson 1927, eq. 4.

    >>> [round(bound, 5) for bound in wilson(3, 1000)]
    [0.00102, 0.00878]
    """
    if n == 0:
        raise NotEnoughData("n=0: a proportion needs at least one observation")
    if not 0 <= successes <= n:
        raise ValueError(f"expected 0 <= successes <= n, found {successes} of {n}")
    z = _z(confidence)
    share, grown = successes / n, 1 + z * z / n
    middle = (share + z * z / (2 * n)) / grown
    half = z / grown * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = max(0.0, middle - half), min(1.0, middle + half)
    return (0.0 if successes == 0 else low), (1.0 if successes == n else high)


def interval(
    metric: str,
    truth: npt.ArrayLike,
    prediction: npt.ArrayLike | None = None,
    score: npt.ArrayLike | None = None,
    *,
    confidence: float = 0.95,
    rng: np.random.Generator,
    classes: Sequence[object] | None = None,
) -> Interval:
    """The metric of one model with its interval.

    Args: as `metrics.score`; `rng` is drawn from only where the method is bootstrap.
    Raises: NotEnoughData: too few rows for a value or for its variance. ValueError: faulty columns.

    >>> interval("accuracy", [1, 0, 1, 1], [1, 0, 1, 0], rng=np.random.default_rng(0)).value
    0.75
    """
    kind = _metric(metric)
    rows = sample(kind.needs, kind.tasks, truth, prediction, score, classes=classes)
    point = value(kind, rows)
    if metric == "accuracy":
        return _share(point, round(point * rows.n), rows.n, rows.n, confidence)
    if metric in ("precision", "recall") and len(rows.classes) == 2:
        cells = confusion(rows)
        total = cells[:, 1].sum() if metric == "precision" else cells[1].sum()
        if total > 0:
            return _share(point, int(cells[1, 1]), int(total), rows.n, confidence)
        return Interval(value=point, low=0.0, high=1.0, n=rows.n, method="wilson")
    if metric == "roc_auc" and len(rows.classes) == 2:
        return _area(rows, confidence)
    if kind.by_row is not None:
        return _normal(point, kind.by_row(rows), rows.n, confidence)
    if metric == "rmse":
        squared = _squared_errors(rows)
        mean = _normal(point * point, squared, rows.n, confidence)
        return Interval(
            value=point, low=math.sqrt(max(0.0, mean.low)), high=math.sqrt(mean.high), n=rows.n, method="normal"
        )
    draws = _bootstrap(_resampled(kind, rows), rows.n, rng)
    return _percentiles(point, draws, rows.n, confidence)


def paired_difference(
    metric: str,
    truth: npt.ArrayLike,
    a: Columns,
    b: Columns,
    *,
    confidence: float = 0.95,
    rng: np.random.Generator,
    classes: Sequence[object] | None = None,
) -> Interval:
    """How much better model b is than model a on the same rows, in the metric's unit; positive = b is better.

    Args:
        metric: a key of METRICS.
        truth: labels or numbers, shape [n].
        a, b: (prediction, score) of each model on those rows.
        confidence: two-sided, 0..1.
        rng: drawn from only where the method is bootstrap.
        classes: as in `metrics.score`.

    Raises: NotEnoughData: too few rows for a value or for its variance. ValueError: faulty columns.
    Source: Bonett and Price 2012 for shares; DeLong et al. 1988 for areas.

    >>> paired_difference("mae", [1.0, 2.0, 3.0], ([2.0, 3.0, 4.0], None), ([1.5, 2.5, 3.5], None),
    ...                   rng=np.random.default_rng(0)).value
    0.5
    """
    kind = _metric(metric)
    if classes is None and kind.needs == "prediction" and "regression" not in kind.tasks:
        classes = _all_labels(truth, a[0], b[0])
    left = sample(kind.needs, kind.tasks, truth, a[0], a[1], classes=classes)
    right = sample(kind.needs, kind.tasks, truth, b[0], b[1], classes=classes)
    n, point = left.n, kind.better_by(value(kind, left), value(kind, right))
    if metric == "accuracy":
        hit_a, hit_b = left.truth == left.prediction, right.truth == right.prediction
        return difference_of_shares(int(np.sum(hit_b & ~hit_a)), int(np.sum(hit_a & ~hit_b)), n, confidence=confidence)
    if metric == "roc_auc" and len(left.classes) == 2:
        assert left.score is not None
        assert right.score is not None
        _, covariance = delong(left.truth == 1, left.score, right.score)
        spread = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
        return _around(point, math.sqrt(max(0.0, spread)), n, confidence, "delong")
    if kind.by_row is not None:
        sign = 1.0 if kind.direction == "higher" else -1.0
        return _normal(point, sign * (kind.by_row(right) - kind.by_row(left)), n, confidence)
    if metric == "rmse":  # delta method: the influence of a row on a root is that on the mean over twice the root
        roots = [value(kind, rows) for rows in (left, right)]
        influence = [
            _squared_errors(rows) / (2 * root) if root else np.zeros(n)
            for rows, root in zip((left, right), roots, strict=True)
        ]
        return _normal(point, influence[0] - influence[1], n, confidence)
    of_a, of_b = _resampled(kind, left), _resampled(kind, right)
    draws = _bootstrap(lambda weights: kind.better_by(of_a(weights), of_b(weights)), n, rng)
    return _percentiles(point, draws, n, confidence)


def difference_of_shares(only_b: int, only_a: int, n: int, *, confidence: float = 0.95) -> Interval:
    """Difference of two paired shares, b minus a, from the rows where exactly one of the two is right.

    Adding one row to each discordant cell keeps it honest where nobody differed yet: no width of zero at small n.

    Source: Bonett and Price 2012, eq. 2.

    >>> found = difference_of_shares(0, 0, 20)
    >>> found.value, round(found.high, 3)
    (0.0, 0.126)
    """
    if n < 1:
        raise NotEnoughData("n=0: a difference needs at least one pair")
    up, down = (only_b + 1) / (n + 2), (only_a + 1) / (n + 2)
    half = _z(confidence) * math.sqrt((up + down - (up - down) ** 2) / (n + 2))
    return Interval(
        value=(only_b - only_a) / n,
        low=max(-1.0, up - down - half),
        high=min(1.0, up - down + half),
        n=n,
        method="bonett-price",
    )


def rows_needed(found: Interval, margin: float) -> int | None:
    """Rows at which an undecided "not worse by `margin`" would be decided, if the value stays what it is now.

    The width shrinks with the root of the rows, so the bound on the side of the value reaches -margin at
    n (half-width / |value + margin|)^2. None: the value sits on the margin, and no number of rows is promised.

    Args: found: a paired difference. margin: in the unit of the metric, worse by, >= 0.

    >>> rows_needed(Interval(value=0.0, low=-0.01, high=0.01, n=10_000, method="normal"), 0.005)
    40000
    """
    distance = abs(found.value + margin)
    half = found.value - found.low if found.value > -margin else found.high - found.value
    if distance <= 1e-3 * half:
        return None
    return max(found.n, math.ceil(round(found.n * (half / distance) ** 2, 6)))


def _metric(name: str) -> Metric:
    if name not in METRICS:
        raise KeyError(f"no metric {name!r}: expected one of {', '.join(sorted(METRICS))}")
    return METRICS[name]


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence={confidence}: expected a probability in (0, 1)")
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _share(point: float, successes: int, trials: int, n: int, confidence: float) -> Interval:
    low, high = wilson(successes, trials, confidence=confidence)
    return Interval(value=point, low=low, high=high, n=n, method="wilson")


def _area(rows: Sample, confidence: float) -> Interval:
    assert rows.score is not None
    positive = rows.truth == 1
    areas, covariance = delong(positive, rows.score)
    area, sd = float(areas[0]), math.sqrt(max(0.0, float(covariance[0, 0])))
    if area in (0.0, 1.0) or sd == 0.0:
        # perfect order has no sample variance. The rows make min(m, n) disjoint pairs, all of them in that order:
        # an area that gives this with probability below (1 - confidence) / 2 is refuted
        pairs = int(min(np.sum(positive), np.sum(~positive)))
        reach = 1 - ((1 - confidence) / 2) ** (1 / pairs)
        low, high = (area - reach if area > 0 else area), (area + reach if area < 1 else area)
        return Interval(value=area, low=max(0.0, low), high=min(1.0, high), n=rows.n, method="exact")
    logit, half = math.log(area / (1 - area)), _z(confidence) * sd / (area * (1 - area))
    return Interval(value=area, low=_expit(logit - half), high=_expit(logit + half), n=rows.n, method="delong")


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def _normal(point: float, by_row: Floats, n: int, confidence: float) -> Interval:
    if by_row.size < 2:
        raise NotEnoughData(f"n={by_row.size}: a variance needs at least 2 rows")
    return _around(point, float(by_row.std(ddof=1)) / math.sqrt(by_row.size), n, confidence, "normal")


def _around(point: float, sd: float, n: int, confidence: float, method: str) -> Interval:
    half = _z(confidence) * sd
    return Interval(value=point, low=point - half, high=point + half, n=n, method=method)


def _squared_errors(rows: Sample) -> Floats:
    assert rows.prediction is not None
    return (rows.truth - rows.prediction) ** 2


def _all_labels(*columns: npt.ArrayLike | None) -> tuple[object, ...] | None:
    found = {label for column in columns if column is not None for label in np.unique(np.asarray(column)).tolist()}
    return (0, 1) if found <= {0, 1} else tuple(sorted(found))


def _resampled(kind: Metric, rows: Sample) -> Callable[[Floats], float]:
    """The metric as a function of how often each row was drawn, shape [n]; what can be sorted is sorted once."""
    if kind.by_cells is not None:
        assert rows.prediction is not None
        k, of_cells = len(rows.classes), kind.by_cells
        cell = (rows.truth * k + rows.prediction).astype(np.int64)
        return lambda weights: float(of_cells(np.bincount(cell, weights, k * k).reshape(k, k).astype(np.float64)))
    ranked = [rank(positive, column) for positive, column in rows.one_against_rest()]
    if kind.name == "roc_auc":
        return lambda weights: float(np.mean([one.auc(weights) for one in ranked]))
    return lambda weights: float(np.mean([one.average_precision(weights) for one in ranked]))


def _bootstrap(of_weights: Callable[[Floats], float], n: int, rng: np.random.Generator) -> Floats:
    resamples = min(1000, max(200, 10_000_000 // n))  # bounds the work; at 200 the ends are rough by a tenth or so
    draws = []
    for _ in range(resamples):
        weights = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
        try:
            drawn = of_weights(weights)
        except NotEnoughData:  # a resample without a rare class has no value; it says nothing about the spread
            continue
        if not math.isnan(drawn):
            draws.append(drawn)
    if 2 * len(draws) < resamples:
        raise NotEnoughData(f"{resamples - len(draws)} of {resamples} resamples had no value: a class is too rare")
    return np.array(draws)


def _percentiles(point: float, draws: Floats, n: int, confidence: float) -> Interval:
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value=point, low=min(point, float(low)), high=max(point, float(high)), n=n, method="bootstrap")
