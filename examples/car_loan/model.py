"""Gradient-boosted trees; salary range and downpayment have an order, so they become numbers."""

from typing import Any

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

SALARIES = ["0 - 20K €", "20K - 20K €", "40K - 60K €", "60K+ €"]  # from low to high, as the source writes them


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """All numbers; a salary range that is not known is missing."""
    salary = pl.col("salary_range").cast(pl.Enum(SALARIES), strict=False).to_physical()
    downpayment = pl.col("size_of_downpayment").str.strip_suffix("%").cast(pl.Float64, strict=False)
    return frame.with_columns(salary, downpayment).select(pl.all().cast(pl.Float64))


def train(
    features: pl.DataFrame, label: pl.Series, *, config: dict[str, Any], seed: int
) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=int(config["iterations"]),
        learning_rate=float(config["learning_rate"]),
        max_leaf_nodes=int(config["leaves"]),
        min_samples_leaf=int(config["min_leaf"]),
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(features, label)
