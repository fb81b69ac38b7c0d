"""A number of few values that has others now is told, by its verdict or by a sign of its supply."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flyball.app.drift.comparable import columns_of
from flyball.app.drift.judged import Feature, Limits, judge
from flyball.app.drift.reading import profile_tables
from flyball.app.drift.words import meaning
from flyball.stats.compare import Reading

FLAGS = np.tile([0.0, 1.0], 500)
MONTHS = np.tile(np.arange(1, 13), 100)
TENTHS = np.tile([0.1, 0.2, 0.7], 300)


def compared(folder: Path, before: object, now: object) -> Feature:
    for name, values in (("r", before), ("c", now)):
        pl.DataFrame({"x": values}).write_parquet(folder / f"{name}.parquet")
    tables = profile_tables(folder / "r.parquet", folder / "c.parquet")
    return judge(columns_of(tables), Limits(), (tables.reference_rows, tables.current_rows)).features[0]


@pytest.mark.parametrize("now", [FLAGS - 0.3, FLAGS * 1000, FLAGS * 0.6, np.where(FLAGS == 0, -1.0, 1.0)])
def test_a_flag_with_other_values_is_drift(tmp_path: Path, now: object) -> None:
    feature = compared(tmp_path, FLAGS, now)
    assert feature.verdict is Reading.DRIFT
    assert "never had" in meaning(feature, Limits())


def test_months_that_become_halves_are_a_sign_of_the_supply(tmp_path: Path) -> None:
    feature = compared(tmp_path, MONTHS, MONTHS + 0.5)
    assert [each.kind for each in feature.quality] == ["unknown_values"]


@pytest.mark.parametrize(("before", "now"), [(FLAGS, FLAGS.astype(int)), (TENTHS, TENTHS.astype(np.float32))])
def test_another_type_of_the_same_numbers_is_none(tmp_path: Path, before: object, now: object) -> None:
    feature = compared(tmp_path, before, now)
    assert (feature.verdict, feature.quality, feature.deciding.value) == (Reading.OK, (), 0.0)


def test_times_of_few_values_keep_their_plain_bins(tmp_path: Path) -> None:
    days = pl.Series([1, 2, 3] * 100).cast(pl.Date)
    feature = compared(tmp_path, days, days)
    assert feature.column.pair is not None
    assert len(feature.column.pair.psi_edges) == 2
