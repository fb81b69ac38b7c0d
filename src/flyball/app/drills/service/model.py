"""How the drilled service learns; and what the things that its model stands on do to it while a drill says so.

FLYBALL_DRILLS names the word of the drill that runs (`drill.json`). It says which fault, on which share of the rows,
and until when; whoever reads it looks at the clock himself, so a fault ends in time though whoever began it was killed.
"""

import json
import os
import time
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

MERCHANTS = ("electronics", "fuel", "grocery", "online", "restaurant", "travel")
STALL_S = 1.5  # longer than the service's deadline
SLOW_S = 0.2  # more than its objective
LEAK_MB, MOST_MB = 8, 900


def features(frame: pl.DataFrame) -> pl.DataFrame:
    """What the model sees of a transaction. Each row by itself, always."""
    columns = [
        pl.col("amount").log1p(),
        pl.col("distance_km").log1p(),
        pl.col("card_age_days").log1p(),
        (pl.col("card_age_days") < 150.0).cast(pl.Float64).alias("young"),
        ((pl.col("hour") < 5) | (pl.col("hour") > 22)).cast(pl.Float64).alias("night"),
        pl.col("transactions_24h").cast(pl.Float64),
        (pl.col("country") == "far").cast(pl.Float64).alias("far"),
    ]
    columns += [(pl.col("merchant") == name).cast(pl.Float64).alias(name) for name in MERCHANTS]
    return frame.select(columns)


def train(features: pl.DataFrame, label: pl.Series, *, config: dict[str, Any], seed: int) -> Any:
    """A logistic regression: `config.strength` is its regularisation, `config.bad` plants a fault in a release."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=config["strength"], random_state=seed))
    model.fit(np.nan_to_num(features.to_numpy()), label.to_numpy())
    return Wired(model, bool(config.get("bad")))


class Wired:
    """An estimator that hangs by what it is connected to."""

    def __init__(self, estimator: Any, bad: bool) -> None:
        self.estimator, self.bad = estimator, bad
        self.classes_ = estimator.classes_

    def predict_proba(self, table: pl.DataFrame) -> npt.NDArray[np.float64]:
        rows = np.nan_to_num(table.to_numpy())
        word = _word()
        if word and any(_is_struck(row, word["share"]) for row in rows):
            _strike(word["fault"], bad=self.bad)
        return np.asarray(self.estimator.predict_proba(rows), dtype=np.float64)


_leaked: list[bytes] = []


def _strike(fault: str, *, bad: bool) -> None:
    """The fault itself: nothing waits here for anything."""
    if fault == "upstream_stall":
        time.sleep(STALL_S)
    elif fault == "latency":
        time.sleep(SLOW_S)
    elif fault == "memory_leak" and LEAK_MB * len(_leaked) < MOST_MB:
        _leaked.append(b"x" * (LEAK_MB * 1024 * 1024))
    elif fault == "bad_candidate" and bad:
        raise ConnectionError("drill: this release cannot reach its address book")


def _is_struck(row: npt.NDArray[np.float64], share: float) -> bool:
    """The same rows each time, and about this share of them."""
    return zlib.crc32(row.tobytes()) % 10_000 < share * 10_000


def _word() -> dict[str, Any] | None:
    """The drill that runs and is not over; None: there is none."""
    path = os.environ.get("FLYBALL_DRILLS")
    if path is None or not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            word: dict[str, Any] = json.load(file)
    except FileNotFoundError:  # it ended between the two lines
        return None
    return word if time.time() < word["until"] else None
