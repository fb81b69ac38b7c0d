"""Shift between training and holdout rows: a finding, and a failure only where it is gross.

PSI over bins anchored in the training rows, with the missing as a bin of their own; the error rate of each comparison
is divided by the number of inputs. Seasons shift real tables by a PSI of 5 and do no harm; gross is a column that went
missing or became another one, where hardly a bin is shared: there the holdout says nothing about the model.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from flyball.core.release import Estimate
from flyball.pipeline.baseline import reference
from flyball.pipeline.suites.found import Found, named, result
from flyball.stats.binning.bins import CategoryBins, Counts, NumericBins
from flyball.stats.two_sample.compare import Reading, compare

ALPHA = 0.01  # of all comparisons of a table together
LIMIT = 0.25  # PSI from which a shift is told
GROSS = 0.95  # total variation from which the split is refused: less than 5 % of the rows could be the same
MEASURE = "shift.largest_psi"


def shift(train: pl.DataFrame, holdout: pl.DataFrame, inputs: Sequence[str]) -> Found:
    """The largest PSI of an input, and which inputs are shifted.

    >>> before, after = pl.DataFrame({"x": range(1000)}), pl.DataFrame({"x": range(400)})
    >>> [(t.verdict, t.hard) for t in shift(before, after, ["x"]).tests]
    [('FAIL', False)]
    """
    alpha = ALPHA / max(1, len(inputs))
    counted = {name: _counts(train[name], holdout[name]) for name in inputs}
    measured = {name: compare(*counts, limit=LIMIT, alpha=alpha, null="zero") for name, counts in counted.items()}
    known = {name: found for name, found in measured.items() if found.plain is not None}
    if not known:
        reason = f"{train.height} training and {holdout.height} holdout rows are too few to compare"
        return Found(
            tests=(result("data", "shift", "data", "INCONCLUSIVE", reason, hard=False, n=holdout.height),),
            missing={MEASURE: reason},
        )
    worst = max(known, key=lambda name: known[name].plain or 0.0)
    value, ci = known[worst].plain or 0.0, known[worst].ci or (0.0, 0.0)
    found = Estimate(value=value, low=min(ci[0], value), high=max(ci[1], value), n=holdout.height)
    shifted = [name for name, one in known.items() if one.verdict is Reading.DRIFT]
    gross = [name for name in shifted if _total_variation(*counted[name]) > GROSS]
    reason = f"largest PSI {value:.3f} ({found.low:.3f} to {found.high:.3f}), input {worst!r}"
    if shifted:
        reason += f"; beyond {LIMIT} with false alarms held at {ALPHA:.0%} over all: {named(map(repr, shifted))}"
    if gross:
        reason += f"; {named(map(repr, gross))}: hardly the same column on both sides"
    verdict = "FAIL" if shifted else "PASS"
    return Found(
        tests=(result("data", "shift", "data", verdict, reason, hard=bool(gross), found=found, limit=LIMIT),),  # type: ignore[arg-type]
        metrics={MEASURE: found},
    )


def _counts(before: pl.Series, after: pl.Series) -> tuple[Counts, Counts]:
    """Rows in the bins that the training rows anchor."""
    anchored = reference(before)
    if anchored.kind == "category":
        return np.asarray(anchored.counts), CategoryBins(values=anchored.values).count(after.to_list())
    if after.dtype.is_temporal():
        after = after.cast(pl.Datetime("us")).dt.epoch("us") / 1e6
    return np.asarray(anchored.counts), NumericBins(edges=anchored.edges).count(after.cast(pl.Float64).to_numpy())


def _total_variation(before: Counts, after: Counts) -> float:
    return float(np.abs(before / before.sum() - after / after.sum()).sum() / 2)
