"""Tables that cannot be used: every verb says what was expected, what was found, where, and what to do."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flyball.app.cli.main import run
from flyball.app.tables import read
from flyball.core.errors import BadInput

ROWS = 60
GOOD = "\n".join(["x,s,at,y", *(f"{i}.5,a{i % 2},2026-01-01T00:{i:02}:00Z,{i % 2}" for i in range(ROWS)), ""])


def with_line(line: int, text: str) -> str:
    lines = GOOD.split("\n")
    lines[line - 1] = text
    return "\n".join(lines)


CASES: dict[str, tuple[str, bytes, str]] = {
    "latin-1": ("t.csv", with_line(7, "1,ü,2026-01-01T00:00:00Z,1").encode("latin-1"), "line 7: expected text in UTF"),
    "utf-16": ("t.csv", GOOD.encode("utf-16"), "expected text in UTF-8, found UTF-16 (iconv"),
    "empty": ("t.csv", b"", "expected a header with column names"),
    "header only": ("t.csv", b"x,s,at,y\n", "expected at least one row, found a header and no rows"),
    "long line": ("t.csv", with_line(9, "1,a,b,2026-01-01T00:00:00Z,1").encode(), "line 9: expected 4 cells"),
    "short line": ("t.csv", with_line(9, "1,a").encode(), "line 9: expected 4 cells, as in the header, found 2"),
    "quoted": ("t.csv", with_line(9, '"1,a",b').encode(), "line 9: expected 4 cells, as in the header, found 2"),
    "twice": ("t.csv", GOOD.replace("x,s,at", "x,x,at", 1).encode(), "expected each column name once, found x 2 times"),
    "semicolons": ("t.csv", GOOD.replace(",", ";").encode(), "expected names separated by commas, found semicolons"),
    "bad cell": ("t.csv", with_line(9, "?,a0,2026-01-01T00:00:00Z,1").encode(), "x, row 8 below the header: expected"),
    "mixed zones": ("t.csv", with_line(9, "1,a0,2026-01-01T00:00:00,1").encode(), "at: expected a time zone in every"),
    "no Parquet": ("t.parquet", GOOD.encode(), "expected a Parquet file, which begins with PAR1, found one"),
    "cut Parquet": ("t.parquet", b"PAR1 and no more", "expected a Parquet file, found"),
    "empty Parquet": ("t.parquet", b"", "expected a Parquet file, found an empty file"),
    "another format": ("t.xlsx", b"x", "expected a file that ends in"),
}  # fmt: skip


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FLYBALL_HOME", raising=False)  # the home is beside the service
    (tmp_path / "good.csv").write_text(GOOD)
    assert run(["init", "s", "--data", "good.csv", "--label", "y", "--timestamp", "at"]) == 0
    return tmp_path / "s"


def told(capfd: pytest.CaptureFixture[str], *tokens: str) -> tuple[int, str]:
    capfd.readouterr()
    return run(list(tokens)), capfd.readouterr().err


def source(service: Path, table: str) -> None:
    """The service learns from this table now."""
    text = (service / "service.yaml").read_text().splitlines()
    text = [f"  source: {service.parent / table}" if line.strip().startswith("source:") else line for line in text]
    (service / "service.yaml").write_text("\n".join(text) + "\n")


@pytest.mark.parametrize("case", CASES)
def test_every_verb_names_what_is_wrong_with_a_file(
    service: Path, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    name, data, expected = CASES[case]
    Path(name).write_bytes(data)
    source(service, name)
    for words in (
        ("contract", "check", "s/contract.yaml", name),
        ("contract", "draft", name),
        ("check", "s", name),
        ("check", "s"),
        ("train", "s"),
        ("init", "new", "--data", name, "--label", "y"),
    ):
        code, err = told(capfd, *words)
        assert code == 2, (words, err)
        assert expected in err, words
    assert not Path("new").exists()
    assert not list(Path("s").glob(".flyball/snapshots/*"))


@pytest.mark.parametrize(
    ("name", "expected"), [("absent.csv", "No such file"), ("folder.csv", "at least one file that ends in")]
)
def test_what_is_no_file(service: Path, name: str, expected: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("folder.csv").mkdir()
    for words in (("check", "s", name), ("contract", "check", "s/contract.yaml", name), ("contract", "draft", name)):
        code, err = told(capfd, *words)
        assert (code, expected in err) == (2, True), err


LABELS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "one class": (lambda t: t.with_columns(y=pl.lit(1)), "y.classes"),
    "no label": (lambda t: t.with_columns(y=pl.lit(None, dtype=pl.Int64)), "y.required"),
    "three classes": (lambda t: t.with_columns(y=pl.int_range(pl.len()) % 3), "y.classes"),
}


@pytest.mark.parametrize("case", LABELS)
def test_a_label_that_cannot_be_learned_is_a_no_before_anything_is_trained(
    service: Path, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil, rule = LABELS[case]
    spoil(read(Path("good.csv"))).write_parquet("t.parquet")
    source(service, "t.parquet")
    code, err = told(capfd, "train", "s")
    assert code == 1
    assert rule in err
    assert not list(Path("s").glob(".flyball/snapshots/*"))
    assert not list(Path("s").glob(".flyball/releases/*"))
    assert run(["check", "s"]) == 1
    if case == "no label":  # the rows are kept for somebody to look at
        (file,) = Path("s").glob(".flyball/quarantine/s/*.parquet")
        assert pl.read_parquet(file)["flyball_rule"].unique().to_list() == [rule]
        assert file.name in err


def test_odd_columns_are_noted_and_stop_nothing(service: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rows = 10_000
    table = pl.DataFrame(
        {
            "x": [1.0] * (rows - 1) + [float("inf")],
            "s": [f"c{i}" for i in range(rows)],
            "at": read(Path("good.csv"))["at"].head(1).to_list() * rows,
            "y": [0, 1] * (rows // 2),
        }
    )
    table.write_parquet("odd.parquet")
    capfd.readouterr()
    run(["check", "s", "odd.parquet", "--json"])
    notes = " ".join(json.loads(capfd.readouterr().out)["notes"])
    assert "s has 10000 different texts" in notes
    assert "x is infinite in 1 rows" in notes


def test_text_of_a_contract_stays_text_and_not_a_number_is_missing(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("zip,x\n007,nan\n010,inf\n")
    table = read(tmp_path / "t.csv", {"zip": "string", "x": "number"})
    assert table["zip"].to_list() == ["007", "010"]
    assert table.schema["x"] == pl.Float64()
    assert table["x"].is_nan().to_list() == [True, False]


def test_every_cell_that_is_no_number_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,true\nx,maybe\ny,false\n")
    with pytest.raises(BadInput) as caught:
        read(tmp_path / "t.csv", {"a": "number", "b": "boolean"})
    assert [fault.path for fault in caught.value.faults] == [
        "a, row 2 below the header",
        "a, row 3 below the header",
        "b, row 2 below the header",
    ]


def test_a_column_of_codes_is_no_column_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a\n" + "\n".join(["12", "7b"] * 50))
    assert read(tmp_path / "t.csv").schema["a"] == pl.String()


def test_the_first_rows_do_not_decide_what_the_later_ones_are(tmp_path: Path) -> None:
    lines = ["a,b,c", *["1,,x"] * 10_050, "1.5,2026-01-01,y", ""]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    assert list(read(tmp_path / "t.csv").schema.values()) == [pl.Float64(), pl.Date(), pl.String()]
    (tmp_path / "t.csv").write_text("\n".join([*lines[:-1], "n/a,2026-01-01,y", ""]))
    with pytest.raises(BadInput) as caught:
        read(tmp_path / "t.csv")
    assert [fault.path for fault in caught.value.faults] == ["a, row 10052 below the header"]


def test_mixed_offsets_are_one_time(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("at,x\n2026-01-01T01:00:00+01:00,1\n2026-01-01T00:00:00Z,2\n")
    found: Any = read(tmp_path / "t.csv")["at"]
    assert found.n_unique() == 1
