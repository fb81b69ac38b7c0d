"""Two tables become counts, whatever is in them; nothing is dropped and nothing raises that is a matter of the data."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flyball.app.drift import fitting, streams
from flyball.app.drift.pair import FeaturePair, Progress, TablePair
from flyball.app.drift.reading import profile_tables
from flyball.core.errors import BadInput
from flyball.stats.binning.bins import NumericBins, fit_categories, fit_numeric


def _written(folder: Path, name: str, **columns: Any) -> Path:
    frame, path = pl.DataFrame(columns, strict=False), folder / name
    if path.suffix == ".csv":
        frame.write_csv(path)
    else:
        frame.write_parquet(path)
    return path


def _of(pair: TablePair, name: str) -> FeaturePair:
    return next(feature for feature in pair.features if feature.name == name)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_counts_are_those_of_bins_fitted_in_memory(tmp_path: Path, ending: str) -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=5000).round(3), rng.normal(0.5, size=4000).round(3)
    colours = rng.choice(["red", "green", "blue"], 5000)
    reference = _written(tmp_path, f"r.{ending}", x=x, colour=colours)
    current = _written(tmp_path, f"c.{ending}", x=y, colour=["red", "black", "", None] * 1000)
    pair = profile_tables(reference, current)

    feature = _of(pair, "x")
    assert feature.reference.counts == tuple(NumericBins(edges=feature.edges).count(x).tolist())
    assert feature.current.counts == tuple(NumericBins(edges=feature.edges).count(y).tolist())
    assert feature.psi_edges == fit_numeric(x).edges
    ours, theirs = feature.psi_counts()
    assert ours == tuple(fit_numeric(x).count(x).tolist())
    assert theirs == tuple(fit_numeric(x).count(y).tolist())
    assert (feature.reference.low, feature.reference.high) == (x.min(), x.max())
    assert feature.current.mean == pytest.approx(y.mean())
    assert feature.reference.counts[0] == feature.reference.counts[-2] == 0  # nothing is outside of its own range

    colour = _of(pair, "colour")
    assert colour.values == fit_categories(colours.tolist()).values
    assert colour.current.counts[-2:] == (2000, 1000)  # black and the empty text; missing
    assert (pair.reference_rows, pair.current_rows, pair.fitted_rows) == (5000, 4000, 5000)


def test_rows_are_the_same_however_they_are_batched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    for name in ("r", "c"):
        _written(
            tmp_path, f"{name}.parquet", a=rng.normal(size=30_000), b=rng.integers(0, 9, 30_000), c=["p", "q"] * 15_000
        )
    monkeypatch.setattr(fitting, "SAMPLE_ROWS", 4000)
    whole = profile_tables(tmp_path / "r.parquet", tmp_path / "c.parquet")
    monkeypatch.setattr(streams, "BATCH_ROWS", 777)
    monkeypatch.setattr(streams, "GROUP_BYTES", 8 * 30_000)  # one column at a time
    again = profile_tables(tmp_path / "r.parquet", tmp_path / "c.parquet")
    assert [(f.edges, f.reference.counts, f.current.counts) for f in again.features] == [
        (f.edges, f.reference.counts, f.current.counts) for f in whole.features
    ]
    assert again.fitted_rows == 4000


def test_bins_of_a_sample_hold_about_equal_mass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "SAMPLE_ROWS", 20_000)
    x = np.arange(200_000.0)  # sorted: a sample of the first rows would see a tenth of the range
    path = _written(tmp_path, "r.parquet", x=x)
    feature = _of(profile_tables(path, path, bins=16), "x")
    ours, _ = feature.psi_counts()
    assert max(abs(rows - 20_000) for rows in ours[:-1]) < 2_500  # five standard errors of a sample of 20,000
    assert (feature.edges[0], feature.edges[-1]) == (0.0, np.nextafter(199_999.0, np.inf))


BAD: dict[str, list[Any]] = {
    "numbers": [float(n) for n in range(40)],
    "all missing": [None] * 40,
    "constant": [3.0] * 40,
    "infinite": [np.inf, -np.inf, np.nan, 0.0] * 10,
    "text": ["a", "1", "2.5", None] * 10,
    "flags": [True, False, None, True] * 10,
    "dates": [date(2026, 1, 1), date(2026, 2, 1)] * 20,
    "times": [datetime(2026, 1, 1, 12, 30)] * 40,
    "written times": ["2026-01-01 12:30:00"] * 40,
    "spans": [timedelta(seconds=3)] * 40,
    "lists": [[1.0, 2.0], [3.0]] * 20,
    "a category a row": [f"id-{n}" for n in range(40)],
}


def test_whatever_meets_whatever_each_row_is_counted_once(tmp_path: Path) -> None:
    reference = _written(tmp_path, "r.parquet", **{f"{a} then {b}": BAD[a] for a in BAD for b in BAD})
    current = _written(tmp_path, "c.parquet", **{f"{a} then {b}": BAD[b] for a in BAD for b in BAD})
    pair = profile_tables(reference, current)
    assert len(pair.features) == len(BAD) ** 2
    unsupported = [feature for feature in pair.features if feature.kind == "unsupported"]
    assert len(unsupported) == len(BAD) + 1  # lists then anything, and nothing then lists
    assert all("List" in feature.reason for feature in unsupported)
    for feature in pair.features:
        if feature.kind == "unsupported":
            continue
        before, after = feature.name.split(" then ")
        for values, side in ((BAD[before], feature.reference), (BAD[after], feature.current)):
            nulls = sum(1 for value in values if value is None or (isinstance(value, float) and np.isnan(value)))
            assert sum(side.counts) == len(values), feature.name
            assert side.missing == nulls + side.unparsed, feature.name


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_empty_table_and_one_of_one_row_are_tables(tmp_path: Path, ending: str) -> None:
    empty = _written(tmp_path, f"e.{ending}", x=pl.Series([], dtype=pl.Float64), c=pl.Series([], dtype=pl.String))
    one, many = (
        _written(tmp_path, f"o.{ending}", x=[1.0], c=["a"]),
        _written(tmp_path, f"m.{ending}", x=[1.0, 2.0], c=["a", "b"]),
    )
    for reference in (empty, one, many):
        for current in (empty, one, many):
            pair = profile_tables(reference, current)
            rows = (pair.reference_rows, pair.current_rows)
            assert [(sum(f.reference.counts), sum(f.current.counts)) for f in pair.features] == [rows, rows]


def test_a_number_that_becomes_text_is_counted_as_unparsed(tmp_path: Path) -> None:
    reference = _written(tmp_path, "r.csv", x=list(range(100)))
    current = tmp_path / "c.csv"
    current.write_text("x\n" + "\n".join(["7"] * 60 + ["n/a"] * 40) + "\n")
    feature = _of(profile_tables(reference, current), "x")
    assert (feature.kind, feature.reference.dtype, feature.current.dtype) == ("numeric", "Int64", "String")
    assert (feature.current.unparsed, feature.current.missing, feature.current.n) == (40, 40, 60)


def test_infinities_are_in_the_end_bins_and_told(tmp_path: Path) -> None:
    path = _written(tmp_path, "r.parquet", x=[1.0, 2.0, np.inf, np.inf, -np.inf, None])
    side = _of(profile_tables(path, path), "x").reference
    assert (side.neg_inf, side.pos_inf, side.missing, side.n, side.low, side.high) == (1, 2, 1, 2, 1.0, 2.0)
    assert sum(side.counts) == 6


def test_columns_of_one_table_only_are_named(tmp_path: Path) -> None:
    reference, current = _written(tmp_path, "r.csv", a=[1], b=[2]), _written(tmp_path, "c.csv", b=[2], c=["x"])
    pair = profile_tables(reference, current)
    assert (pair.only_reference, pair.only_current) == (("a",), ("c",))
    nothing = profile_tables(_written(tmp_path, "p.csv", a=[1, 2]), _written(tmp_path, "q.csv", b=[1, 2, 3]))
    assert (nothing.features, nothing.reference_rows, nothing.current_rows) == ((), 2, 3)


def test_only_the_columns_asked_for_are_read(tmp_path: Path) -> None:
    path = _written(tmp_path, "r.csv", a=[1, 2], b=[3, 4])
    assert [feature.name for feature in profile_tables(path, path, columns=["b"]).features] == ["b"]
    with pytest.raises(BadInput, match="zzz"):
        profile_tables(path, path, columns=["zzz"])


def test_a_folder_of_files_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for number in range(3):
        _written(tmp_path / "parts", f"{number}.parquet", x=[float(number)] * 10)
    whole = _written(tmp_path, "whole.parquet", x=[0.0, 1.0, 2.0] * 10)
    feature = _of(profile_tables(tmp_path / "parts", whole), "x")
    assert feature.reference.counts == feature.current.counts


def test_progress_ends_with_all_cells_of_each_stage(tmp_path: Path) -> None:
    path = _written(tmp_path, "r.parquet", a=[1.0, 2.0], b=["x", "y"])
    told: list[Progress] = []
    profile_tables(path, path, on_progress=told.append)
    last = {each.stage: each for each in told}
    assert [(each.stage, each.cells, each.of) for each in last.values()] == [
        ("fit", 4, 4),
        ("reference", 4, 4),
        ("current", 4, 4),
    ]


def test_what_is_no_table_is_said(tmp_path: Path) -> None:
    good, bad = _written(tmp_path, "r.parquet", a=[1.0]), tmp_path / "bad.parquet"
    bad.write_bytes(good.read_bytes()[:-20])
    with pytest.raises(BadInput, match="cut off"):
        profile_tables(good, bad)
    with pytest.raises(BadInput, match=r"\.xlsx"):
        profile_tables(good, tmp_path / "a.xlsx")
