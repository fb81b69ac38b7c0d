"""Rows of the prediction log become counts on the bins of a release's baseline.

Counts add, so workers, panes and windows merge by addition and nothing is ever counted twice. What is left out, and
why: excluded rows (testers, pinned versions) everywhere; rows that the contract did not accept from the feature counts,
where one garbled field would look like drift, and rows that were shed, whose features nobody has read; answers of the
fallback chain from the prediction counts, because they say nothing about the release.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from flyball.core.release import Baseline, Reference
from flyball.core.watching import PaneGroup

# 0.05 ms to about 70 s in steps of 10 %, so that a quantile read from the counts is off by at most that
LATENCY_EDGES_MS = tuple(round(0.05 * 1.1**step, 6) for step in range(149))
ACCEPTED = ("answered", "fallback", "failed")  # outcomes of rows that the contract accepted
REFUSED = ("quarantined", "rejected")
LEFT_OUT = (*REFUSED, "shed")  # of the feature counts: nobody has looked into a row that was turned away unread

Counts = tuple[int, ...]
Numbers = npt.NDArray[np.float64]


def count(
    frame: pl.DataFrame,
    baseline: Baseline,
    *,
    arm: str,
    release: str,
    without: Collection[str] = (),
    values: Mapping[str, Numbers] | None = None,
) -> PaneGroup:
    """Counts of the rows of one arm and one release.

    Args:
        frame: rows with the columns of `PredictionRecord`, features in `x.<name>`.
        baseline: of that release.
        without: features that are not watched (times and keys move by nature).
        values: numeric features as `numbers` gives them, where the caller has them.
    """
    outcome = frame["outcome"]
    refused = outcome.is_in(REFUSED)
    kept = ~frame["excluded"] if "excluded" in frame.columns else None
    if kept is not None and not kept.all():
        mine = kept.to_numpy()
        left = {name: column[mine] for name, column in (values or {}).items()}
        rest = frame.filter(kept).drop("excluded")
        return count(rest, baseline, arm=arm, release=release, without=without, values=left)
    violations = int(refused.sum())
    known = values or {}
    accepted, unseen = frame, outcome.is_in(LEFT_OUT)
    if unseen.any():
        accepted, good = frame.filter(~unseen), ~unseen.to_numpy()
        known = {name: column[good] for name, column in known.items()}
    answered = accepted if (outcome == "answered").all() else accepted.filter(accepted["outcome"] == "answered")
    return PaneGroup(
        arm=arm,
        release=release,
        rows=frame.height,
        errors=int(frame["error"].sum()),
        slow=int(frame["slow"].sum()),
        failed=int((outcome == "failed").sum()),
        violations=violations,
        broken=_broken(frame, refused) if violations else {},
        features={
            name: binned(known[name], reference) if name in known else counted(accepted[f"x.{name}"], reference)
            for name, reference in baseline.features.items()
            if name not in without and f"x.{name}" in frame.columns
        },
        prediction={
            name: counted(column, reference)
            for name, reference in baseline.prediction.items()
            if (column := answer_column(answered, name)) is not None
        },
        latency=_tally(np.searchsorted(LATENCY_EDGES_MS, frame["latency_ms"].to_numpy()), len(LATENCY_EDGES_MS) + 1),
    )


def _broken(frame: pl.DataFrame, refused: pl.Series) -> dict[str, int]:
    """Rows by the rule that they broke; empty: the record does not say."""
    if "reason" not in frame.columns:
        return {}
    return dict(Counter(frame["reason"].filter(refused).drop_nulls().to_list()))


def counted(column: pl.Series, reference: Reference) -> Counts:
    """Rows in each bin of the reference; the last bin is missing.

    >>> counted(pl.Series([0.2, 7.0, None]), Reference(kind="numeric", edges=(0.5,), counts=(5, 5, 0)))
    (1, 1, 1)
    >>> counted(pl.Series(["a", "z"]), Reference(kind="category", values=("a", "b"), counts=(5, 5, 0, 0)))
    (1, 0, 1, 0)
    """
    if reference.kind == "numeric":
        return binned(numbers(column), reference)
    place, size = class_places(reference.values), len(reference.values) + 2
    found = [0] * size
    for value, rows in Counter(column.cast(pl.String).to_list()).items():
        found[size - 1 if value is None else place.get(value, size - 2)] += rows
    return tuple(found)


def binned(values: Numbers, reference: Reference) -> Counts:
    """Rows in each bin of a numeric reference; the last bin is missing. Args: values: shape [n], NaN is missing."""
    at = np.searchsorted(np.asarray(reference.edges), values, side="right")
    size = len(reference.edges) + 2
    at[np.isnan(values)] = size - 1
    return _tally(at, size)


def numbers(column: pl.Series) -> npt.NDArray[np.float64]:
    """A column as numbers, shape [n]; missing is NaN, times are seconds since the epoch as in the baseline."""
    if column.dtype.is_temporal():
        column = column.cast(pl.Datetime("us")).dt.epoch("us") / 1e6
    return column.cast(pl.Float64, strict=False).to_numpy()


def merge(a: PaneGroup, b: PaneGroup) -> PaneGroup:
    """Both together: addition, whatever the order. The two are of one arm and one release."""
    if (a.arm, a.release) != (b.arm, b.release):
        raise ValueError(f"expected counts of one arm and release, found {a.arm} {a.release} and {b.arm} {b.release}")
    return PaneGroup(
        arm=a.arm,
        release=a.release,
        rows=a.rows + b.rows,
        errors=a.errors + b.errors,
        slow=a.slow + b.slow,
        failed=a.failed + b.failed,
        violations=a.violations + b.violations,
        broken=dict(Counter(a.broken) + Counter(b.broken)),
        features=_sum_each(a.features, b.features),
        prediction=_sum_each(a.prediction, b.prediction),
        latency=_sum(a.latency, b.latency),
    )


def answer_column(frame: pl.DataFrame, name: str) -> pl.Series | None:
    """`top_score` is the largest of the scores, which the log keeps as a struct or a list."""
    if name != "top_score":
        return frame[name] if name in frame.columns else None
    if "scores" not in frame.columns:
        return None
    scores = frame["scores"]
    if isinstance(scores.dtype, pl.Struct):
        return scores.struct.unnest().select(pl.max_horizontal(pl.all())).to_series()
    if isinstance(scores.dtype, pl.List):
        return scores.list.max()
    return None


@lru_cache(maxsize=1024)
def class_places(values: tuple[str, ...]) -> dict[str, int]:
    """Bin of each text under which a value may come: a label 1 may have travelled as `1.0`, True as `true`.

    >>> class_places(("0", "1"))["1.0"], class_places(("False", "True"))["true"]
    (1, 1)
    """
    place = {value: at for at, value in enumerate(values)}
    for at, value in enumerate(values):
        for alias in (value.lower() if value in ("True", "False") else value, _as_float(value)):
            place.setdefault(alias, at)
    return place


def _as_float(value: str) -> str:
    return f"{value}.0" if value.lstrip("-").isdigit() else value


def _tally(at: npt.NDArray[np.int64], size: int) -> Counts:
    return tuple(np.bincount(at, minlength=size).tolist())


def _sum(a: Counts, b: Counts) -> Counts:
    if not a or not b:
        return a or b
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _sum_each(a: Mapping[str, Counts], b: Mapping[str, Counts]) -> dict[str, Counts]:
    return {name: _sum(a.get(name, ()), b.get(name, ())) for name in (*a, *(name for name in b if name not in a))}
