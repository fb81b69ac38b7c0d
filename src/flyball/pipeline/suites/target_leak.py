"""Target leak: an input that alone predicts the label too well is probably made from it.

Each input is turned into a score by the mean label of its bins (or values), learned on one half of the rows and read
on the other and the other way round, so that a column of ids does not look clever; a number is read by its own order as
well. For a class against the rest the score is held by its ROC area (DeLong), for a number by R2. Every reading is
judged, whichever is the largest, and their bounds hold for all of them at once (Bonferroni).

A reading leaks where its lower bound reaches the limit. It leaks as well where its value does and the rows of a rare
class are too few for the bound to follow, as long as the bound is beyond SURE, half way from chance to certainty: forty
rows of a class in perfect order are no accident. The strongest clean input of the fourteen tables that the limits were
calibrated on has an area of 0.84 and an R2 of 0.50; the weakest leak planted in them, one part of a sum that is the
label, has 0.945.
"""

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.errors import NotEnoughData
from flyball.core.release import Estimate
from flyball.pipeline.suites.found import Found, named, result
from flyball.stats.scoring.intervals import Interval, interval

AREA_LIMIT = 0.97
R2_LIMIT = 0.90
SURE = {"area": 0.75, "R2": 0.50}  # lower bound from which a value beyond the limit counts
MEASURE = "leakage.strongest_input"
MOST_ROWS = 20_000
FEW_ROWS = 1000  # of a class: all of them are kept when rows are sampled
BINS = 64
LEAST_ROWS = 40
LEAST_OF_CLASS = 20

Floats = npt.NDArray[np.float64]


def target_leak(frame: pl.DataFrame, label: pl.Series, *, regression: bool, rng: np.random.Generator) -> Found:
    """Every single input, against the limit; the measure is the one that is surely the strongest.

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
    limit, what = (R2_LIMIT, "R2") if regression else (AREA_LIMIT, "area")
    rows = _chosen(label, regression, rng)
    frame, label = frame[rows], label[rows]
    half = rng.random(frame.height) < 0.5
    columns = [name for name in frame.columns if not frame[name].dtype.is_nested() and frame[name].n_unique() > 1]
    targets = _targets(label, regression)
    scores = [(name, score) for name in columns for score in _scores(frame[name], targets, half)]
    confidence = 1 - 0.05 / max(1, len(scores))
    found = [
        (name, reading)
        for name, (score, truth) in scores
        if (reading := _held(score, truth, regression, confidence, rng)) is not None
    ]
    if not found:
        reason = f"{frame.height} rows of {len(columns)} inputs do not suffice to judge one input alone"
        return Found(
            tests=(result("data", "target leak", "data", "INCONCLUSIVE", reason, n=frame.height),),
            missing={MEASURE: reason},
        )
    best: dict[str, Interval] = {}  # the reading of each input that says most
    for name, reading in found:
        if name not in best or (reading.low, reading.value) > (best[name].low, best[name].value):
            best[name] = reading
    leaks = {name for name, one in found if one.low >= limit or (one.value >= limit and one.low >= SURE[what])}
    name = max(best, key=lambda one: (one in leaks, best[one].low, best[one].value))
    at = best[name]
    reason = f"the strongest input, {name!r}, alone has {'R2' if regression else 'a ROC area'} of {at.value:.4f} "
    reason += f"({at.low:.4f} to {at.high:.4f}, for {len(scores)} readings at once)"
    if leaks:
        told = (f"{one!r} ({best[one].value:.4f}, at least {best[one].low:.4f})" for one in best if one in leaks)
        reason += f"; beyond {limit}: {named(told)}: probably made from the label; take it out, "
        reason += "or say in features() what was known in time"
    return Found(
        tests=(result("data", "target leak", "data", "FAIL" if leaks else "PASS", reason, found=at, limit=limit),),
        metrics={MEASURE: Estimate(value=at.value, low=at.low, high=at.high, n=at.n)},
    )


def _chosen(label: pl.Series, regression: bool, rng: np.random.Generator) -> list[int]:
    """MOST_ROWS rows by chance, and all rows of a class with few: the classes' shares do not move an area."""
    order = rng.permutation(len(label))
    chosen = np.zeros(len(label), dtype=bool)
    chosen[order[:MOST_ROWS]] = True
    if not regression and len(label) > MOST_ROWS:
        names, at, counts = np.unique(_names(label), return_inverse=True, return_counts=True)
        chosen |= (counts < FEW_ROWS)[at] if names.size <= MOST_ROWS // FEW_ROWS else False
    return [int(row) for row in np.flatnonzero(chosen)]


def _scores(column: pl.Series, targets: list[Floats], half: npt.NDArray[np.bool_]) -> Iterator[tuple[Floats, Floats]]:
    """(score, truth) of every reading of one input."""
    ordered = column.dtype.is_numeric() or column.dtype.is_temporal()
    for truth in targets:
        yield np.where(half, _by_bins(column, truth, ~half), _by_bins(column, truth, half)), truth
        if ordered:
            yield _as_numbers(column, fill=True), truth


def _names(label: pl.Series) -> npt.NDArray[np.str_]:
    return np.asarray(label.cast(pl.String).to_list()).astype(str)


def _targets(label: pl.Series, regression: bool) -> list[Floats]:
    """The label as numbers: itself, or one class against the rest for each class that has enough rows."""
    if regression:
        return [label.cast(pl.Float64).to_numpy()]
    values = _names(label)
    names, counts = np.unique(values, return_counts=True)
    chosen = names[counts >= LEAST_OF_CLASS]
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
    """Mean label of the row's bin among the rows of `half`; a bin not seen there gets the mean of all rows."""
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
    size, mean = int(at.max()) + 1, float(truth.mean())
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
