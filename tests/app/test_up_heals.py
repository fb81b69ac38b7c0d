"""`flyball up` as a user runs it, and a champion whose address book goes away: no answer is lost, and it heals."""

import json
import os
import threading
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import polars as pl
import pytest
from tests.app.test_up import up
from tests.contract_text import contract

from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.core import events as e

SEEN_S = 120.0
SERVICE = """
apiVersion: flyball/v1
kind: Service
metadata: {name: shop, owner: tests}
data: {contract: contract.yaml, source: table.parquet, label: bought}
experiment: {task: binary, metric: roc_auc, module: model.py, config: {sick: SICK}}
serving:
  deadline_ms: 2000
  objectives: {latency_p99_ms: 1000}
  fallback: [{constant: {prediction: 0, score: 0.0}}]
monitor:
  pane_s: 1
  window_rows: 1000000
  health: {span_s: 10, clear_s: 3, critical_s: 10}
healing: {hold_s: 3, again_s: 60}
autonomy: {retrain: observe, first: auto}
"""
CONTRACT = contract(
    "shop",
    "name: x, logicalType: number, required: true",
    "name: bought, logicalType: integer, required: true, logicalTypeOptions: {minimum: 0, maximum: 1}",
)
MODEL = '''
import os

import numpy as np
from sklearn.linear_model import LogisticRegression


def train(features, label, *, config, seed):
    return Wired(LogisticRegression().fit(features.to_numpy(), label.to_numpy()), config["sick"])


class Wired:
    """An estimator that looks something up, and fails where that is away."""

    def __init__(self, estimator, sick):
        self.estimator, self.classes_, self.sick = estimator, estimator.classes_, sick

    def predict_proba(self, table):
        if os.path.exists(self.sick):
            raise ConnectionError("the address book is away")
        return np.asarray(self.estimator.predict_proba(table.to_numpy()))
'''


class Clients(threading.Thread):
    """Ask for as long as the block lasts, and count who answered."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._url, self._over = f"{url}/v1/services/shop/predict", threading.Event()
        self.answers: Counter[tuple[str, str | None]] = Counter()  # arm, fallback
        self.since: Counter[tuple[str, str | None]] = Counter()  # of the newest stretch
        self.lost: list[str] = []

    def run(self) -> None:
        body = json.dumps({"rows": [{"x": 0.1 * i} for i in range(10)]}).encode()
        while not self._over.wait(0.05):
            try:
                with urlopen(Request(self._url, data=body), timeout=10) as answer:
                    told = json.load(answer)["predictions"]
            except OSError as error:
                self.lost.append(str(error))
                continue
            for each in told:
                who = each["arm"], each.get("fallback")
                self.answers[who] += 1
                self.since[who] += 1

    def end(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    rng = np.random.default_rng(7)
    x = rng.normal(size=2000)
    bought = (rng.random(2000) < 1 / (1 + np.exp(-2 * x))).astype(int)
    folder = tmp_path / "shop"
    folder.mkdir()
    pl.DataFrame({"x": x, "bought": bought}).write_parquet(folder / "table.parquet")
    declared = SERVICE.replace("SICK", str(tmp_path / "sick"))
    for name, text in (("service.yaml", declared), ("contract.yaml", CONTRACT), ("model.py", MODEL)):
        (folder / name).write_text(text)
    return folder / "service.yaml"


def facts(home: Path) -> list[Any]:
    return [entry.fact for entry in open_ledger(Home(home)).read(subject="shop")]


def seen(home: Path, kind: type[Any], within_s: float = SEEN_S) -> Any:
    """The first fact of a kind; followed until it is there."""
    tries = threading.Event()
    for _ in range(int(within_s / 0.2)):
        found = [fact for fact in facts(home) if isinstance(fact, kind)]
        if found:
            return found[0]
        tries.wait(0.2)
    told = [type(fact).__name__ for fact in facts(home)]
    return pytest.fail(f"no {kind.__name__} in time, only {Counter(told)}")


@pytest.mark.slow  # a small one of its kind: tests/simulation/test_healing.py, and the real gateways of test_relief.py
def test_an_error_burst_is_answered_by_the_chain_and_the_champion_comes_back(shop: Path, tmp_path: Path) -> None:
    home, sick = tmp_path / "home", tmp_path / "sick"
    with up([shop], home) as running:
        clients = Clients(running["url"])
        clients.start()
        try:
            healthy = seen(home, e.HealthChanged)
            assert all(sign.severity == "warning" for sign in healthy.health.signs), healthy
            sick.touch()
            begun = seen(home, e.RemedyBegun)
            assert (begun.kind, begun.cause) == ("fall_back", "errors")
            os.remove(sick)  # the address book is back; nobody who is not asked can know
            verified = seen(home, e.RemedyVerified)
            assert verified.helped == "yes", verified
            clients.since.clear()
            seen(home, e.RemedyEnded)
            clients.since.clear()
            _until_champion(clients)
        finally:
            clients.end()
    assert clients.lost == []
    assert clients.answers["champion", "constant"] > 0  # the chain's answers, marked, in the champion's name
    assert [type(fact).__name__ for fact in facts(home) if isinstance(fact, e.RemedyBegun)] == ["RemedyBegun"]


def _until_champion(clients: Clients) -> None:
    tries = threading.Event()
    for _ in range(300):
        if clients.since["champion", None] > 20:
            return
        tries.wait(0.1)
    pytest.fail(f"the champion did not come back: {clients.since}")
