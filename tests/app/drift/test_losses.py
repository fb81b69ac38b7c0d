"""Whether a prediction met its label, whatever types the two are written in."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flyball.app.drift.losses import OF_CLASSES, Risk, loss_of, losses, unit_of
from flyball.app.drift.streams import opened

FLAGS = [True, False, True, None]
CODES = ["01", "2"]


@pytest.mark.parametrize(
    ("label", "said", "wrong"),
    [
        (["1", "0", "1", None], [1.0, 1.0, 1.0, 1.0], [0, 1, 0, None]),
        ([1, 0, 1, 0], ["1", "0.0", None, "2"], [0, 0, None, 1]),
        (["1", "0"], ["1.0", "1.0"], [0, 1]),  # as of a CSV
        (FLAGS, [1, 1, 0, 1], [0, 1, 1, None]),
        (FLAGS, ["true", "True", "0", "1"], [0, 1, 1, None]),
        (["true", "false"], [1.0, 1.0], [0, 1]),
        (FLAGS, ["maybe", "false", " TRUE ", "1"], [1, 0, 0, None]),
        (CODES, [1, 2], [1, 0]),  # a text with leading zeros is a code
        (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "a"], [0, 1]),
        (pl.Series(["1", "2"], dtype=pl.Enum(["1", "2"])), [1, 1], [0, 1]),
        ([2**60 + 1, 2**60], [2**60, 2**60], [1, 0]),
        ([str(2**60 + 1), str(2**60)], [2**60 + 1, 2**60 + 1], [0, 1]),
        (pl.Series([1, 2], dtype=pl.Decimal(10, 2)), ["1", "1"], [0, 1]),
        (pl.Series([0.1, 0.2], dtype=pl.Float32), ["0.1", "0.1"], [0, 1]),
        ([float("nan"), 1.0], [1.0, 1.0], [None, 0]),
        ([float("nan"), 1.0], ["1", "1"], [None, 0]),
    ],
)
def test_a_prediction_is_right_that_says_what_the_label_says(
    tmp_path: Path, label: Any, said: Any, wrong: list[int | None]
) -> None:
    path = tmp_path / "table.parquet"
    pl.DataFrame({"y": label, "said": said}).write_parquet(path)
    side = losses(opened(path), path, Risk(label="y", prediction="said"))
    assert unit_of(side) == OF_CLASSES
    assert loss_of(side, OF_CLASSES).to_list() == wrong


def test_numbers_of_a_csv_are_no_texts(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("y,said\n1,1.0\n0,1.0\n,0.0\n0,0.0\n")
    side = losses(opened(path), path, Risk(label="y", prediction="said"))
    assert loss_of(side, unit_of(side)).to_list() == [0, 1, None, 0]
