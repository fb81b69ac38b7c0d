"""A generated service that looks like card fraud: small, seeded, with every part real."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl

from flyball.adapters.clock import SystemClock
from flyball.adapters.content.keys import signing_key
from flyball.adapters.ids import TimeIds
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.training.pipeline import Pipeline, Trained
from flyball.core.clock import Clock
from flyball.core.events import Reason
from flyball.core.ports import Trainer

SERVICE = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: fraud, owner: risk-ml}
data: {contract: contract.yaml, source: train.parquet, label: is_fraud, timestamp: at, key: card_id}
experiment:
  task: binary
  module: model.py
  seed: "7"
  config: {max_depth: 4}
  split: {kind: temporal, holdout: 0.2}
  metric: roc_auc
gates:
  - {metric: roc_auc, min: 0.70}
  - {metric: roc_auc, versus: champion, not_worse_by: 0.05}
"""

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: fraud-transactions
version: 1.0.0
status: active
schema:
  - name: transactions
    logicalType: object
    properties:
      - {name: card_id, logicalType: string, required: true}
      - {name: at, logicalType: timestamp, required: true}
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
      - {name: hour, logicalType: integer, required: true}
      - {name: country, logicalType: string, required: true}
      - {name: distance_km, logicalType: number}
      - {name: is_fraud, logicalType: boolean}
"""

MODEL = '''\
"""Card fraud from the amount, the hour and the place."""

import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier


def features(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        pl.col("amount").log1p(),
        "hour",
        "distance_km",
        abroad=(pl.col("country") != "home").cast(pl.Int8),
    )


def train(features: pl.DataFrame, label: pl.Series, *, config: dict, seed: int) -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(random_state=seed, max_iter=30, **config).fit(features, label)
'''


def transactions(rows: int = 5000, *, seed: int = 1, first: int = 0) -> pl.DataFrame:
    """Rows in order of time; fraud grows with amount, distance and foreign countries."""
    rng = np.random.default_rng(seed)
    amount = rng.lognormal(3.0, 1.0, rows)
    distance = rng.exponential(20.0, rows)
    country = rng.choice(["home", "near", "far"], rows, p=[0.8, 0.15, 0.05])
    hour = rng.integers(0, 24, rows)
    risk = -3.0 + 0.6 * np.log1p(amount) * (country != "home") + 0.02 * distance + 0.8 * (hour < 5)
    start = np.datetime64("2026-01-01T00:00:00", "us")
    return pl.DataFrame(
        {
            "card_id": [f"card-{card}" for card in rng.integers(0, 500, rows)],
            "at": start + (np.arange(rows) + first).astype("timedelta64[m]"),
            "amount": amount,
            "hour": hour,
            "country": country,
            "distance_km": np.where(rng.random(rows) < 0.05, np.nan, distance),
            "is_fraud": rng.random(rows) < 1 / (1 + np.exp(-risk)),
        }
    ).with_columns(pl.col("distance_km").fill_nan(None))


def write_service(
    folder: Path, *, service: str = SERVICE, model: str = MODEL, table: pl.DataFrame | None = None
) -> Path:
    """A complete service folder; returns the path of its service.yaml."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "model.py").write_text(model)
    (transactions() if table is None else table).write_parquet(folder / "train.parquet")
    (folder / "service.yaml").write_text(service)
    return folder / "service.yaml"


@contextmanager
def opened(root: Path, trainer: Trainer, *, clock: Clock | None = None, explains: bool = False) -> Iterator[Pipeline]:
    """The real pipeline over a home: SQLite ledger, key on disk, the given trainer; evidence where it is tested."""
    home, time = Home(root).made(), clock or SystemClock()
    with ledger_of(home) as ledger:
        yield Pipeline(home, ledger, time, TimeIds(time), signing_key(home.keys), trainer, explains=explains)


def trained(pipeline: Pipeline, service: Path, *, reason: Reason = "first") -> Trained:
    """What `flyball train` does."""
    declared = load(service)
    pipeline.declare(declared)
    return pipeline.train(declared, pipeline.snapshot_source(declared), reason=reason)
