"""The suites in a real training: leaks and personal data stop a release, gates read measures, judging again agrees."""

from pathlib import Path

import polars as pl
import pytest
from tests.pipeline.fraud import CONTRACT, MODEL, SERVICE, trained, transactions, write_service

from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.release import Release
from flyball.core.service import MEASURED

PLAIN = MODEL.split("def features", 1)[0] + "def train" + MODEL.split("def train", 1)[1]
LEAKY = MODEL.replace('"distance_km",', '"distance_km", "refund",')


def release(pipeline: Pipeline, folder: Path, **parts: str | pl.DataFrame) -> Release:
    contract = str(parts.pop("contract", CONTRACT))
    file = write_service(folder, **parts)  # type: ignore[arg-type]
    (folder / "contract.yaml").write_text(contract)
    return trained(pipeline, file).release


def failed(found: Release) -> set[str]:
    return {test.name for test in found.tests if test.hard and test.verdict == "FAIL"}


def test_a_clean_release_carries_its_tests_and_keeps_its_root(pipeline: Pipeline, tmp_path: Path) -> None:
    found = release(pipeline, tmp_path / "s")
    assert found.passed
    assert not failed(found)
    assert {test.suite for test in found.tests} == {"data", "deployment", "privacy", "training"}
    assert {"roc_auc"} <= set(found.metrics) <= {"roc_auc", *MEASURED}
    again = trained(pipeline, tmp_path / "s" / "service.yaml")
    assert (again.cached, again.release.root) == (True, found.root)


def test_an_input_made_from_the_label_stops_a_release_whose_gates_pass(pipeline: Pipeline, tmp_path: Path) -> None:
    table = transactions().with_columns(refund=pl.col("is_fraud").cast(pl.Float64) * pl.col("amount"))
    contract = CONTRACT.replace(
        "      - {name: is_fraud", "      - {name: refund, logicalType: number}\n      - {name: is_fraud"
    )
    found = release(pipeline, tmp_path / "s", model=LEAKY, table=table, contract=contract)
    assert all(gate.passed for gate in found.gates)
    assert (found.passed, failed(found)) == (False, {"target leak"})
    stage = pipeline.registry(found.service).releases[found.root]
    assert stage.stage == "refused"


@pytest.mark.parametrize(("mode", "passes"), [("fail", False), ("warn", True)])
def test_addresses_in_the_rows_stop_or_warn(mode: str, passes: bool, pipeline: Pipeline, tmp_path: Path) -> None:
    note = pl.lit("write to jo.public@firm.org").alias("note")
    contract = CONTRACT.replace(
        "      - {name: is_fraud", "      - {name: note, logicalType: string}\n      - {name: is_fraud"
    )
    service = SERVICE.replace("  metric: roc_auc\n", f"  metric: roc_auc\n  tests: {{personal: {mode}}}\n")
    found = release(
        pipeline, tmp_path / "s", service=service, table=transactions().with_columns(note), contract=contract
    )
    assert found.passed is passes
    told = [test.reason for test in found.tests if test.suite == "privacy"]
    assert any("data: column note: e-mail address" in reason for reason in told)
    assert any("probe.parquet: column note: e-mail address" in reason for reason in told)
    assert not any("firm.org" in reason for reason in told)


def test_a_classified_key_is_redacted_in_the_sample_that_is_kept(pipeline: Pipeline, tmp_path: Path) -> None:
    contract = CONTRACT.replace(
        "{name: card_id, logicalType: string,", "{name: card_id, logicalType: string, classification: PII,"
    )
    found = release(pipeline, tmp_path / "s", contract=contract)
    assert found.passed
    probe = pl.read_parquet(Path(pipeline.releases.verified(found.root)) / "probe.parquet")
    assert probe["card_id"].unique().to_list() == ["(redacted)"]


def test_gates_read_suites_measures_and_expressions_and_are_judged_again_without_a_fit(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    declared = (
        "  tests: {slices: [country], min_support: 30, golden: golden.csv, monotone: {distance_km: increasing}}\n"
    )
    service = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n" + declared)
    service = "autonomy: {first: approval}\n" + service  # a champion is not judged again
    gates = (
        "  - {suite: training}\n  - {metric: golden.differences, max: 0}\n  - {metric: slice.worst.roc_auc, min: 0.4}\n"
        '  - {expression: \'metrics.ece.value < 0.2 && suites.data == "PASS" && grade == "A"\'}\n'
    )
    folder = tmp_path / "s"
    write_service(folder)
    rows = transactions(20, seed=9).drop("is_fraud").with_columns(prediction=pl.lit(value=False), amount=pl.lit(1.0))
    rows.with_columns(pl.lit("home").alias("country"), pl.lit(0.0).alias("distance_km")).write_csv(
        folder / "golden.csv"
    )
    (folder / "service.yaml").write_text(service + gates)
    first = trained(pipeline, folder / "service.yaml").release
    told = {gate.name: (gate.passed, gate.reason) for gate in first.gates}
    assert all(passed for passed, _ in told.values()), told
    assert {"deterministic", "overfits a tiny batch"} <= {test.name for test in first.tests}
    (folder / "service.yaml").write_text(service + gates + "  - {metric: slice.worst.roc_auc, min: 0.99}\n")
    again = trained(pipeline, folder / "service.yaml")
    verdicts = {gate.name: gate.passed for gate in again.release.gates}
    assert (again.cached, again.release.root) == (True, first.root)
    assert verdicts == dict.fromkeys(told, True) | {"slice.worst.roc_auc >= 0.99": False}
    assert not again.release.passed


@pytest.mark.parametrize(
    ("gate", "lacking"),
    [
        ("{suite: training}", {"better than shuffled labels by roc_auc", "deterministic", "overfits a tiny batch"}),
        ("{metric: backtest.worst.roc_auc, min: 0.1}", {"backtest"}),
        ("{suite: model}", {"backtest"}),
    ],
)
def test_a_suite_that_needs_a_fit_is_missing_evidence_where_the_release_was_judged_without_one(
    gate: str, lacking: set[str], pipeline: Pipeline, tmp_path: Path
) -> None:
    service = "autonomy: {first: approval}\n" + SERVICE
    file = write_service(tmp_path / "s", service=service)
    first = trained(pipeline, file).release
    assert first.passed
    file.write_text(service + f"  - {gate}\n")
    again = trained(pipeline, file)
    assert (again.cached, again.release.root, again.release.passed) == (True, first.root, False)
    assert failed(again.release) == lacking
    last = again.release.gates[-1]
    assert not last.passed
    assert "train again with" in last.reason
