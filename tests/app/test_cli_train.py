"""`flyball train` as somebody types it."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.pipeline.fraud import MODEL, SERVICE, transactions, write_service

from flyball.app.cli.main import run


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_train_then_train_again_then_change_a_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(write_service(tmp_path / "fraud"))
    assert run(["train", file, "--json"]) == 0
    first = document(capsys)
    assert first["experiment"].startswith("fx1:sha256:")
    assert first["release"].startswith("sha256:")
    assert (first["cached"], first["champion"]) == (False, True)
    assert set(first["metrics"]) == {"roc_auc"}  # what gates read; the tests carry the rest
    assert [set(gate) >= {"name", "passed", "reason"} for gate in first["gates"]] == [True, True]

    assert run(["train", file, "--json"]) == 0
    again = document(capsys)
    assert again == first | {"cached": True}

    write_service(tmp_path / "fraud", model=MODEL + "\n", service=SERVICE.replace("min: 0.70", "min: 0.99"))
    assert run(["train", file]) == 1
    said = capsys.readouterr()
    assert "did not pass its gates" in said.out
    assert "roc_auc >= 0.99" in said.out


def test_a_leak_stops_the_release_by_name_though_every_gate_passes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leaking = transactions(2000).with_columns(amount=pl.col("amount") + 1000.0 * pl.col("is_fraud"))
    file = str(write_service(tmp_path / "fraud", table=leaking))
    assert run(["train", file, "--json"]) == 1
    told = document(capsys)
    assert all(gate["passed"] for gate in told["gates"])
    assert (told["passed"], told["champion"]) == (False, False)
    failed = [test["name"] for test in told["tests"] if test["hard"] and test["verdict"] == "FAIL"]
    assert failed == ["target leak"]

    assert run(["train", file]) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "data test target leak: FAIL, stops the release: the strongest input, 'amount', alone" in said
    assert "did not pass its gates and tests" in said


def test_golden_rows_that_are_answered_otherwise_stop_the_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    service = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  tests: {golden: golden.csv}\n", 1)
    file = write_service(tmp_path / "fraud", service=f"{service}  - {{metric: golden.differences, max: 0}}\n")
    golden = transactions(3, seed=2).drop("is_fraud").with_columns(prediction=pl.lit("neither"))
    golden.write_csv(tmp_path / "fraud" / "golden.csv")
    assert run(["train", str(file), "--json"]) == 1
    told = document(capsys)
    (gate,) = [each for each in told["gates"] if each["metric"] == "golden.differences"]
    assert (gate["verdict"], gate["value"]) == ("FAIL", 1.0)
    assert [each["name"] for each in told["tests"] if each["verdict"] == "FAIL"] == ["golden set"]


def test_a_faulty_folder_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_service(tmp_path / "fraud", service=SERVICE.replace("module: model.py", "module: nothing.py"))
    assert run(["train", str(file), "--json"]) == 2
    assert "nothing.py" in json.dumps(document(capsys))
    assert not (tmp_path / "fraud" / ".flyball").exists()


def test_data_that_violate_their_contract_are_not_trained_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = transactions(500).with_columns(amount=-pl.col("amount"))
    assert run(["train", str(write_service(tmp_path / "fraud", table=table)), "--json"]) == 1
    assert "violates contract.yaml" in document(capsys)["error"]["message"]


def test_code_that_raises_is_a_no_with_its_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = MODEL.replace("    return Hist", "    raise RuntimeError('no luck')\n    return Hist")
    assert run(["train", str(write_service(tmp_path / "fraud", model=model))]) == 1
    said = capsys.readouterr().err
    assert "no luck" in said
    assert 'File "model.py"' in said
