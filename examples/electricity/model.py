"""Small gradient-boosted trees: two thousand rows teach no more."""

from typing import Any

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier


def features(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.all().cast(pl.Float64))


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
