"""The services that are measured: one row of 20 numbers, a champion and a second release of each kind of model."""

import json
import math
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec

from flyball.app.home import Home
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.core.ids import Epoch, ReleaseRoot, RolloutId, ServiceName
from flyball.core.routing import Routing
from flyball.core.service import Guardrails
from flyball.serving.serve.workers.table import Table

NAMES = tuple(f"x{i}" for i in range(20))
SHADOW = 0.05  # share of rows that the second release is shown
SERVICE = """
apiVersion: flyball/v1
kind: Service
metadata: {name: bench, owner: bench, people: {lead: [approver]}}
data: {contract: contract.yaml, source: rows.csv, label: fraud, key: card}
experiment: {task: binary, metric: roc_auc}
"""
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: bench
version: 1.0.0
status: active
schema:
  - name: rows
    logicalType: object
    properties:
      - {name: card, logicalType: string, required: true}
      - {name: fraud, logicalType: integer}
"""
COLUMN = "      - {name: NAME, logicalType: number, required: true, logicalTypeOptions: {minimum: -10, maximum: 10}}\n"
TRAIN = """
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

def train(features, label, *, config, seed):
    return make_pipeline(StandardScaler(), MODEL).fit(features, label)
"""
TREES = "from sklearn.ensemble import HistGradientBoostingClassifier" + TRAIN.replace(
    "MODEL", "HistGradientBoostingClassifier(max_iter=ITER, random_state=seed)"
)
LINEAR = "from sklearn.linear_model import LogisticRegression" + TRAIN.replace("MODEL", "LogisticRegression(C=ITER)")
FEATURES = """
import polars as pl

def features(frame):
    return frame.select(pl.col("x0") * pl.col("x1"), pl.col("x2").abs(), pl.exclude("card", "x0", "x1", "x2"))
"""
MODELS: Mapping[str, str] = {"trees": TREES, "regression": LINEAR, "with features()": FEATURES + TREES}


@dataclass(frozen=True, kw_only=True)
class Served:
    """A service with its champion in force and its second release as the shadow."""

    folder: Path
    release: Path  # the champion's folder, verified

    @property
    def bodies(self) -> list[bytes]:
        """Rows of many units, as clients send them."""
        dice = Random(11)
        return [json.dumps(row(dice)).encode() for _ in range(500)]


def row(dice: Random) -> dict[str, str | float]:
    numbers = {name: round(dice.gauss(0.0, 1.0), 4) for name in NAMES}
    return {"card": f"c{dice.randrange(5000)}", **numbers}


def made(folder: Path, model: str) -> Served:
    """Train two releases and write the table by which the gateway begins."""
    folder.mkdir(parents=True)
    dice = Random(7)
    lines = [",".join(("card", *NAMES, "fraud"))]
    for _ in range(4000):
        one = row(dice)
        x = [float(one[name]) for name in NAMES]
        share = 1.0 / (1.0 + math.exp(-(x[0] + x[1] * x[2] - 0.5 * x[3])))
        lines.append(",".join((*map(str, one.values()), str(int(dice.random() < share)))))
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    (folder / "service.yaml").write_text(SERVICE)
    columns = "".join(COLUMN.replace("NAME", name) for name in NAMES)
    (folder / "contract.yaml").write_text(CONTRACT + columns)
    roots = [_trained(folder, model.replace("ITER", iterations)) for iterations in ("90", "100")]
    (folder / "model.py").write_text(model.replace("ITER", "90"))
    home = Home(folder / "home")
    table = Table(
        routing=Routing(
            service=ServiceName("bench"),
            epoch=Epoch(1),
            champion=ReleaseRoot(roots[0]),
            candidate=ReleaseRoot(roots[1]),
            shadow=SHADOW,
            salt="ro-1",
            rollout=RolloutId("ro-1"),
            step=1,
            guardrails=Guardrails(),
        )
    )
    home.gateway("bench").mkdir(parents=True)
    (home.gateway("bench") / "routing.json").write_bytes(msgspec.json.encode(table))
    return Served(folder=folder, release=Path(ReleaseStore(home).verified(roots[0])))


def _trained(folder: Path, model: str) -> str:
    (folder / "model.py").write_text(model)
    words = [sys.executable, "-m", "flyball.app.cli", "train", str(folder), "--home", str(folder / "home"), "--json"]
    done = subprocess.run(words, capture_output=True, check=True)
    root: str = json.loads(done.stdout)["release"]
    return root
