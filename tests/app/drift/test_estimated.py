"""What a prediction is expected to cost in the second table, whose labels have not come."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flyball.app.drift.comparable import columns_of
from flyball.app.drift.course import Course, course
from flyball.app.drift.course_words import risk_told, told
from flyball.app.drift.losses import Risk
from flyball.app.drift.reading import profile_tables

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
