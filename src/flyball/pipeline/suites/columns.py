"""Columns that no model should be given: copies of the label, the time in disguise, and what never changes."""

import numpy as np
import polars as pl

from flyball.core.release import TestResult
from flyball.pipeline.suites.found import named, result
from flyball.stats.binning.running_number import runs_on

AGREE = 0.999  # share of rows on which a copy agrees with the label


def label_copies(frame: pl.DataFrame, label: pl.Series) -> TestResult:
    """No column is the label under another name: equal, recoded one to one, or a straight line of it.

    >>> label_copies(pl.DataFrame({"code": ["n", "y", "n", "y"] * 10}), pl.Series([0, 1, 0, 1] * 10)).verdict
    'FAIL'
    """
    copies = [name for name in frame.columns if _is_copy(frame[name], label)]
    if not copies:
        reason = f"none of {len(frame.columns)} columns is a copy of the label"
        return result("data", "label in features", "data", "PASS", reason, n=frame.height)
    reason = f"{named(map(repr, copies))}: the label under another name; take it out of the model's inputs"
    return result("data", "label in features", "data", "FAIL", reason, n=frame.height, value=float(len(copies)))


def time_in_features(frame: pl.DataFrame, timestamp: str | None, *, plain: bool) -> TestResult:
    """No date is among the features, and no number that only runs on with the rows.

    Args:
        frame: rows in the order of time: the features, or the inputs where there is no `features` function.
        timestamp: the declared one, for the words.
        plain: the frame holds the inputs as they are.

    >>> time_in_features(pl.DataFrame({"n": range(100)}), None, plain=True).verdict
    'FAIL'
    """
    dates = [name for name in frame.columns if frame[name].dtype.is_temporal()]
    running = [name for name in frame.columns if name not in dates and _runs_on(frame[name])]
    if not dates and not running:
        reason = f"no date and no running number among {len(frame.columns)} {'inputs' if plain else 'features'}"
        return result("data", "time in features", "data", "PASS", reason, n=frame.height)
    parts = []
    if dates:
        parts.append(f"{named(map(repr, dates))}: a date")
    if running:
        parts.append(f"{named(map(repr, running))}: a number that runs on with the rows")
    fix = "derive what repeats (hour, weekday) in features()"
    fix += "" if timestamp else ", or name it in data.timestamp"
    reason = f"{'; '.join(parts)}; every later row lies outside what was learned: {fix}"
    return result("data", "time in features", "data", "FAIL", reason, n=frame.height)


def constant_columns(frame: pl.DataFrame) -> TestResult:
    """Columns with one value teach nothing; hard only where there is nothing else.

    >>> found = constant_columns(pl.DataFrame({"a": [1, 1], "b": [1, 2]}))
    >>> found.verdict, found.hard
    ('FAIL', False)
    """
    constant = [name for name in frame.columns if frame[name].n_unique() < 2]
    if not constant:
        return result("data", "constant columns", "data", "PASS", "every column varies", hard=False, n=frame.height)
    everything = len(constant) == len(frame.columns)
    reason = f"{named(map(repr, constant))}: one value in {frame.height} training rows"
    reason += "; there is nothing to learn from" if everything else ""
    return result("data", "constant columns", "data", "FAIL", reason, hard=everything, n=frame.height)


def _is_copy(column: pl.Series, label: pl.Series) -> bool:
    if column.dtype.is_nested() or column.null_count() > (1 - AGREE) * len(column):
        return False
    if label.dtype.is_float() or (label.dtype.is_integer() and label.n_unique() > 20):
        if not column.dtype.is_numeric() or column.n_unique() < 2:
            return False
        pairs = np.column_stack([column.cast(pl.Float64).to_numpy(), label.cast(pl.Float64).to_numpy()])
        pairs = pairs[np.isfinite(pairs).all(axis=1)]
        if pairs.shape[0] < 3 or np.ptp(pairs[:, 0]) == 0 or np.ptp(pairs[:, 1]) == 0:
            return False
        return abs(float(np.corrcoef(pairs.T)[0, 1])) > 1 - 1e-9
    if column.n_unique() > 2 * label.n_unique() + 1:
        return False
    table = pl.DataFrame({"c": column.cast(pl.String), "y": label.cast(pl.String)}).group_by("c", "y").len()
    by_column = table.sort("len", descending=True).unique("c", keep="first", maintain_order=True)
    agrees = int(by_column["len"].sum()) / max(1, len(column))
    return by_column["y"].n_unique() == label.n_unique() > 1 and agrees >= AGREE


def _runs_on(column: pl.Series) -> bool:
    return column.dtype.is_numeric() and not column.null_count() and runs_on(column.cast(pl.Float64).to_numpy())
