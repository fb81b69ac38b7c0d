"""Drift planted in a shuffled table of credit-card customers: other inputs, other classes, another concept."""

import numpy as np
import polars as pl

LABEL = "default_next_month"


def planted(kind: str, table: pl.DataFrame, row: int = 13_000) -> pl.DataFrame:
    """The table shuffled with a fixed seed; from `row` on it is another one."""
    shuffled = table.sample(fraction=1.0, shuffle=True, seed=3)
    before, after = shuffled[:row], shuffled[row:]
    rng = np.random.default_rng(3)
    if kind == "covariate_shift":  # customers who were late are taken on ten times as often: P(y | x) is as it was
        weight = np.where(after["pay_0"].to_numpy() > 0, 10.0, 1.0)
        after = after[rng.choice(after.height, after.height, p=weight / weight.sum())]
    elif kind == "label_shift":  # defaults become three times as frequent, and each class looks as it did
        late = after[LABEL].to_numpy() == 1
        weight = np.where(late, 0.6 / late.mean(), 0.4 / (1 - late.mean()))
        after = after[rng.choice(after.height, after.height, p=weight / weight.sum())]
    elif kind == "concept_drift":  # who is over 40 and was never late defaults now: the inputs are as they were
        other = (pl.col("age") > 40) & (pl.col("pay_0") <= 0)
        after = after.with_columns(pl.when(other).then(1 - pl.col(LABEL)).otherwise(pl.col(LABEL)).alias(LABEL))
    return pl.concat([before, after], how="vertical_relaxed")
