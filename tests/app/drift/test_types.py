"""A column that has another type in one of two tables is compared by what its values say, in either order."""

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flyball.app.drift.comparable import Column, columns_of
from flyball.app.drift.course import course
from flyball.app.drift.reading import profile_tables
from flyball.stats.two_sample.divergences import psi

NUMBERS = [k % 40 for k in range(400)]
FLAGS = [k % 2 == 0 for k in range(400)]
DAYS = [date(2026, 1, 1) + timedelta(k) for k in NUMBERS]
TEXTS = [str(k) for k in NUMBERS]


def of(folder: Path, reference: pl.Series, current: pl.Series, ending: str = "parquet") -> Column:
    """The column `x` of both tables, the second in a file of the ending."""
    before, now = folder / "before.parquet", folder / f"now.{ending}"
    pl.DataFrame({"x": reference}).write_parquet(before)
    frame = pl.DataFrame({"x": current})
    frame.write_csv(now) if ending == "csv" else frame.write_parquet(now)
    [found] = columns_of(profile_tables(before, now), named=["x"])
    return found


@pytest.mark.parametrize("ending", ["parquet", "csv"])
@pytest.mark.parametrize(
    ("reference", "current"),
    [
        (NUMBERS, [float(k) for k in NUMBERS]),
        ([float(k) for k in NUMBERS], NUMBERS),
        (NUMBERS, [f" {k}.0 " for k in NUMBERS]),
        (TEXTS, NUMBERS),
        (FLAGS, [int(flag) for flag in FLAGS]),
        ([int(flag) for flag in FLAGS], FLAGS),
        (FLAGS, [" TRUE" if flag else "False" for flag in FLAGS]),
        (FLAGS, ["1" if flag else "0" for flag in FLAGS]),
        (FLAGS, ["1.0" if flag else "0.0" for flag in FLAGS]),
        (["yes" if flag else "0" for flag in FLAGS], ["yes" if flag else "0" for flag in FLAGS]),
        (["true" if flag else "false" for flag in FLAGS], ["true" if flag else "false" for flag in FLAGS]),
        (DAYS, [str(day) for day in DAYS]),
        (DAYS, pl.Series(DAYS).cast(pl.Datetime("us"))),
        (pl.Series(DAYS).cast(pl.Datetime("ms")), DAYS),
        (DAYS, pl.Series([str(day) for day in DAYS]).cast(pl.Categorical)),
        (FLAGS, pl.Series(["true" if flag else "false" for flag in FLAGS]).cast(pl.Categorical)),
        (TEXTS, pl.Series(TEXTS).cast(pl.Categorical)),
        (pl.Series(TEXTS).cast(pl.Categorical), TEXTS),
    ],
)
def test_the_same_values_of_another_type_have_not_moved(
    tmp_path: Path, reference: Sequence[Any], current: Sequence[Any], ending: str
) -> None:
    found = of(tmp_path, pl.Series(reference), pl.Series(current), ending)
    assert found.unfit == ""
    assert found.reference is not None
    assert found.current is not None
    assert psi(found.reference, found.current) == 0.0
    went = course(tmp_path / "before.parquet", tmp_path / f"now.{ending}", [found], rows=400, risk=None)
    assert went.change is None


@pytest.mark.parametrize(
    ("reference", "wanted"), [(NUMBERS, "number"), (DAYS, "time"), (FLAGS, "flag"), (TEXTS, "text")]
)
def test_a_column_of_which_no_value_fits_says_what_was_expected(
    tmp_path: Path, reference: Sequence[Any], wanted: str
) -> None:
    current = pl.Series([[k] for k in NUMBERS]) if wanted == "text" else pl.Series(["word"] * len(reference))
    found = of(tmp_path, pl.Series(reference), current)
    assert found.unfit.endswith(f"now, and no value of it is a {wanted}")


@pytest.mark.parametrize("names", [("0", "1"), ("0.0", "1.0"), ("false", "true"), ("False", "True")])
def test_a_flag_beside_texts_that_say_the_same_has_not_moved_in_either_order(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    texts, flags = pl.Series([names[flag] for flag in FLAGS]), pl.Series(FLAGS)
    others = [flags.cast(pl.Float64), flags.cast(pl.Int8)] if names[0][0] == "0" else []
    for one in (flags, *others):
        for reference, current in ((texts, one), (one, texts)):
            found = of(tmp_path, reference, current)
            assert found.unfit == ""
            assert found.reference is not None
            assert found.current is not None
            assert psi(found.reference, found.current) == 0.0


def test_a_flag_that_is_neither_0_nor_1_is_no_flag(tmp_path: Path) -> None:
    found = of(tmp_path, pl.Series(FLAGS), pl.Series([0, 1, 2, None] * 100))
    assert found.pair is not None
    assert (found.pair.current.unparsed, found.pair.current.missing) == (100, 200)


def test_whole_numbers_that_no_float_tells_apart_are_not_compared(tmp_path: Path) -> None:
    """They share no value, and are one and the same as float64: no verdict about drift."""
    far = 2**60
    before, now = (pl.Series([far + start + k % 50 for k in range(400)], dtype=pl.Int64) for start in (0, 50))
    assert "2^53" in of(tmp_path, before, now).unfit
    wide = pl.Series([far + 2**40 * (k % 50) for k in range(400)], dtype=pl.Int64)
    assert of(tmp_path, wide, wide).unfit == ""
