"""A pane of many frames is sealed part by part, and is the table that it would be in one."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from flyball.adapters.prediction_log import segments
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.core.log_tables import LogTables
from flyball.core.prediction import PredictionRecord

TABLES = LogTables(features={"amount": pl.Float64()}, answer=pl.Float64())


def told(i: int, **more: object) -> PredictionRecord:
    given: dict[str, object] = {"id": f"p{i}", "at": float(i), "unit": "u", "arm": "champion", "release": "r"}
    given |= {"epoch": 1, "outcome": "answered", "features": {"amount": float(i)}} | more
    return PredictionRecord(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("classes", [{}, {"scores": {"x": 0.5, "y": 0.5}}])
def test_parts_and_the_whole_are_one_table(
    classes: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segments, "_PART_ROWS", 7)
    records = [told(i, **(classes if i > 20 else {})) for i in range(40)]
    log = SegmentLog(tmp_path / "shop", "shop", TABLES, fsync="os")
    for start in range(0, 40, 3):
        log.append(0, records[start : start + 3], ())
    assert log.rows(0) == 40
    pane = log.seal(0, start=0.0, end=50.0, received=41, labels=())
    assert (pane.written, pane.dropped, pane.first_row, pane.last_row) == (40, 1, 0, 39)
    (segment,) = Segments(tmp_path).sealed("shop", -1)
    assert_frame_equal(segment.predictions, TABLES.predictions(records))


def test_an_empty_pane_has_the_columns_of_a_full_one(tmp_path: Path) -> None:
    log = SegmentLog(tmp_path / "shop", "shop", TABLES, fsync="os")
    log.append(0, (), ())
    log.seal(0, start=1.0, end=2.0, received=0, labels=())
    (segment,) = Segments(tmp_path).sealed("shop", -1)
    assert segment.predictions.columns == TABLES.predictions([told(1)]).columns
