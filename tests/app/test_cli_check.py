"""`flyball check`: 0 sound, 1 the data violate the contract, 2 faulty declaration or unreadable file."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flyball.app.cli.main import run

SERVICE = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: fraud, owner: o}
data: {contract: contract.yaml, source: t.parquet, label: y}
experiment: {task: binary, metric: roc_auc}
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: fraud
version: "1"
status: draft
slaProperties: [{property: latency, value: 4, unit: d}]
schema:
  - name: t
    properties:
      - {name: amount, logicalType: number, required: true, logicalTypeOptions: {minimum: 0}}
      - {name: y, logicalType: integer, required: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "service.yaml").write_text(SERVICE)
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "model.py").write_text("def train(features, label, *, config, seed): ...\n")
    pl.DataFrame({"amount": [1.0, 2.0], "y": [0, 1]}).write_parquet(tmp_path / "t.parquet")
    pl.DataFrame({"amount": [1.0, -2.0, None], "y": [0, 1, 1], "more": [1, 2, 3]}).write_csv(tmp_path / "bad.csv")
    return tmp_path


def answer(capfd: pytest.CaptureFixture[str], *tokens: object) -> tuple[int, Any]:
    code = run(["check", *map(str, tokens), "--json"])
    return code, json.loads(capfd.readouterr().out)


def test_sound_data_are_0(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code, document = answer(capfd, folder / "service.yaml")
    assert code == 0
    assert document["ok"] is True
    assert document["data"]["accepted"] == document["data"]["rows"] == 2
    assert document["not_executed"] == [
        "slaProperties[0]: service level latency without an element to measure it on: not executed by Flyball"
    ]
    assert "whoever reaches the home can approve" in document["notes"][0]


def test_data_that_violate_the_contract_are_1_with_every_violation(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, document = answer(capfd, folder / "service.yaml", folder / "bad.csv")
    assert code == 1
    assert document["ok"] is False
    assert [(v["rule"], v["rows"], v["found"]) for v in document["data"]["violations"]] == [
        ("amount.required", 1, "nothing"),
        ("amount.range", 1, "-2.0"),
    ]
    assert document["data"]["extra_columns"] == ["more"]


OPEN = [  # what a bare declaration leaves to the defaults: the key that decides it
    "experiment.include",
    "data.key",
    "data.label_window_s",
    "gates",
    "retrain.triggers",
    "autonomy.retrain",
    "retrain.budget",
    "rollout.steps",
    "autonomy.promote",
    "serving.fallback",
    "serving.deadline_ms",
    "serving.objectives",
    "metadata.people",
    "monitor.live_metric",
    "monitor.slices",
    "alerts",
    "slo",
    "drills",
    "serving.log.retention_s",
    "review.digests",
]


def test_decisions_that_are_left_open_are_named_with_their_key_and_what_holds(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code, document = answer(capfd, folder)
    assert code == 0
    assert [each["key"] for each in document["decisions"]] == OPEN
    assert document["decisions"][3] == {
        "name": "gates",
        "key": "gates",
        "holds": "none: whatever was trained is qualified",
    }
    assert run(["check", str(folder)]) == 0
    told = capfd.readouterr().out
    assert "allowed, but left open (20)" in told
    assert "gates: gates; now: none: whatever was trained is qualified" in told


def test_a_decision_that_was_taken_is_not_named(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "service.yaml").write_text(SERVICE + "gates: [{metric: roc_auc, min: 0.7}]\n")
    _, document = answer(capfd, folder)
    assert [each["key"] for each in document["decisions"]] == [key for key in OPEN if key != "gates"]


def test_a_faulty_declaration_is_2_with_every_fault(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "service.yaml").write_text(SERVICE.replace("owner: o", "ownr: o").replace("binary", "binry"))
    code, document = answer(capfd, folder / "service.yaml")
    assert code == 2
    assert [fault["path"] for fault in document["error"]["faults"]] == [
        "metadata.owner",
        "metadata.ownr",
        "experiment.task",
    ]


def test_a_personal_input_is_2_for_its_hash_would_train_nothing(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "contract.yaml").write_text(CONTRACT.replace("amount, ", "amount, classification: pii, "))
    code, document = answer(capfd, folder)
    assert code == 2
    (fault,) = document["error"]["faults"]
    assert (fault["where"], fault["path"]) == ("contract.yaml", "amount.classification")


def test_what_is_declared_and_read_by_nobody_is_noted(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = SERVICE.replace("metric: roc_auc", "metric: roc_auc, suites: full")
    text += "serving: {objectives: {throughput_rps: 300, latency_p50_ms: 5}}\n"
    (folder / "service.yaml").write_text(text)
    code, document = answer(capfd, folder)
    assert code == 0
    assert document["notes"][1:] == [
        "serving.objectives.throughput_rps: declared, not used yet",
        "serving.objectives.latency_p50_ms: declared, not used yet",
    ]


@pytest.mark.parametrize("data", ["absent.parquet", "service.yaml"])
def test_an_unreadable_table_is_2(folder: Path, data: str, capfd: pytest.CaptureFixture[str]) -> None:
    code, document = answer(capfd, folder, folder / data)
    assert code == 2
    assert document["error"]["faults"][0]["where"].endswith(data)


def test_people_read_a_table_of_violations(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["check", str(folder), str(folder / "bad.csv")]) == 1
    out = capfd.readouterr().out
    assert "amount.range" in out
    assert "3 rows (1 accepted, 1 quarantined, 1 rejected): violates the contract" in out
    assert "columns without a promise: more" in out
