"""`flyball train`, then `flyball serve`: a trained, signed release answers over HTTP, with the ledger and without."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from tests.contract_text import contract

from flyball.adapters.prediction_log.segments import Segments

SERVICE = """
apiVersion: flyball/v1
kind: Service
metadata: {name: fraud, owner: tests, people: {lead: [approver]}}
data: {contract: contract.yaml, source: orders.csv, label: fraud, key: card}
experiment: {task: binary, metric: roc_auc}
serving: {deadline_ms: 60000}
"""
CONTRACT = contract(
    "fraud",
    "name: card, logicalType: string, required: true, classification: pii",
    "name: amount, logicalType: number, required: true",
    "name: fraud, logicalType: integer",
)
MODEL = """
from sklearn.linear_model import LogisticRegression

def features(frame):
    return frame.select("amount")

def train(features, label, *, config, seed):
    return LogisticRegression().fit(features, label)
"""


def flyball(*words: str) -> list[str]:
    return [sys.executable, "-m", "flyball.app.cli", *words]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fraud")
    dice = Random(7)
    rows = [(f"c{i % 90}", dice.uniform(0, 200)) for i in range(600)]
    lines = [f"{card},{amount:.2f},{int(dice.random() < amount / 200)}" for card, amount in rows]
    (folder / "service.yaml").write_text(SERVICE)
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "model.py").write_text(MODEL)
    (folder / "orders.csv").write_text("\n".join(["card,amount,fraud", *lines]) + "\n")
    done = subprocess.run(flyball("train", str(folder), "--home", str(folder / "home")), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
    return folder


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    """The URL of a gateway; afterwards it was told to end and did."""
    command = flyball("serve", str(folder), "--home", str(folder / "home"), "--port", "0", "--json", *options)
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line, "it ended before it answered"
        told = json.loads(line)
        assert told["services"] == ["fraud"]
        yield told["url"]
    finally:
        process.terminate()
        code = process.wait(60)
        process.stdout.close()
    assert code == 0


def predict(url: str) -> tuple[int, Any]:
    body = json.dumps({"card": "4929-1111", "amount": 190.0}).encode()
    request = urllib.request.Request(f"{url}/v1/services/fraud/predict", body)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_it_serves_while_the_ledger_is_gone_and_starts_again_without_it(trained: Path) -> None:
    ledger = trained / "home" / "ledger.db"
    with serving(trained) as url:
        first = predict(url)
        assert (first[0], first[1]["predictions"][0]["prediction"]) == (200, 1)
        kept = {path: path.read_bytes() for path in ledger.parent.glob("ledger.db*")}
        for path in kept:
            path.unlink()
        assert predict(url)[1]["predictions"][0]["release"] == first[1]["predictions"][0]["release"]
    with serving(trained) as url:
        again = predict(url)[1]["predictions"][0]
        assert again["release"] == first[1]["predictions"][0]["release"]
        assert again["score"] == first[1]["predictions"][0]["score"]
    assert not ledger.exists()
    for path, data in kept.items():
        path.write_bytes(data)
    log = b"".join(path.read_bytes() for path in (trained / "home" / "telemetry").rglob("*.parquet"))
    assert log
    assert b"4929-1111" not in log


def test_an_altered_release_is_never_loaded(trained: Path) -> None:
    (folder,) = (trained / "home" / "releases").iterdir()
    (model,) = (path for path in folder.glob("model.*") if path.suffix != ".sig")
    data = model.read_bytes()
    model.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    command = flyball("serve", str(trained), "--home", str(trained / "home"), "--port", "0")
    done = subprocess.run(command, capture_output=True, timeout=60)
    model.write_bytes(data)
    assert done.returncode == 1
    assert model.name.encode() in done.stderr


def test_a_home_without_a_release_answers_that_it_is_not_ready(trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "fraud"
    copy.mkdir()
    for name in ("service.yaml", "contract.yaml", "model.py", "orders.csv"):
        (copy / name).write_bytes((trained / name).read_bytes())
    with serving(copy) as url:
        status, answer = predict(url)
        assert (status, set(answer)) == (503, {"error"})
        assert "no release" in answer["error"]


@pytest.mark.parametrize("words", [["serve"], ["serve", "nowhere"], ["serve", "{}", "{}"]])
def test_a_faulty_command_is_bad_input(trained: Path, words: list[str]) -> None:
    command = flyball(*(word.format(trained) for word in words))
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == 2


def test_several_workers_answer_as_one_gateway(trained: Path) -> None:
    with serving(trained, "--workers", "2") as url:
        ids = {predict(url)[1]["predictions"][0]["id"] for _ in range(20)}
        labels = json.dumps({"labels": [{"id": name, "label": 1} for name in ids]}).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{url}/v1/labels", labels), timeout=60) as response:
            assert json.load(response)["accepted"] == 20
        with urllib.request.urlopen(f"{url}/metrics", timeout=60) as response:
            assert b'flyball_rows_total{arm="champion",outcome="answered",service="fraud"} 20.0' in response.read()
    found = list(Segments(trained / "home" / "telemetry").sealed("fraud", -1))
    assert ids <= {name for segment in found for name in segment.predictions["id"]}
    assert ids <= {name for segment in found for name in segment.labels["id"]}


def test_a_faulty_number_of_workers_is_told(trained: Path) -> None:
    done = subprocess.run(flyball("serve", str(trained), "--workers", "0"), capture_output=True)
    assert done.returncode == 2
    assert b"--workers: expected 1 to 64, found 0" in done.stderr
