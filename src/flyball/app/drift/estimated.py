"""What the predictions of the current table are expected to cost, before its labels have come.

The loss itself is predicted (`stats.direct_loss`): learned from inputs, prediction and loss of the reference, which has
labels, and asked for the rows of now, on a uniform sample of each table. It holds as long as the same kind of row loses
what it lost: a change of the concept it cannot see. Of classes nothing is estimated. Five thousand rows hold too few
errors to learn from, and what was tried (the same, and the reference weighted to today's rows) said 5 % where 8 % came
true; calibrated scores tell, and those the monitor of a service has.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from threadpoolctl import threadpool_limits

from flyball.app.drift.columns import as_categories, as_numbers, spelled
from flyball.app.drift.comparable import Column
from flyball.app.drift.losses import NORMAL_95, OF_NUMBERS, Level, Risk
from flyball.app.drift.sampled import sampled
from flyball.app.drift.streams import Table
from flyball.core.errors import NotEnoughData
from flyball.stats.risk.direct_loss import DirectLoss
from flyball.stats.scoring.sample import Floats

SEED = 20_261_126
Likes = Mapping[str, pl.DataType]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """A mean loss to expect, or why there is none."""

    level: Level | None = None
    reason: str = ""


def estimated(
    reference: Table, current: Table, columns: Sequence[Column], likes: Likes, risk: Risk, unit: str
) -> Expected:
    """From rows of both tables.

    Args:
        columns: that can be compared. likes: what a text of the current table is read as. unit: see `losses.unit_of`.
    """
    if unit != OF_NUMBERS:
        return Expected(reason="of classes only calibrated scores tell, and those the monitor of a service has")
    inputs = [each for each in columns if each.name not in (risk.label, risk.prediction) and each.kind != "time"]
    names = [each.name for each in inputs]
    if not names:
        return Expected(reason="no input of the two tables can be compared")
    before = sampled(reference, [*names, risk.label, risk.prediction])
    before = before.filter(_there(before[risk.label]) & _there(before[risk.prediction]))
    now = sampled(current, [*names, risk.prediction])
    now = now.filter(_there(now[risk.prediction]))
    if now.is_empty():
        return Expected(reason="no row of the current table has a prediction that is a number")
    try:
        truth, said = (_numbers(before[name]).to_numpy() for name in (risk.label, risk.prediction))
        import sklearn.ensemble  # noqa: F401 (only pools that are loaded can be limited; here: it takes seconds to load)

        # trees of some thousand rows: beside other work, threads that wait for each other take fifty times as long
        with threadpool_limits(1):
            g = DirectLoss("mae", _inputs(before, inputs, reference.schema), said, truth, seed=SEED)
            found = g.expected(_inputs(now, inputs, likes), _numbers(now[risk.prediction]).to_numpy())
    except NotEnoughData as error:
        return Expected(reason=str(error))
    half = NORMAL_95 * found.se
    return Expected(level=Level(value=found.value, ci=(found.value - half, found.value + half), rows=found.n))


def _numbers(column: pl.Series) -> pl.Series:
    return column.cast(pl.Float64, strict=False)


def _there(column: pl.Series) -> pl.Series:
    return _numbers(column).is_finite().fill_null(False)


def _inputs(side: pl.DataFrame, columns: Sequence[Column], likes: Likes) -> Floats:
    """Shape [rows, columns]; NaN is missing."""
    return np.column_stack([_values(side[each.name], each, likes[each.name]) for each in columns])


def _values(column: pl.Series, of: Column, like: pl.DataType) -> Floats:
    """As numbers, shape [rows]; a category by its place among the known ones, all others by the next number."""
    if of.kind == "number":
        return as_numbers(column, like)[0]
    assert of.pair is not None
    known = list(of.pair.values)
    texts = spelled(as_categories(column, like)[0], known).cast(pl.String)
    codes = texts.replace_strict(known, range(len(known)), default=len(known), return_dtype=pl.Float64)
    return np.where(texts.is_null().to_numpy(), np.nan, codes.to_numpy())
