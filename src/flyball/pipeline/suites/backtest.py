"""Backtest: walk forward through the rows, fit on what came before, judge on the next window, and look at the course.

The rows before the first window are the first training set and as large as a window; each later fit knows all rows
before its window. The spread says how much one holdout's value is worth, the trend whether it is getting worse.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import polars as pl
from scipy import stats

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label
from flyball.core.release import Estimate
from flyball.pipeline.evaluate import Scored, aligned, evaluate
from flyball.pipeline.suites.dummy import best_constant
from flyball.pipeline.suites.found import Found, result, words
from flyball.pipeline.suites.subject import Learn
from flyball.stats.scoring.metrics import METRICS

LEAST_ROWS = 50  # of a window
MOST_ROWS = 50_000  # the newest of them


def backtest(
    learn: Learn,
    metric: str,
    made: pl.DataFrame,
    label: pl.Series,
    classes: tuple[Label, ...],
    windows: int,
    rng: np.random.Generator,
) -> Found:
    """`backtest.worst`, `.spread` and `.trend` of the metric; a finding where most windows do not beat a constant.

    Args: made, label: all rows in the order of time. windows: how many are judged, each with a fit of its own.
    """
    measures = [f"backtest.{kind}.{metric}" for kind in ("worst", "spread", "trend")]
    made, label = made.tail(MOST_ROWS), label.tail(MOST_ROWS)
    size = made.height // (windows + 1)
    if size < LEAST_ROWS:
        why = f"{windows} windows of {made.height} rows have {size} rows each: expected at least {LEAST_ROWS}"
        return Found(
            tests=(result("model", "backtest", "quality", "INCONCLUSIVE", why, hard=False, n=made.height),),
            missing=dict.fromkeys(measures, why),
        )
    edges = [made.height - size * back for back in range(windows, -1, -1)]
    values: list[Estimate] = []
    beaten = 0
    try:
        for start, end in pairwise(edges):
            value, better = _window(learn, metric, made, label, classes, start, end, rng)
            values.append(value)
            beaten += better
    except (NotEnoughData, ValueError, KeyError) as error:
        why = f"a window has no value: {words(error)}"
        return Found(
            tests=(result("model", "backtest", "quality", "INCONCLUSIVE", why, hard=False, n=made.height),),
            missing=dict.fromkeys(measures, why),
        )
    worst = min(values, key=lambda one: METRICS[metric].better_by(0.0, one.value))
    spread, trend = _course([one.value for one in values])
    found = {name: value for name, value in zip(measures, (worst, spread, trend), strict=True) if value is not None}
    missing = {measures[2]: "a trend needs three windows"} if trend is None else {}
    verdict = "PASS" if 2 * beaten > windows else "FAIL"
    course = ", ".join(f"{one.value:.4g}" for one in values)
    reason = f"{metric} in {windows} windows of {size} rows: {course}; {beaten} beat a constant; "
    if trend is not None:
        reason += f"trend {trend.value:+.3g} a window ({trend.low:+.3g} to {trend.high:+.3g})"
    told = result("model", "backtest", "quality", verdict, reason, hard=False, found=worst)  # type: ignore[arg-type]
    return Found(tests=(told,), metrics=found, missing=missing)


def _window(
    learn: Learn,
    metric: str,
    made: pl.DataFrame,
    label: pl.Series,
    classes: tuple[Label, ...],
    start: int,
    end: int,
    rng: np.random.Generator,
) -> tuple[Estimate, bool]:
    fitted = learn(made[:start], label[:start])
    predictions, scores = fitted.predict(made[start:end])
    truth = np.array(label[start:end].to_list())
    scored = aligned(Scored(truth=truth, predictions=predictions, scores=scores), fitted.classes, classes)
    found = evaluate((metric,), scored, classes=classes, rng=rng)
    if metric in found.missing:
        raise NotEnoughData(found.missing[metric])
    predictions, scores = best_constant(metric, np.array(label[:start].to_list()), classes).answers(end - start)
    dummy = evaluate((metric,), Scored(truth=truth, predictions=predictions, scores=scores), classes=classes, rng=rng)
    value = found.metrics[metric]
    base = dummy.metrics.get(metric)
    return value, base is None or METRICS[metric].better_by(base.value, value.value) > 0


def _course(values: Sequence[float]) -> tuple[Estimate, Estimate | None]:
    """Standard deviation over windows (chi-square interval), and change per window (t interval of the slope)."""
    n = len(values)
    sd = float(np.std(values, ddof=1))
    low, high = (sd * float(np.sqrt((n - 1) / stats.chi2.ppf(p, n - 1))) for p in (0.975, 0.025))
    spread = Estimate(value=sd, low=low, high=high, n=n)
    if n < 3:
        return spread, None
    line = stats.linregress(np.arange(n), values)
    half = float(stats.t.ppf(0.975, n - 2)) * float(line.stderr)
    slope = float(line.slope)
    return spread, Estimate(value=slope, low=slope - half, high=slope + half, n=n)
