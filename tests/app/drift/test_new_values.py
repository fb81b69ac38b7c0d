"""A number of few values that has others now is told, by its verdict or by a sign of its supply."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from flyball.app.drift import fitting
from flyball.app.drift.comparable import columns_of
from flyball.app.drift.judged import Feature, Limits, judge
from flyball.app.drift.newcomers import Newcomers
from flyball.app.drift.reading import profile_tables
from flyball.app.drift.words import changed, meaning
from flyball.stats.two_sample.compare import Reading

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


def test_new_categories_are_named_and_the_rest_counted(tmp_path: Path) -> None:
    now = ["de"] * 300 + ["es"] * 200 + ["pt"] * 100 + [f"x{k % 9}" for k in range(90)]
    feature = compared(tmp_path, ["de", "fr"] * 400, now)
    assert feature.verdict is Reading.DRIFT
    told = changed(feature)
    assert "There are 11 new values in 56.5% of the rows: “es” 29.0%, “pt” 14.5%, “x0” 1.4%" in told
    assert told.count(" and 6 more.") == 1
    found = feature.document()["new_values"]
    assert (found["count"], found["more"], found["rows"]) == (11, False, 390)
    assert found["named"][:2] == [{"value": "es", "rows": 200}, {"value": "pt", "rows": 100}]


def test_one_new_category_is_named_where_nothing_else_has_moved(tmp_path: Path) -> None:
    feature = compared(tmp_path, ["de", "fr"] * 4000, [*(["de", "fr"] * 4000), "es"])
    assert feature.verdict is Reading.OK
    assert "There is 1 new value in 0.0% of the rows: “es”" in changed(feature)


def test_a_rare_value_of_the_reference_is_none_and_where_nobody_can_say_nothing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = [f"v{k}" for k in range(100)] * 20
    assert compared(tmp_path, many, many).column.new is None  # 36 of them share `other`
    monkeypatch.setattr(fitting, "MOST_VALUES", 50)
    assert compared(tmp_path, many, [*many, "new"]).column.new is None


@pytest.mark.parametrize("ending", [["ann@firm.org", "bob@firm.org"], ["+44 20 7946 0018", "+44 20 7946 0027"]])
def test_of_a_column_that_speaks_of_persons_new_values_are_only_counted(tmp_path: Path, ending: list[str]) -> None:
    feature = compared(tmp_path, ["nobody", "staff"] * 300, ["nobody"] * 300 + ending * 150)
    assert "There are 2 new values in 50.0% of the rows, not named" in changed(feature)
    assert feature.document()["new_values"]["named"] == []
    assert not any(each in changed(feature) for each in ending)


def test_more_new_categories_than_can_be_kept_are_at_least_so_many() -> None:
    found = Newcomers(known=frozenset({"a"}))
    for batch in range(3):
        found.take(pl.Series([f"n{batch}-{k}" for k in range(30_000)] + ["often"] * 5))
    told = found.told()
    assert told is not None
    assert told.more
    assert told.rows == 90_015
    assert told.named[0] == ("often", 15)
