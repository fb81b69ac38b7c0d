"""`flyball init`: three files that check and train at once, and nothing ever overwritten."""

import json
import re
from pathlib import Path

import polars as pl
import pytest
from tests.drafted import untimed

from flyball.app.cli.main import run
from flyball.app.declared import load

FILES = ("service.yaml", "contract.yaml", "model.py")
SETS = [
    ("adult/adult.parquet", "income_over_50k", None, "binary"),
    ("nannyml_credit_card/reference.parquet", "y_true", None, "multiclass"),
    ("bike_sharing/hourly.parquet", "rental_count", "timestamp", "regression"),
    ("electricity/electricity.parquet", "price_up", "timestamp", "binary"),
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    frame = pl.DataFrame({"x": [i / 3 for i in range(300)], "s": ["a", "b", "c"] * 100, "y": [0, 1] * 150})
    frame.write_parquet(tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def test_the_files_pass_check_and_the_answer_names_them(
    table: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "My Service!"
    assert run(["init", str(folder), "--data", str(table), "--label", "y", "--key", "s", "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    said = {"service": "my-service", "task": "binary", "folder": str(folder), "files": list(FILES)}
    assert document == said | {"left_out": []}
    assert run(["check", str(folder)]) == 0
    declared = load(folder)
    assert declared.service.data.key == "s"
    assert declared.notes == ()


@pytest.mark.parametrize("there", FILES)
def test_nothing_is_overwritten_and_nothing_half_written(table: Path, tmp_path: Path, there: str) -> None:
    folder = tmp_path / "s"
    folder.mkdir()
    (folder / there).write_text("mine")
    assert run(["init", str(folder), "--data", str(table), "--label", "y"]) == 2
    assert [path.name for path in folder.iterdir()] == [there]
    assert (folder / there).read_text() == "mine"


def test_a_wrong_label_writes_nothing(table: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "s"), "--data", str(table), "--label", "z"]) == 2
    assert "--label: expected one of x, s, y, found z" in capfd.readouterr().err
    assert not (tmp_path / "s").exists()


def test_a_file_in_the_place_of_the_folder_is_told(table: Path) -> None:
    assert run(["init", str(table), "--data", str(table), "--label", "y"]) == 2


@pytest.mark.parametrize(("file", "label", "timestamp", "task"), SETS)
def test_real_tables_become_services_that_check(
    data_folder: Path, tmp_path: Path, file: str, label: str, timestamp: str | None, task: str
) -> None:
    folder = tmp_path / "s"
    more = ["--timestamp", timestamp] if timestamp else []
    assert run(["init", str(folder), "--data", str(data_folder / file), "--label", label, *more]) == 0
    assert load(folder).service.experiment.task == task
    assert run(["check", str(folder)]) == 0


@pytest.mark.slow
@pytest.mark.parametrize(("file", "label", "timestamp", "task"), SETS)
def test_they_train_at_once_and_pass_their_gates(
    data_folder: Path,
    tmp_path: Path,
    file: str,
    label: str,
    timestamp: str | None,
    task: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "s"
    more = ["--timestamp", timestamp] if timestamp else []
    run(["init", str(folder), "--data", str(data_folder / file), "--label", label, *more])
    untimed(folder / "service.yaml")
    capfd.readouterr()
    if "bike" in file:  # the rentals are the sum of two other columns, and the test of the data says so
        assert run(["train", str(folder), "--home", str(tmp_path / "home"), "--json"]) == 1
        leak = next(test for test in json.loads(capfd.readouterr().out)["tests"] if test["name"] == "target leak")
        assert "'registered'" in leak["reason"]
        model = folder / "model.py"
        model.write_text(
            re.sub(r"APART: list\[str\] = \[(.*)\]", r'APART = [\1, "casual", "registered"]', model.read_text())
        )
    assert run(["train", str(folder / "service.yaml"), "--home", str(tmp_path / "home"), "--json"]) == 0
    document = json.loads(capfd.readouterr().out)
    assert document["experiment"].startswith("fx1:sha256:")
    assert all(gate["passed"] for gate in document["gates"])
