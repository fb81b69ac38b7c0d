"""How the demo's service learns; and, for two of its releases, the fault that is planted in them.

`config: {fault: errors | slow}` makes a release that behaves until the file of that name exists in the folder that
FLYBALL_DEMO_FAULTS names. The demo makes that file when the release gets its first live traffic, so that gates, shadow
and approval have nothing to find: a model may well be sound and its release not.
"""

import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier

MERCHANTS = ("electronics", "fuel", "grocery", "online", "restaurant", "travel")
SLOW_S = 0.3  # twice what the service's objective allows


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """What the model sees of a transaction. Each row by itself, always."""
    columns = [
        pl.col("amount").log1p(),
        pl.col("distance_km").log1p(),
        pl.col("card_age_days").log1p(),
        pl.col("hour").cast(pl.Float64),
        pl.col("transactions_24h").cast(pl.Float64),
        (pl.col("country") != "home").cast(pl.Float64).alias("abroad"),
        (pl.col("country") == "far").cast(pl.Float64).alias("far"),
    ]
    columns += [(pl.col("merchant") == name).cast(pl.Float64).alias(name) for name in MERCHANTS]
    return frame.select(columns)


def train(features: pl.DataFrame, label: pl.Series, *, config: dict[str, Any], seed: int) -> Any:
    """Gradient-boosted trees: `config` gives their number and size, and perhaps a planted fault."""
    trees = HistGradientBoostingClassifier(
        max_iter=config["trees"], max_leaf_nodes=config["leaves"], early_stopping=False, random_state=seed
    )
    trees.fit(features.to_numpy(), label.to_numpy())
    fault = config.get("fault")
    return Planted(trees, fault, features.columns.index("online")) if fault else trees


class Planted:
    """An estimator that goes wrong on command."""

    def __init__(self, estimator: Any, fault: str, online: int) -> None:
        self.estimator, self.fault, self.online = estimator, fault, online
        self.classes_ = estimator.classes_

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        rows = table.to_numpy()
        if self._switched_on():
            if self.fault == "slow":
                time.sleep(SLOW_S * len(rows))  # the fault itself: nothing waits here for anything
            elif rows[:, self.online].any():
                raise ConnectionError("planted: the address book of online shops cannot be reached")
        return np.asarray(self.estimator.predict_proba(rows), dtype=np.float64)

    def _switched_on(self) -> bool:
        folder = os.environ.get("FLYBALL_DEMO_FAULTS")
        return folder is not None and Path(folder, self.fault).exists()
