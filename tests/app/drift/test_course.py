"""Drift and risk along the rows of the second table, window by window."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flyball.app.drift.comparable import columns_of
from flyball.app.drift.course import Course, course
from flyball.app.drift.losses import Risk
from flyball.app.drift.reading import profile_tables
from flyball.core.errors import BadInput

ROWS = 4000
FIRST, SECOND = np.arange(ROWS) % 50, np.arange(ROWS) % 2


def went(folder: Path, now: dict[str, Any], risk: Risk | None = None, **before: Any) -> Course:
    reference, current = folder / "before.parquet", folder / "now.parquet"
    pl.DataFrame({"x": FIRST, "flag": SECOND == 1} | before).write_parquet(reference)
    pl.DataFrame(now).write_parquet(current)
    tables = profile_tables(reference, current)
    return course(reference, current, columns_of(tables), rows=tables.current_rows, risk=risk)


def test_windows_cover_every_row_once_and_tell_where_the_shift_began(tmp_path: Path) -> None:
    shifted = np.where(np.arange(ROWS) < 2000, FIRST, FIRST + 30)
    found = went(tmp_path, {"x": shifted, "flag": SECOND == 1}).windows
    assert [each.first_row for each in found[1:]] == [each.last_row + 1 for each in found[:-1]]
    assert (found[0].first_row, found[-1].last_row) == (0, ROWS - 1)
    moved = [each.first_row for each in found if each.psi is not None and each.psi > 0.5]
    assert moved == [each.first_row for each in found if each.last_row >= 2000]
    assert {each.column for each in found if each.last_row >= 2000} == {"x"}


def test_the_risk_of_a_window_is_that_of_its_labelled_rows(tmp_path: Path) -> None:
    label = pl.Series("y", ["yes"] * ROWS)
    said = pl.Series(["yes"] * 2000 + ["yes", "no"] * 1000)
    gaps = label.to_frame().with_row_index().select(pl.when(pl.col("index") % 4 != 0).then(pl.col("y"))).to_series()
    risk = Risk(label="y", prediction="said")
    found = went(tmp_path, {"x": FIRST, "y": gaps, "said": said}, risk, y=label, said=label)
    assert (found.unit, found.reference_risk) == ("error rate", 0.0)
    assert {each.risk for each in found.windows if each.last_row < 2000} == {0.0}
    # of every four rows the second and the fourth are wrong, and the first has no label
    assert [each.risk for each in found.windows if each.first_row >= 2000] == pytest.approx([2 / 3] * 12, abs=0.02)


def test_of_many_numbers_the_risk_is_the_mean_absolute_error(tmp_path: Path) -> None:
    label = np.linspace(0.0, 100.0, ROWS)
    risk = Risk(label="y", prediction="said")
    found = went(tmp_path, {"x": FIRST, "y": label, "said": label + 3}, risk, y=label, said=label - 1)
    assert found.unit == "mean absolute error"
    assert found.reference_risk == pytest.approx(1.0)
    assert [each.risk for each in found.windows] == pytest.approx([3.0] * 24)


def test_a_short_table_is_one_window_and_an_empty_one_has_no_number(tmp_path: Path) -> None:
    (only,) = went(tmp_path, {"x": [1.0]}).windows
    assert (only.first_row, only.last_row) == (0, 0)
    (none,) = went(tmp_path, {"x": pl.Series([], dtype=pl.Float64)}).windows
    assert none.psi is None


def test_a_label_that_is_not_there_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--label"):
        went(tmp_path, {"x": FIRST, "said": FIRST}, Risk(label="y", prediction="said"), said=FIRST)


def test_a_change_that_the_whole_table_dilutes_is_told_with_its_row_and_its_risk(tmp_path: Path) -> None:
    x = np.where(np.arange(ROWS) < 3900, FIRST, 1000 * (FIRST + 1))
    said = np.where(np.arange(ROWS) < 3900, 1, 0)
    label = np.ones(ROWS, dtype=int)
    risk = Risk(label="y", prediction="said")
    found = went(tmp_path, {"x": x, "flag": SECOND == 1, "y": label, "said": said}, risk, y=label, said=label)
    assert found.change is not None
    assert found.change.lasts
    assert found.change.first_row == found.windows[-1].first_row
    assert "x" in dict(found.change.columns)
    assert "flag" not in dict(found.change.columns)
    assert found.since is not None
    assert found.since.value == pytest.approx(100 / found.since.rows)


def test_a_table_that_stands_still_has_no_change(tmp_path: Path) -> None:
    assert went(tmp_path, {"x": FIRST, "flag": SECOND == 1}).change is None
