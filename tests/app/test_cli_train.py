"""`flyball train` as somebody types it."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.pipeline.fraud import MODEL, SERVICE, transactions, write_service

from flyball.app.cli.main import run
from flyball.app.home import find_home
from flyball.app.wiring.ledger import ledger_of
from flyball.core import events as e
from flyball.core.ids import Digest, RolloutId, ServiceName
from flyball.pipeline.run import deploying


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
    assert "a hard test failed: target leak: the strongest input, 'amount', alone" in said
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


def runs_of(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert run(["runs", "list", "--json"]) == 0
    found: list[dict[str, Any]] = document(capsys)["runs"]
    return found


@pytest.mark.slow
def test_a_gate_that_a_busy_machine_failed_is_judged_again_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call takes 0.1 s while the file `busy` is there; the gate's limit is far from both."""
    monkeypatch.setattr(deploying, "GATED_S", 0.5)
    busy = tmp_path / "busy"
    busy.touch()
    waits = f"    import pathlib, threading\n    if frame.height == 1 and pathlib.Path({str(busy)!r}).exists():\n"
    waits += "        threading.Event().wait(0.1)\n"
    model = MODEL.replace("def features(frame: pl.DataFrame) -> pl.DataFrame:\n", f"HEAD{waits}", 1)
    assert "HEAD" in model
    model = model.replace("HEAD", "def features(frame: pl.DataFrame) -> pl.DataFrame:\n")
    service = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  executor: in_process\n", 1)
    service = service.replace("gates:\n", "gates:\n  - {metric: latency_p50_ms, max: 90}\n")
    words = ["train", str(write_service(tmp_path / "fraud", service=service, model=model)), "--json"]

    assert run(words) == 1
    first = document(capsys)
    assert [gate["name"] for gate in first["gates"] if not gate["passed"]] == ["latency_p50_ms <= 90.0"]
    busy.unlink()
    assert run(words) == 1  # the verdict of a known release stays
    assert document(capsys)["cached"]
    assert run([*words, "--judge-again"]) == 0
    again = document(capsys)
    assert (again["release"], again["cached"], again["passed"]) == (first["release"], True, True)
    assert again["metrics"]["latency_p50_ms"]["value"] < 90 < first["metrics"]["latency_p50_ms"]["value"]
    assert run(["runs", "show", runs_of(capsys)[-1]["run"], "--json"]) == 0
    assert document(capsys)["tests"] == again["tests"]  # those of the newest judgement, not of the registration
    assert run([*words, "--judge-again"]) == 1  # it is champion now
    assert "keeps its judgement" in document(capsys)["error"]["message"]


@pytest.mark.slow
def test_a_release_that_was_taken_back_does_not_wait_for_a_rollout(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_service(tmp_path / "fraud")
    assert run(["train", str(file), "--json"]) == 0
    first = document(capsys)["release"]
    (file.parent / "model.py").write_text(MODEL.replace("max_iter=30", "max_iter=31"))
    assert run(["train", str(file), "--json"]) == 0
    second = document(capsys)["release"]
    assert first != second
    service, rollout = ServiceName("fraud"), RolloutId("ro-1")
    opened = e.RolloutOpened(
        service=service, rollout=rollout, release=second, champion=first, policy=Digest("p"), salt="s", reason="manual"
    )
    closed = e.RolloutClosed(service=service, rollout=rollout, outcome="rejected", reason="smells")
    with ledger_of(find_home(None)) as ledger:
        ledger.append([opened, closed])
    assert run(["train", str(file)]) == 0
    assert "tried again only by flyball rollout retry" in " ".join(capsys.readouterr().out.split())
