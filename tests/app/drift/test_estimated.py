"""What a prediction is expected to cost in the second table, whose labels have not come."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from threadpoolctl import threadpool_info

from flyball.app.drift.comparable import columns_of
from flyball.app.drift.course import Course, course
from flyball.app.drift.course_words import risk_told, told
from flyball.app.drift.losses import Risk
from flyball.app.drift.reading import profile_tables
from flyball.stats.risk.direct_loss import DirectLoss

ROWS = 3000
RISK = Risk(label="y", prediction="said")


def houses(seed: int, *, old: float) -> pl.DataFrame:
    """Prices whose error is five times as large in old houses, of which this is the share."""
    rng = np.random.default_rng(seed)
    kind = np.where(rng.random(ROWS) < old, "old", "new")
    area = rng.normal(100, 20, ROWS)
    error = rng.normal(0, np.where(kind == "old", 5.0, 1.0))
    return pl.DataFrame({"kind": kind, "area": area, "said": area * 3, "y": area * 3 + error})


def compared(folder: Path, before: pl.DataFrame, now: pl.DataFrame) -> Course:
    paths = folder / "before.parquet", folder / "now.parquet"
    before.write_parquet(paths[0])
    now.write_parquet(paths[1])
    return course(*paths, columns_of(profile_tables(*paths)), rows=now.height, risk=RISK)


def test_the_error_of_rows_without_labels_is_estimated_from_what_such_rows_cost(tmp_path: Path) -> None:
    now = houses(2, old=0.8)
    found = compared(tmp_path, houses(1, old=0.2), now.drop("y"))
    realised = (now["y"] - now["said"]).abs().mean()
    assert found.before is not None
    assert found.now is None
    assert found.expected.level is not None
    low, high = found.expected.level.ci
    assert isinstance(realised, float)
    assert found.before.value < 1.6 < low < realised < high
    (unknown, estimate) = risk_told(found)
    assert unknown.startswith("Mean absolute error: 1.4")
    assert "over the reference; no row of the current table has a label" in unknown
    assert "is to be expected of the current table" in estimate
    risk = told(found)["risk"]
    assert (risk["current"], risk["estimated"]["rows"]) == (None, ROWS)


def test_a_change_of_the_concept_is_not_in_an_estimate_and_the_labels_stand_beside_it(tmp_path: Path) -> None:
    now = houses(2, old=0.2).with_columns(y=pl.col("y") + 10)
    found = compared(tmp_path, houses(1, old=0.2), now)
    assert found.now is not None
    assert found.expected.level is not None
    assert found.now.value > 9 > 2 > found.expected.level.value


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        (houses(1, old=0.2)[:60], "60 rows"),
        (houses(1, old=0.2).select("y", "said"), "no input"),
        (houses(1, old=0.2).with_columns(y=pl.col("kind"), said=pl.col("kind")), "calibrated scores"),
    ],
)
def test_where_nothing_can_be_estimated_the_reason_is_told(tmp_path: Path, before: pl.DataFrame, reason: str) -> None:
    found = compared(tmp_path, before, before.drop("y"))
    assert found.expected.level is None
    assert reason in found.expected.reason
    assert f"Nothing is estimated in their place: {found.expected.reason}." in risk_told(found)


def test_rows_without_a_prediction_or_with_one_that_is_no_number_are_left_out(tmp_path: Path) -> None:
    now = houses(2, old=0.2).with_columns(
        said=pl.when(pl.col("kind") == "old").then(None).otherwise(pl.col("said")), y=pl.lit(np.inf)
    )
    found = compared(tmp_path, houses(1, old=0.2), now)
    assert found.expected.level is not None
    assert found.expected.level.rows == now["said"].drop_nulls().len()


@pytest.mark.parametrize(
    ("known", "now", "reason"),
    [
        ({}, houses(2, old=0.2)[:0], "no row of the current table has a prediction"),
        ({}, houses(2, old=0.2).with_columns(said=pl.lit(None, dtype=pl.Float64)), "no row of the current table"),
        ({}, houses(2, old=0.2).with_columns(said=pl.lit(None)), "no row of the current table"),
        ({"y": pl.lit(None, dtype=pl.Float64)}, houses(2, old=0.2), "calibrated scores"),
        ({"said": pl.lit(None, dtype=pl.Float64)}, houses(2, old=0.2), "0 rows"),
    ],
)
def test_a_table_without_a_prediction_is_told(
    tmp_path: Path, known: dict[str, pl.Expr], now: pl.DataFrame, reason: str
) -> None:
    found = compared(tmp_path, houses(1, old=0.2).with_columns(**known), now.drop("y"))
    assert found.expected.level is None
    assert reason in found.expected.reason


def test_an_import_leaves_the_threads_of_the_process_alone() -> None:
    asked = "import os, flyball.app.drift.estimated; print(os.environ.get('OMP_NUM_THREADS'))"
    own = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    told = subprocess.run([sys.executable, "-c", asked], env=own, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "None"


def test_one_thread_fits_and_the_process_has_its_own_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[int]] = []

    class Watched(DirectLoss):
        def __init__(self, *args: Any, **named: Any) -> None:
            seen.append(_threads())
            super().__init__(*args, **named)

    import sklearn.ensemble  # noqa: F401

    monkeypatch.setattr("flyball.app.drift.estimated.DirectLoss", Watched)
    before = _threads()
    compared(tmp_path, houses(1, old=0.2), houses(2, old=0.2).drop("y"))
    assert (seen, _threads()) == ([{1}], before)


def _threads() -> set[int]:
    return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "openmp"}
