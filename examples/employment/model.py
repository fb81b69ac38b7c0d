"""Gradient-boosted trees over the codes of the census."""

from typing import Any

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

NAMES = ["mar", "relp", "esp", "cit", "mig", "mil", "anc", "rac1p"]  # codes without an order, more than two of them


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """All numbers; a code that is none is missing."""
    return frame.select(pl.all().cast(pl.Float64, strict=False))


def train(
    features: pl.DataFrame, label: pl.Series, *, config: dict[str, Any], seed: int
) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=int(config["iterations"]),
        learning_rate=float(config["learning_rate"]),
        max_leaf_nodes=int(config["leaves"]),
        min_samples_leaf=int(config["min_leaf"]),
        categorical_features=NAMES,
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(features, label)
