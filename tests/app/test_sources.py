import os
from pathlib import Path

import polars as pl
import pytest

from flyball.app.declared import read_table
from flyball.app.sources import base_of, files_of
from flyball.core.errors import BadInput


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three months in three formats, with what writers of tables leave beside them."""
    found = tmp_path / "months"
    (found / "old").mkdir(parents=True)
    pl.DataFrame({"a": [1, 2], "b": ["x", "y"]}).write_parquet(found / "2026-01.parquet")
    pl.DataFrame({"b": ["z"], "a": [3]}).write_csv(found / "2026-02.csv")
    pl.DataFrame({"a": [4.5], "b": ["w"]}).write_csv(found / "old" / "2026-03.tsv", separator="\t")
    for aside in ("_SUCCESS", ".hidden.csv", "README.txt"):
        (found / aside).write_text("x")
    return found


def test_a_folder_is_one_table_in_the_order_of_its_paths(folder: Path) -> None:
    table = read_table(folder)
    assert table.columns == ["a", "b"]
    assert table["a"].to_list() == [1, 2, 3, 4.5]
    assert [path.name for path in files_of(folder)] == ["2026-01.parquet", "2026-02.csv", "2026-03.tsv"]


def test_a_glob_names_some_of_them(folder: Path) -> None:
    assert read_table(folder / "2026-0[12].*")["a"].to_list() == [1, 2, 3]
    assert read_table(folder / "**" / "*.tsv")["a"].to_list() == [4.5]
    assert base_of(folder / "**" / "*.tsv") == folder


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].csv").write_text("a\n1\n")
    assert files_of(tmp_path / "a[1].csv") == (tmp_path / "a[1].csv",)


@pytest.mark.parametrize("source", ["empty", "months/*.xlsx", "none-*.csv"])
def test_nothing_to_read_is_said(folder: Path, source: str) -> None:
    (folder.parent / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no table"):
        read_table(folder.parent / source)


def test_every_file_with_other_columns_is_named(folder: Path) -> None:
    pl.DataFrame({"a": [1]}).write_csv(folder / "2026-04.csv")
    pl.DataFrame({"a": [1], "b": [1], "c": [1]}).write_csv(folder / "2026-05.csv")
    with pytest.raises(BadInput) as caught:
        read_table(folder)
    assert [os.path.basename(fault.where) for fault in caught.value.faults] == ["2026-04.csv", "2026-05.csv"]


def test_a_column_of_text_in_one_file_and_numbers_in_another_is_refused(folder: Path) -> None:
    pl.DataFrame({"a": ["x"], "b": ["y"]}).write_parquet(folder / "2026-09.parquet")
    with pytest.raises(BadInput, match="not one table"):
        read_table(folder)
