"""Target leak: an input that alone predicts the label too well is probably made from it.

Each input is turned into a score by the mean label of its bins (or values), learned on one half of the rows and read
on the other, so that a column of ids does not look clever; a number is read by its own order as well. For a class the
score is held by its ROC area (DeLong), for a number by R2. The lower bounds hold for all inputs at once (Bonferroni).

The limits hold against the lower bounds. The strongest clean input of the fourteen tables that they were calibrated on
has an area of 0.84 and an R2 of 0.50; the weakest leak planted in them, one part of a sum that is the label, has 0.945.
"""

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.errors import NotEnoughData
from flyball.core.release import Estimate
from flyball.pipeline.suites.found import Found, result
from flyball.stats.intervals import Interval, interval

AREA_LIMIT = 0.97
R2_LIMIT = 0.90
MEASURE = "leakage.strongest_input"
MOST_ROWS = 20_000
BINS = 64
LEAST_ROWS = 40

Floats = npt.NDArray[np.float64]


def target_leak(frame: pl.DataFrame, label: pl.Series, *, regression: bool, rng: np.random.Generator) -> Found:
    """The strongest single input, against the limit.

    Args:
        frame: the inputs of the model, before or after `features`.
        label: of the same rows.
        regression: the label is a number.

    >>> rng = np.random.default_rng(0)
    >>> y = pl.Series(rng.random(400) < 0.5)
    >>> frame = pl.DataFrame({"clean": rng.random(400), "leak": y.cast(pl.Float64) + 0.001 * rng.random(400)})
    >>> target_leak(frame, y, regression=False, rng=rng).tests[0].verdict
    'FAIL'
    """
    limit = R2_LIMIT if regression else AREA_LIMIT
    rows = np.sort(rng.permutation(frame.height)[:MOST_ROWS])
    frame, label = frame[rows.tolist()], label[rows.tolist()]
    half = rng.random(frame.height) < 0.5
    columns = [name for name in frame.columns if not frame[name].dtype.is_nested()]
    confidence = 1 - 0.05 / max(1, len(columns))
    strongest: tuple[str, Interval] | None = None
    for name in columns:
        found = _strength(frame[name], label, half, regression, confidence, rng)
        if found is not None and (
            strongest is None or (found.value, found.low) > (strongest[1].value, strongest[1].low)
        ):
            strongest = (name, found)
    if strongest is None:
        reason = f"{frame.height} rows of {len(columns)} inputs do not suffice to judge one input alone"
        return Found(
            tests=(result("data", "target leak", "data", "INCONCLUSIVE", reason, n=frame.height),),
            missing={MEASURE: reason},
        )
    name, found = strongest
    leaks = found.low >= limit
    what = "R2" if regression else "a ROC area"
    reason = (
        f"the strongest input, {name!r}, alone has {what} of {found.value:.4f} ({found.low:.4f} to {found.high:.4f})"
    )
    if leaks:
        reason += ": it is probably made from the label; take it out, or say in features() what was known in time"
    return Found(
        tests=(result("data", "target leak", "data", "FAIL" if leaks else "PASS", reason, found=found, limit=limit),),
        metrics={MEASURE: Estimate(value=found.value, low=found.low, high=found.high, n=found.n)},
    )


def _strength(
    column: pl.Series,
    label: pl.Series,
    half: npt.NDArray[np.bool_],
    regression: bool,
    confidence: float,
    rng: np.random.Generator,
) -> Interval | None:
    """The better reading of one input; None where it says nothing."""
    if column.n_unique() < 2:
        return None
    readings = []
    for positive in _targets(label, regression):
        scores = [(_by_bins(column, positive, half), ~half)]
        if column.dtype.is_numeric() or column.dtype.is_temporal():
            scores.append((_as_numbers(column, fill=True), np.ones(half.size, dtype=bool)))
        for score, rows in scores:
            found = _held(score[rows], positive[rows], regression, confidence, rng)
            if found is not None:
                readings.append(found)
    return max(readings, key=lambda one: (one.value, one.low), default=None)


def _targets(label: pl.Series, regression: bool) -> list[Floats]:
    """The label as numbers: itself, or one class against the rest for each class that has enough rows."""
    if regression:
        return [label.cast(pl.Float64).to_numpy()]
    values = np.asarray(label.cast(pl.String).to_list())
    names, counts = np.unique(values, return_counts=True)
    chosen = names[counts >= 20]
    return [(values == name).astype(np.float64) for name in (chosen[1:] if names.size == 2 else chosen)]


def _held(
    score: Floats, truth: Floats, regression: bool, confidence: float, rng: np.random.Generator
) -> Interval | None:
    if truth.size < LEAST_ROWS or float(np.ptp(score)) == 0.0 or float(np.ptp(truth)) == 0.0:
        return None
    if regression:
        return _r2(score, truth, confidence)
    try:
        found = interval("roc_auc", truth.astype(int), None, score, confidence=confidence, rng=rng, classes=[0, 1])
    except NotEnoughData:
        return None
    if found.value >= 0.5:
        return found
    return Interval(value=1 - found.value, low=1 - found.high, high=1 - found.low, n=found.n, method=found.method)


def _r2(score: Floats, truth: Floats, confidence: float) -> Interval:
    """Squared Pearson correlation with Fisher's interval."""
    r = abs(float(np.corrcoef(score, truth)[0, 1]))
    centre = math.atanh(min(r, 1 - 1e-12))
    half = NormalDist().inv_cdf((1 + confidence) / 2) / math.sqrt(truth.size - 3)
    low = max(0.0, math.tanh(centre - half))
    return Interval(value=r * r, low=low * low, high=math.tanh(centre + half) ** 2, n=truth.size, method="normal")


def _by_bins(column: pl.Series, truth: Floats, half: npt.NDArray[np.bool_]) -> Floats:
    """Mean label of the row's bin among the rows of `half`; a bin not seen there gets the mean of all."""
    if column.dtype.is_numeric() or column.dtype.is_temporal():
        values = _as_numbers(column, fill=False)
        known = values[half & np.isfinite(values)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1])) if known.size else np.zeros(0)
        at = np.searchsorted(edges, values, side="right")
        at[~np.isfinite(values)] = edges.size + 1
    else:
        texts = np.asarray(["" if value is None else f"={value}" for value in column.to_list()])
        _, at = np.unique(texts, return_inverse=True)
        at = at.ravel()
    size, mean = int(at.max()) + 1, float(truth[half].mean()) if half.any() else 0.0
    rows = np.bincount(at[half], minlength=size)
    total = np.bincount(at[half], truth[half], minlength=size)
    # one row of the mean is added to each bin, so that a value seen once says little
    return np.asarray((total + mean) / (rows + 1))[at]


def _as_numbers(column: pl.Series, *, fill: bool) -> Floats:
    if column.dtype.is_temporal():
        column = column.cast(pl.Datetime("us")).dt.epoch("us")
    values = column.cast(pl.Float64).to_numpy().astype(np.float64)
    if not fill:
        return values
    known = values[np.isfinite(values)]
    return np.where(np.isfinite(values), values, float(np.median(known)) if known.size else 0.0)
