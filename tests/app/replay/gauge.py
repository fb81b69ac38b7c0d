"""A service small enough to be replayed in a second or two, whose rule turns round at a known row."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from flyball.app.cli.main import run

ROWS, CHANGE = 3000, 1500

SERVICE = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: gauge, owner: plant, people: {ann: [approver]}}
data: {contract: contract.yaml, source: stream.parquet, label: alarm}
experiment: {task: binary, metric: accuracy, seed: "7", refit: true, executor: in_process}
gates: [{metric: accuracy, min: 0.55}]
serving: {fallback: [previous, {constant: {prediction: 0, score: 0.0}}]}
rollout:
  guardrails: {errors: {ratio: 2, ceiling: 0.10}, slow: {ratio: 3, ceiling: 0.10}}
  steps:
    - shadow: {share: 1.0, min_pairs: 50}
    - approval: {role: approver}
    - canary: {weight: 0.50, min_requests: 60, min_s: 0}
    - promote: {}
monitor:
  window_rows: 200
  psi: {warn: 0.20, act: 0.40, consecutive: 2}
  live_metric: {name: accuracy, max_loss: 0.10}
retrain: {triggers: [drift, risk], from: captured, window_rows: 400, min_new_rows: 300, cooldown_s: 1000}
autonomy: {retrain: auto}
replay: {train_rows: 800, label_delay_rows: 20}
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: gauge
version: 1.0.0
status: active
schema:
  - name: stream
    logicalType: object
    properties:
      - {name: heat, logicalType: number, required: true}
      - {name: load, logicalType: number, required: true}
      - {name: alarm, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0, maximum: 1}}
"""
MODEL = """\
from sklearn.linear_model import LogisticRegression


def train(features, label, *, config, seed):
    return LogisticRegression().fit(features, label)
"""


def stream(rows: int = ROWS, change: int = CHANGE) -> pl.DataFrame:
    """Heat above its mean gives the alarm; from `change` on, heat below it does. One answer in twenty is noise."""
    rng = np.random.default_rng(5)
    heat, load = rng.normal(20.0, 4.0, rows), rng.uniform(0.0, 1.0, rows)
    hot = heat > 20.0
    alarm = np.where(np.arange(rows) < change, hot, ~hot) ^ (rng.uniform(size=rows) < 0.05)
    return pl.DataFrame({"heat": heat, "load": load, "alarm": alarm.astype(np.int64)})


def written(folder: Path) -> Path:
    """The service's folder, with its stream beside the declaration."""
    folder.mkdir(parents=True)
    for name, text in {"service.yaml": SERVICE, "contract.yaml": CONTRACT, "model.py": MODEL}.items():
        (folder / name).write_text(text)
    stream().write_parquet(folder / "stream.parquet")
    return folder


def replayed(service: Path, home: Path, *options: str, data: tuple[Path, ...] = ()) -> Any:
    """The report of `flyball replay` on the service's own stream, or on `data`."""
    report = home.parent / f"{home.name}.json"
    files = [str(file) for file in data or (service / "stream.parquet",)]
    tokens = ["replay", str(service), "--data", *files, "--home", str(home), "--json", str(report), *options]
    code = run(tokens)
    assert code == 0, f"exit {code}"
    return json.loads(report.read_text())
