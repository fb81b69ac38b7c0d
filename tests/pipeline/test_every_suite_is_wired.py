"""Every test of the suites runs in a training: one service with every fault planted, one with something to hide."""

from pathlib import Path

import polars as pl
from tests.pipeline.fraud import CONTRACT, MODEL, SERVICE, trained, transactions, write_service

from flyball.app.wiring.training.pipeline import Pipeline

COLUMNS = """\
      - {name: copy, logicalType: integer}
      - {name: running, logicalType: number}
      - {name: flat, logicalType: number}
      - {name: moved, logicalType: number}
      - {name: paid, logicalType: timestamp}
      - {name: is_fraud"""
TESTS = """\
  metric: roc_auc
  suites: full
  tests:
    slices: [country]
    min_support: 30
    fairness: {attributes: [country], max_difference: 0.001}
    monotone: {copy: decreasing}
    invariant: [copy]
    golden: golden.csv
    backtest_windows: 2
"""
PLANTED = {
    "contract": "PASS",  # rows that break it are refused before they are frozen
    "label in features": "FAIL",
    "target leak": "FAIL",
    "time in features": "FAIL",
    "constant columns": "FAIL",
    "future timestamps": "FAIL",
    "known in time": "FAIL",
    "copied rows": "PASS",
    "shift": "FAIL",
    "personal data and secrets": "PASS",
    "personal data and secrets in files": "PASS",
    "better than a dummy by roc_auc": "PASS",
    "finite": "PASS",
    "better than shuffled labels by roc_auc": "PASS",
    "deterministic": "PASS",
    "overfits a tiny batch": "PASS",
    "slice country=home": "PASS",
    "demographic parity country": "FAIL",
    "missing inputs": "PASS",
    "perturbed inputs": "PASS",
    "monotone copy": "FAIL",
    "invariant copy": "FAIL",
    "golden set": "FAIL",
    "backtest": "PASS",
}


def faulty(rows: int = 3000) -> pl.DataFrame:
    table = transactions(rows).with_row_index("row")
    late = pl.col("row") >= rows - 10
    return table.with_columns(
        pl.when(late).then(pl.col("at").dt.offset_by("200y")).otherwise(pl.col("at")).alias("at"),
        copy=pl.col("is_fraud").cast(pl.Int64),
        running=pl.col("row").cast(pl.Float64),
        flat=pl.lit(1.0),
        moved=pl.when(pl.col("row") >= int(0.8 * rows)).then(9.0).otherwise(0.0) + pl.col("distance_km") / 1000,
        paid=pl.col("at").dt.offset_by("400y"),
    ).drop("row")


def test_every_test_of_the_suites_runs_and_finds_what_was_planted(pipeline: Pipeline, tmp_path: Path) -> None:
    table, folder = faulty(), tmp_path / "s"
    model = MODEL.replace('"distance_km",', '"distance_km", "copy", "running", "flat", "moved",')
    file = write_service(folder, service=SERVICE.replace("  metric: roc_auc\n", TESTS), model=model, table=table)
    (folder / "contract.yaml").write_text(CONTRACT.replace("      - {name: is_fraud", COLUMNS))
    golden = table.head(20).with_columns(prediction=~pl.col("is_fraud")).drop("is_fraud")
    golden.write_csv(folder / "golden.csv")
    found = trained(pipeline, file).release
    told = {test.name: test.verdict for test in found.tests}
    assert {name: told.get(name) for name in PLANTED} == PLANTED
    assert not found.passed


def test_what_must_stay_hidden_is_found_where_it_is(pipeline: Pipeline, tmp_path: Path) -> None:
    key = "AKIA" + "Q3EGRIZ5TPLMWX7Y"
    model = MODEL.replace("    return Hist", f'    print("asked jo.public@firm.org")  # with {key}\n    return Hist')
    service = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  tests: {personal: warn}\n")
    table = transactions(2000).with_columns(note=pl.lit("write to jo.public@firm.org"))
    file = write_service(tmp_path / "s", service=service, model=model, table=table)
    column = "      - {name: note, logicalType: string}\n      - {name: is_fraud"
    (tmp_path / "s" / "contract.yaml").write_text(CONTRACT.replace("      - {name: is_fraud", column))
    found = trained(pipeline, file).release
    told = {test.name: test for test in found.tests if test.suite == "privacy"}
    assert {name: (test.verdict, test.hard) for name, test in told.items()} == {
        "personal data and secrets": ("FAIL", False),
        "personal data and secrets in files": ("FAIL", False),
    }
    first, files = (told[name].reason for name in ("personal data and secrets", "personal data and secrets in files"))
    assert "data: column note: e-mail address" in first
    both = first + files
    assert "code/model.py: line 17: AWS access key" in both
    assert "log training.log: line 1: e-mail address" in both
    assert "probe.parquet: column note: e-mail address" in both
    assert key not in both
    assert "firm.org" not in both
    assert found.passed
