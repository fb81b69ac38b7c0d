"""Gradient-boosted trees over three numbers, three codes and a flag."""

from typing import Any

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

CODES = {
    "acq_channel": ["Organic", "Partner1", "Partner2", "Partner3", "Partner4"],
    "app_channel": ["mobile", "store", "web"],
}


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """All numbers; a code that is not known is missing."""
    coded = [pl.col(name).cast(pl.Enum(codes), strict=False).to_physical() for name, codes in CODES.items()]
    return frame.with_columns(coded).select(pl.all().cast(pl.Float64))


def train(
    features: pl.DataFrame, label: pl.Series, *, config: dict[str, Any], seed: int
) -> HistGradientBoostingClassifier:
    model = HistGradientBoostingClassifier(
        max_iter=int(config["iterations"]),
        learning_rate=float(config["learning_rate"]),
        max_leaf_nodes=int(config["leaves"]),
        min_samples_leaf=int(config["min_leaf"]),
        categorical_features=list(CODES),
        early_stopping=False,
        random_state=seed,
    )
    return model.fit(features, label)
