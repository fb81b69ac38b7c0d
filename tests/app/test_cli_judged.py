"""A release that a hard test refuses though its gates pass: every verb that shows it says so."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.pipeline.fraud import CONTRACT, MODEL, SERVICE, transactions, write_service

from flyball.app.cli.main import run

LEAKY = MODEL.replace('"distance_km",', '"distance_km", "refund",')
IN_PROCESS = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  executor: in_process\n", 1)
FIELD = "      - {name: is_fraud"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With an input that is made from the label; trained once."""
    folder = tmp_path_factory.mktemp("judged")
    table = transactions().with_columns(refund=pl.col("is_fraud").cast(pl.Float64) * pl.col("amount"))
    file = write_service(folder / "fraud", model=LEAKY, service=IN_PROCESS, table=table)
    contract = CONTRACT.replace(FIELD, "      - {name: refund, logicalType: number}\n" + FIELD)
    (folder / "fraud" / "contract.yaml").write_text(contract)
    assert run(["train", str(file), "--home", str(folder / "home")]) == 1
    return file


def said(capfd: pytest.CaptureFixture[str], service: Path, *words: str) -> str:
    capfd.readouterr()
    run([*words, "--home", str(service.parent.parent / "home")])
    return " ".join(capfd.readouterr().out.split())


def asked(capfd: pytest.CaptureFixture[str], service: Path, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said(capfd, service, *words, "--json"))
    return found


def test_train_names_the_test_its_reason_and_the_lights(service: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = asked(capfd, service, "train", str(service))
    assert all(gate["passed"] for gate in found["gates"])
    (leak,) = (test for test in found["tests"] if test["name"] == "target leak")
    assert (leak["verdict"], leak["hard"], found["passed"]) == ("FAIL", True, False)
    assert found["lights"]["data"]["colour"] == "red"
    text = said(capfd, service, "train", str(service))
    assert "did not pass its gates and tests: a hard test failed: target leak: " in text
    assert "data: red, target leak: " in text


def test_runs_and_explain_show_why_it_was_refused(service: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (one,) = asked(capfd, service, "runs", "list")["runs"]
    shown = asked(capfd, service, "runs", "show", one["run"])
    told = asked(capfd, service, "explain", one["release"].removeprefix("sha256:")[:12])["judged"]
    for judged in (shown, told):
        assert judged["passed"] is False
        assert judged["lights"]["data"]["colour"] == "red"
        assert Path(judged["evidence"]).is_dir()
        assert "target leak" in {test["name"] for test in judged["tests"] if test["verdict"] == "FAIL"}
    for words in (["runs", "show", one["run"]], ["explain", one["release"]]):
        text = said(capfd, service, *words)
        assert "did not pass its gates and tests" in text
        assert "a hard test failed: target leak: " in text
        assert "privacy: green" in text
        assert f"evidence: {shown['evidence']}" in text
    assert asked(capfd, service, "explain", "fraud")["judged"] is None


def test_compare_puts_metrics_gates_and_tests_side_by_side(service: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (one,) = asked(capfd, service, "runs", "list")["runs"]
    both = asked(capfd, service, "runs", "compare", one["run"], one["run"])["runs"]
    assert [set(each["metrics"]) for each in both] == [{"roc_auc"}] * 2
    text = said(capfd, service, "runs", "compare", one["run"], one["run"])
    assert "gate roc_auc >= 0.7 PASS PASS" in text
    assert "target leak FAIL FAIL" in text
