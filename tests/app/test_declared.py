"""A service folder is read whole: faults of service.yaml, contract and code together, tables with a reason."""

import os
from pathlib import Path

import polars as pl
import pytest

from flyball.app.declared import code_names, load, read_table
from flyball.core.errors import BadInput

SERVICE = """\
apiVersion: flyball/v1
kind: Service
metadata: {name: s, owner: o}
data: {contract: contract.yaml, source: t.parquet, label: y, timestamp: at}
experiment: {task: binary, metric: roc_auc, include: [words.txt]}
serving: {fallback: [{constant: {prediction: 0}}]}
"""
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: s
version: "1"
status: draft
schema:
  - name: t
    properties:
      - {name: at, logicalType: timestamp}
      - {name: x, logicalType: number}
      - {name: y, logicalType: integer, required: true}
"""
MODEL = "def train(features, label, *, config, seed):\n    raise SystemExit('read, never run')\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "service.yaml": SERVICE,
        "contract.yaml": CONTRACT,
        "model.py": MODEL,
        "helpers/words.py": "WORDS = 1\n",
        "words.txt": "a b c\n",
        ".flyball/drafts/copy.py": "never part of the code (",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def paths(folder: Path) -> list[str]:
    with pytest.raises(BadInput) as caught:
        load(folder / "service.yaml")
    return [f"{fault.where.split(':')[0]} {fault.path}" for fault in caught.value.faults]


def test_a_folder_becomes_records_and_the_code_that_would_run(folder: Path) -> None:
    declared = load(folder)
    assert declared.service.metadata.name == "s"
    assert [column.name for column in declared.contract.columns] == ["at", "x", "y"]
    assert list(declared.code) == ["helpers/words.py", "model.py", "words.txt"]
    assert declared.source == folder / "t.parquet"


def test_hidden_folders_are_not_looked_into(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Red before: the home lay in the folder, a pane was sealed meanwhile, and a drill ended with a missing file."""
    looked: list[str] = []
    scandir = os.scandir

    def told(path: str) -> object:
        looked.append(str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", told)
    assert code_names(folder, load(folder / "service.yaml").service) == ["helpers/words.py", "model.py", "words.txt"]
    assert str(folder) in looked
    assert not [path for path in looked if ".flyball" in path]


def test_the_data_folder_is_found_through_its_variable(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "service.yaml").write_text(SERVICE.replace("t.parquet", "$FLYBALL_DATA/a/t.parquet"))
    monkeypatch.setenv("FLYBALL_DATA", "/somewhere")
    assert load(folder).source == Path("/somewhere/a/t.parquet")


def test_faults_of_contract_and_code_come_together(folder: Path) -> None:
    (folder / "contract.yaml").write_text(CONTRACT.replace("integer", "integr"))
    (folder / "model.py").write_text("def fit(): ...\n")
    (folder / "helpers/words.py").write_text("WORDS = (\n")
    (folder / "words.txt").unlink()
    assert sorted(paths(folder)) == [
        "contract.yaml schema[0].properties[2].logicalType",
        "helpers/words.py (code)",
        "model.py train",
        "words.txt (file)",
    ]


def test_what_service_and_contract_disagree_about_is_told(folder: Path) -> None:
    text = SERVICE.replace("timestamp: at", "timestamp: when, key: z").replace("prediction: 0", "prediction: no")
    (folder / "service.yaml").write_text(text)
    assert paths(folder) == [
        "service.yaml data.timestamp",
        "service.yaml data.key",
        "service.yaml serving.fallback[0].constant.prediction",
    ]


@pytest.mark.parametrize(
    ("code", "sound"),
    [
        ("from helpers.words import train\n", True),
        ("def train(features, label, **more): ...\n", True),
        ("def train(features, label): ...\n", False),
        ("class train: ...\n", False),
        ("\x00", False),
    ],
)
def test_the_entry_point_is_judged_without_being_run(folder: Path, code: str, sound: bool) -> None:
    (folder / "model.py").write_text(code)
    if sound:
        assert load(folder).code["model.py"] == code
    else:
        assert paths(folder)[0].startswith("model.py ")


@pytest.mark.parametrize(
    ("code", "sound"),
    [
        ("def odd(rows): ...\n", True),
        ("from helpers.words import odd\n", True),
        ("def even(rows): ...\n", False),
        ("odd = 1\n", False),
    ],
)
def test_a_filter_names_a_function_of_the_entry_point(folder: Path, code: str, sound: bool) -> None:
    declared = "serving: {filters: [{name: o, on: row, verdict: review, function: odd}], fallback:"
    (folder / "service.yaml").write_text(SERVICE.replace("serving: {fallback:", declared))
    (folder / "model.py").write_text(MODEL + code)
    if sound:
        assert load(folder).service.serving.filters[0].function == "odd"
    else:
        assert paths(folder) == ["model.py serving.filters[0].function"]


def test_an_absent_or_unreadable_declaration_is_bad_input(folder: Path) -> None:
    (folder / "service.yaml").write_bytes("owner: Jürgen".encode("latin-1"))
    with pytest.raises(BadInput, match="UTF-8"):
        load(folder)
    with pytest.raises(BadInput, match="No such file"):
        load(folder / "nothing" / "service.yaml")


def written(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("t.parquet", b"not a parquet file", "a Parquet file"),
        ("t.parquet", b"", "a Parquet file"),
        ("t.csv", b"", "a header with column names"),
        ("t.csv", b"a,b\n", "at least one row"),
        ("t.csv", b"a,b,a\n1,2,3\n", "each column name once, found a 2 times"),
        ("t.csv", b"a,b\n1,2\n3,4,5\n", "line 3: expected 2 cells, as in the header, found 3"),
        ("t.csv", "name,b\nJürgen,2\n".encode("latin-1"), "line 2: expected text in UTF-8"),
        ("t.csv", "Größe,b\n1,2\n".encode("latin-1"), "line 1: expected text in UTF-8"),
        ("t.xlsx", b"PK", "a file that ends in"),
        ("table", b"a,b", "a file that ends in"),
    ],
)
def test_a_file_that_is_no_table_says_why(tmp_path: Path, name: str, data: bytes, told: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_table(written(tmp_path, name, data))
    assert told in str(caught.value)


def test_an_absent_file_a_folder_and_an_empty_table_say_why(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        read_table(tmp_path / "t.parquet")
    (tmp_path / "f.parquet").mkdir()
    with pytest.raises(BadInput, match="holds no table"):
        read_table(tmp_path / "f.parquet")
    pl.DataFrame({"a": []}).write_parquet(tmp_path / "e.parquet")
    with pytest.raises(BadInput, match="at least one row"):
        read_table(tmp_path / "e.parquet")


def test_a_missing_column_is_named_beside_those_that_are_there(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "t.parquet")
    with pytest.raises(BadInput, match="y: expected a column, found only a"):
        read_table(tmp_path / "t.parquet", needed=("a", "y"))


def test_csv_and_parquet_give_the_same_table_and_zones_become_utc(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"a": [1, None], "s": ["x", "y"], "at": ["2026-11-21T10:00:00+02:00", "2026-11-21T10:00:00+02:00"]}
    )
    typed = frame.with_columns(pl.col("at").str.to_datetime(time_unit="us", time_zone="UTC"))
    typed.write_parquet(tmp_path / "t.parquet")
    parquet = read_table(tmp_path / "t.parquet")
    assert parquet.schema["at"] == pl.Datetime("us")
    assert parquet["at"][0].hour == 8
    frame.drop("at").write_csv(tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").equals(parquet.drop("at"))
