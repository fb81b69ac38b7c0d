"""A report never costs a table: outputs are looked at before anything is read."""

import os
from pathlib import Path

import pytest

from flyball.app.cli.main import run

TABLE = "x\n" + "1\n2\n" * 50


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("days", "out"):
        (tmp_path / name).mkdir()
    for name in ("before.csv", "now.csv", "days/1.csv"):
        (tmp_path / name).write_text(TABLE)
    (tmp_path / "linked.html").symlink_to("now.csv")
    os.link("before.csv", "hard.html")
    return tmp_path


@pytest.mark.parametrize(
    "tokens",
    [
        ("before.csv", "now.csv", "--html", "before.csv"),
        ("before.csv", "now.csv", "--svg", "out/../now.csv"),
        ("before.csv", "now.csv", "--html", "linked.html"),
        ("before.csv", "now.csv", "--html", "hard.html"),
        ("before.csv", "days", "--html", "days/report.html"),
        ("before.csv", "days/*", "--html", "days/report.html"),
        ("before.csv", "now.csv", "--html", "out/a", "--svg", "out/../out/a"),
        ("before.csv", "now.csv", "--html", "absent/report.html"),
        ("before.csv", "now.csv", "--html", "out"),
        ("absent.csv", "now.csv", "--html", "now.csv"),
    ],
)
def test_an_output_that_would_cost_a_table_or_another_is_refused(
    folder: Path, capfd: pytest.CaptureFixture[str], tokens: tuple[str, ...]
) -> None:
    assert run(["drift", *tokens]) == 2
    assert "nothing was read" in capfd.readouterr().err
    assert {(folder / name).read_text() for name in ("before.csv", "now.csv", "days/1.csv")} == {TABLE}
    assert {each.name for each in folder.iterdir()} == {
        *("before.csv", "now.csv", "days", "out", "linked.html", "hard.html")
    }
    assert list((folder / "out").iterdir()) == []


def test_a_report_beside_the_tables_is_written_and_the_umask_says_who_reads_it(folder: Path) -> None:
    before = os.umask(0o022)
    try:
        assert run(["drift", "before.csv", "days/*.csv", "--html", "days/report.html"]) == 0
    finally:
        os.umask(before)
    assert (folder / "days" / "report.html").stat().st_mode & 0o777 == 0o644
