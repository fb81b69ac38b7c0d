"""Copied rows: a holdout row that also stands among the training rows is no test of anything.

Two equal rows are a copy only where coincidence is unlikely: some column must tell rows apart (a number, a time or a
text with many values, almost as many as there are different inputs). In a table of a few codes, or where rows that
share a value of it mostly differ elsewhere, as the half-hours of one demand do, equal rows are bound to happen, and the
result says so instead.
"""

import polars as pl

from flyball.core.release import Estimate
from flyball.pipeline.suites.found import Found, result
from flyball.stats.scoring.intervals import wilson

LIMIT = 0.01  # share of the holdout
FEWEST = 5  # fewer are told and stop nothing
MANY = 0.2  # different values for each row, at least, and
TELLING = 0.8  # for each different row of inputs, in a column that tells rows apart
MEASURE = "leakage.copied_rows"


def copied_rows(train: pl.DataFrame, holdout: pl.DataFrame, *, label: str | None = None) -> Found:
    """Share of holdout rows of which every value stands in one training row.

    Args:
        train, holdout: the columns of the contract, label included, the stream position left out.
        label: name of the label, compared, but it tells no inputs apart: the same may come with another label.

    >>> rows = pl.DataFrame({"x": [i / 7 for i in range(100)], "y": [i % 2 for i in range(100)]})
    >>> copied_rows(rows[:80], rows[70:]).tests[0].verdict
    'FAIL'
    """
    columns = [name for name in train.columns if not train[name].dtype.is_nested()]
    seen = train.select(columns).unique().with_columns(pl.lit(True).alias("__seen"))
    joined = holdout.select(columns).join(seen, on=columns, how="left", nulls_equal=True)
    copies, n = int(joined["__seen"].fill_null(False).sum()), holdout.height
    low, high = wilson(copies, n)
    found = Estimate(value=copies / n, low=low, high=high, n=n)
    distinct = train.select([name for name in columns if name != label]).unique().height
    enough = max(MANY * train.height, TELLING * distinct)
    telling = [name for name in columns if train[name].n_unique() >= enough]
    words = f"{copies} of {n} holdout rows ({found.value:.2%}) stand among the training rows, value by value"
    if not telling:
        verdict, hard = ("PASS", True) if copies == 0 else ("INCONCLUSIVE", False)
        words += "" if copies == 0 else "; no column tells rows apart, so these may be coincidence"
    else:
        bad = found.value > LIMIT and copies >= FEWEST
        verdict, hard = ("FAIL" if bad else "PASS"), True
        words += f"; {telling[0]!r} tells rows apart, so they are copies: remove them before the split" if bad else ""
    return Found(
        tests=(result("data", "copied rows", "data", verdict, words, hard=hard, found=found, limit=LIMIT),),  # type: ignore[arg-type]
        metrics={MEASURE: found},
    )
