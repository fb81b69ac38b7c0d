"""`flyball drift` as somebody types it: on data whose changes are known, on odd tables, and on no tables at all."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from flyball.app.cli.main import run
from flyball.app.home import expand_data
from flyball.stats.two_sample.compare import MEASURES, ORDERED

ROWS = 1000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(capfd: pytest.CaptureFixture[str], *tokens: str) -> dict[str, Any]:
    capfd.readouterr()
    assert run(["drift", *tokens, "--json"]) == 0
    told = capfd.readouterr()
    assert told.err == ""
    document = json.loads(told.out)
    assert isinstance(document, dict)
    return document


def faults(capfd: pytest.CaptureFixture[str], *tokens: str) -> list[str]:
    capfd.readouterr()
    assert run(["drift", *tokens, "--json"]) == 2
    return [f"{each['where']}: {each['path']}" for each in json.loads(capfd.readouterr().out)["error"]["faults"]]


def pair(before: dict[str, Any], now: dict[str, Any]) -> tuple[str, str]:
    pl.DataFrame(before, strict=False).write_parquet("before.parquet")
    pl.DataFrame(now, strict=False).write_parquet("now.parquet")
    return "before.parquet", "now.parquet"


def compared(capfd: pytest.CaptureFixture[str], before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Features by name."""
    return {each["name"]: each for each in answer(capfd, *pair(before, now))["features"]}


def test_the_four_columns_of_the_car_loans_that_moved_are_named_and_no_clean_one(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    reference = expand_data("$FLYBALL_DATA/nannyml_car_loan/reference.parquet")
    monitoring = pl.read_parquet(reference.with_name("monitoring.parquet"))
    monitoring[25_000:].write_parquet("late.parquet")
    monitoring[:25_000].write_parquet("early.parquet")
    late = answer(capfd, str(reference), "late.parquet", "--exclude", "y_pred_proba,y_pred,repaid")
    assert set(late["drifted"]) == {"car_value", "salary_range", "loan_length", "repaid_loan_on_prev_car"}
    assert late["rows"] == {"reference": 50_000, "current": 25_000}
    assert answer(capfd, str(reference), "early.parquet")["drifted"] == []


@pytest.mark.slow
def test_nothing_is_named_between_two_halves_of_a_census(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    table = pl.read_parquet(expand_data("$FLYBALL_DATA/adult/adult.parquet"))
    half = table.height // 2
    table[:half].write_parquet("before.parquet")
    table[half:].write_csv("now.csv")
    found = answer(capfd, "before.parquet", "now.csv")
    assert found["drifted"] == []
    assert {each["verdict"] for each in found["features"]} == {"OK"}


def test_the_document_has_exactly_these_keys(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before, now = {"flag": [True, False] * 500}, {"flag": [True] * 900 + [False] * 100}
    document = answer(capfd, *pair(before, now), "--measure", "psi")
    assert list(document) == ["features", "drifted", "rows", "course", "risk"]
    assert document["drifted"] == ["flag"]
    assert document["rows"] == {"reference": 1000, "current": 1000}
    (feature,) = document["features"]
    assert list(feature) == ["name", "verdict", "measures"]
    (measure,) = feature["measures"].values()
    assert set(measure) >= {"value", "ci", "p", "n", "m"}
    assert measure["value"] == pytest.approx(0.4 * np.log(0.9 / 0.5) + 0.4 * np.log(0.5 / 0.1), rel=0.01)
    assert measure["ci"][0] < measure["value"] < measure["ci"][1]


def test_what_cannot_be_compared_says_why_and_the_rest_is_compared(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steady = [float(i % 7) for i in range(ROWS)]
    shared: dict[str, Any] = {
        "steady": steady,
        "key": list(range(ROWS)),
        "text": [f"customer {i}" for i in range(ROWS)],
        "nothing": pl.Series([None] * ROWS, dtype=pl.Float64),
        "nested": [[1, 2]] * ROWS,
    }
    found = compared(
        capfd,
        shared | {"gone": steady, "typed": steady},
        shared | {"new": steady, "typed": [f"no. {i}" for i in range(ROWS)]},
    )
    assert found.pop("steady")["verdict"] == "OK"
    assert {each["verdict"] for each in found.values()} == {"INVALID"}
    reasons = {name: each["measures"]["psi"]["reason"] for name, each in found.items()}
    assert reasons["gone"] == "the current table lacks it"
    assert reasons["new"] == "the reference lacks it"
    assert "Float64 in the reference, String now" in reasons["typed"]
    assert "grows with every row" in reasons["key"]
    assert "free text" in reasons["text"]
    assert "missing on both sides" in reasons["nothing"]
    assert "List(Int64)" in reasons["nested"]


def test_odd_values_have_a_verdict(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    number = [float(i % 10) for i in range(ROWS)]
    found = compared(
        capfd,
        {"constant": [1] * ROWS, "frozen": number, "vanished": number, "endless": number, "named": ["a", "b"] * 500},
        {
            "constant": [1] * ROWS,
            "frozen": [3.0] * ROWS,
            "vanished": pl.Series([None] * ROWS, dtype=pl.Float64),
            "endless": [float("inf")] * 500 + [float("nan")] * 500,
            "named": ["c"] * ROWS,
        },
    )
    assert found.pop("constant")["verdict"] == "OK"
    assert {name: each["verdict"] for name, each in found.items()} == dict.fromkeys(found, "DRIFT")


def test_one_row_is_too_little_and_no_all_clear(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = compared(capfd, {"x": [1.0], "y": ["a"]}, {"x": [2.0], "y": ["b"]})
    assert {each["verdict"] for each in found.values()} == {"INSUFFICIENT"}


def test_a_table_without_rows_is_too_little_too(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("before.csv").write_text("x\n1\n2\n")
    Path("now.csv").write_text("x\n")
    found = answer(capfd, "before.csv", "now.csv")
    assert [each["verdict"] for each in found["features"]] == ["INSUFFICIENT"]
    assert found["rows"] == {"reference": 2, "current": 0}


def test_cells_that_are_no_number_are_counted_and_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("before.csv").write_text("x\n" + "".join(f"{i % 10}\n" for i in range(ROWS)))
    Path("now.csv").write_text("x\n" + "".join("n/a\n" if i % 4 == 0 else f"{i % 10}\n" for i in range(ROWS)))
    assert run(["drift", "before.csv", "now.csv"]) == 0
    told = capfd.readouterr().out
    assert "No number, and counted as missing: 0 values before, 250 now." in told
    assert "1 of 1 column drifted" in told


def test_a_table_against_itself_has_no_drift(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    dice = np.random.default_rng(5)
    table = {f"x{i}": dice.normal(size=ROWS) for i in range(5)} | {"c": dice.choice(["a", "b"], ROWS)}
    before, _ = pair(table, table)
    found = answer(capfd, before, before)
    assert {each["verdict"] for each in found["features"]} == {"OK"}
    assert {each["measures"]["psi"]["value"] for each in found["features"]} == {0.0}


def test_an_effect_that_one_of_many_columns_has_by_chance_is_not_reported(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steady, lopsided = list(range(10)) * 20, list(range(6)) * 20 + list(range(6, 10)) * 3
    assert compared(capfd, {"x": steady}, {"x": lopsided})["x"]["verdict"] == "DRIFT"
    calm = {f"calm {i}": steady for i in range(20)}
    now = {name: steady[: len(lopsided)] for name in calm}
    among = compared(capfd, {"x": steady} | calm, {"x": lopsided} | now)
    assert among["x"]["verdict"] == "INSUFFICIENT"
    assert "of 21 columns one may be like this by chance" in among["x"]["measures"]["psi"]["reason"]


def test_an_effect_that_may_lie_on_either_side_of_the_limit_is_left_open(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sides = pair({"x": [0, 1] * 500}, {"x": [0] * 680 + [1] * 320})
    assert answer(capfd, *sides)["features"][0]["verdict"] == "INSUFFICIENT"
    assert run(["drift", *sides]) == 0
    assert "whether beyond 0.1 takes more rows to tell" in capfd.readouterr().out


def test_every_measure_is_told_where_it_has_a_meaning(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    numbers = np.arange(5000) % 97
    sides = pair(
        {"number": numbers * 1.5, "word": ["a", "b"] * 2500},
        {"number": (numbers + 40) * 1.5, "word": ["a"] * 4000 + ["b"] * 1000},
    )
    found = {each["name"]: each["measures"] for each in answer(capfd, *sides)["features"]}
    assert set(found["number"]) == set(MEASURES)
    assert set(found["word"]) == set(MEASURES) - set(ORDERED)
    shift, deviation = 60.0, (numbers * 1.5).std()
    assert found["number"]["wasserstein"]["value"] == pytest.approx(shift / deviation, rel=0.02)
    assert found["number"]["ks"]["value"] == pytest.approx(40 / 97, rel=0.05)
    by_order = {each["name"]: each["verdict"] for each in answer(capfd, *sides, "--measure", "ks")["features"]}
    assert by_order == {"number": "DRIFT", "word": "INVALID"}


def test_a_time_or_key_that_is_named_is_compared(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    days = pl.datetime_range(pl.datetime(2026, 1, 1), pl.datetime(2026, 1, 2), "1m", eager=True)
    sides = pair({"at": days, "key": range(1441)}, {"at": days.dt.offset_by("2d"), "key": range(1441)})
    assert {each["verdict"] for each in answer(capfd, *sides)["features"]} == {"INVALID"}
    assert answer(capfd, *sides, "--columns", "at,key")["drifted"] == ["at"]


def test_columns_and_limits_are_chosen(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sides = pair(
        {"a,b": [0, 1] * 5000, "c": [0, 1] * 5000},
        {"a,b": [0] * 6800 + [1] * 3200, "c": [0, 1] * 5000},
    )
    assert answer(capfd, *sides)["drifted"] == ["a,b"]  # PSI 0.14
    assert answer(capfd, *sides, "--preset", "psi-0.20")["drifted"] == []
    assert answer(capfd, *sides, "--limit", "0.2")["drifted"] == []
    assert answer(capfd, *sides, "--measure", "hellinger,psi")["drifted"] == ["a,b"]
    assert [each["name"] for each in answer(capfd, *sides, "--exclude", "a\\,b")["features"]] == ["c"]
    assert [each["name"] for each in answer(capfd, *sides, "--columns", "c")["features"]] == ["c"]


def test_all_faults_of_both_files_are_told_at_once(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("empty.csv").write_text("")
    Path("text.parquet").write_text("a,b\n1,2\n")
    Path("good.csv").write_text("a\n1\n")
    Path("other.csv").write_text("b\n1\n")
    assert faults(capfd, "absent.csv", "empty.csv") == ["absent.csv: (file)", "empty.csv: (file)"]
    assert faults(capfd, "text.parquet", "good.txt") == ["text.parquet: (file)", "good.txt: (file)"]
    Path("hollow").mkdir()
    assert faults(capfd, "hollow", "good.csv") == ["hollow: (files)"]
    assert faults(capfd, "good.csv", "other.csv") == ["other.csv: (columns)"]
    both = "good.csv and good.csv"
    assert faults(capfd, "good.csv", "good.csv", "--columns", "x", "--exclude", "y") == [f"{both}: x", f"{both}: y"]
    assert faults(capfd, "good.csv", "good.csv", "--measure", "no", "--bins", "1", "--limit", "-1") == [
        "command line: --measure",
        "command line: --limit",
        "command line: --bins",
    ]
    assert faults(capfd, "good.csv", "good.csv", "--exclude", "a") == ["good.csv: (columns)"]


def test_the_text_says_what_changed_and_what_it_means(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = {"[bold]age": [i % 50 for i in range(ROWS)]}
    assert run(["drift", *pair(before, {"[bold]age": [i % 50 + 20 for i in range(ROWS)]})]) == 0
    told = capfd.readouterr().out
    assert "[bold]age" in told
    assert "Values are larger" in told
    assert "1 of 1 column drifted" in told
    assert "The mean went from 24.5 to 44.5" in told


def test_another_tools_verdict_stands_beside_ours_with_the_reason_why_it_differs(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    dice = np.random.default_rng(1)
    draws, letters = dice.normal(size=(2, 900)), dice.choice(["a", "b"], (2, 900))
    sides = pair(
        {"x": draws[0], "word": letters[0], "key": range(900)},
        {"x": draws[1] + 0.15, "word": letters[1], "key": range(900)},
    )
    features = answer(capfd, *sides, "--like", "evidently")["features"]
    found = {each["name"]: each.get("like") for each in features}
    assert found["key"] is None
    assert [each["method"] for each in found["x"]] == ["ks", "jensenshannon", "psi", "wasserstein"]
    assert found["word"][0]["method"] == "chisquare"
    first = found["x"][0]
    assert first["is_p"]
    assert first["theirs"] < first["limit"] == 0.05
    assert (first["drift"], first["verdict"]) == (True, "OK")
    assert run(["drift", *sides, "--like", "evidently"]) == 0
    told = capfd.readouterr().out
    assert "drift 0.0" in told
    assert told.count("evidently ks: the p-value is the same; it calls any difference drift") == 1


def test_the_numbers_of_nannyml_are_in_its_own_unit_on_both_sides(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sides = pair({"word": ["a", "b"] * 1000}, {"word": ["a"] * 1800 + ["b"] * 200})
    first = answer(capfd, *sides, "--like", "nannyml")["features"][0]["like"][0]
    assert first["method"] == "jensen_shannon"
    assert first["ours"] == pytest.approx(first["theirs"], rel=0.01)
    assert first["theirs"] > first["limit"][1]


def test_values_at_the_ends_of_the_floats_have_an_answer_by_every_tool(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = range(600)
    sides = pair(
        {
            "huge": [1e300 * i for i in steps],
            "tiny": [5e-324 * i for i in steps],
            "wide": [-1.7e308, 1.0, 1.7e308] * 200,
        },
        {
            "huge": [5e299 * i for i in steps],
            "tiny": [1.0 * i for i in steps],
            "wide": [1e308 * (i % 2) for i in steps],
        },
    )
    for tool in ("evidently", "nannyml"):
        found = {each["name"]: each for each in answer(capfd, *sides, "--like", tool)["features"]}
        assert found["huge"]["verdict"] == found["tiny"]["verdict"] == "DRIFT"
        assert all(each["like"] for each in found.values())


def test_a_tool_that_nobody_can_imitate_is_a_fault(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sides = pair({"x": [1, 2]}, {"x": [1, 2]})
    assert run(["drift", *sides, "--like", "alibi", "--json"]) == 2
    assert "evidently" in capfd.readouterr().out


def test_a_broken_supply_is_told_beside_the_verdict_and_an_honest_shift_is_none(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    numbers = [float(i % 50) for i in range(ROWS)]
    words = ["a", "b"] * 500
    moving = ("missing", "type_changed", "now_constant", "out_of_range", "far_outside", "shifted", "same", "infinite")
    before = dict.fromkeys(moving, numbers)
    now = {
        "missing": [None if i % 4 == 0 else x for i, x in enumerate(numbers)],
        "type_changed": ["?" if i % 20 == 0 else f"{x}" for i, x in enumerate(numbers)],
        "now_constant": [7.0] * ROWS,
        "out_of_range": [x * 100 if i % 30 == 0 else x for i, x in enumerate(numbers)],
        "far_outside": [x * 1000 + 1e5 for x in numbers],
        "shifted": [x + 20 for x in numbers],
        "same": numbers,
        "infinite": [math.inf if i % 30 == 0 else x for i, x in enumerate(numbers)],
    }
    sides = pair(
        before
        | {"unknown_values": words, "was_constant": [1.0] * ROWS, "empty": pl.Series([None] * ROWS, dtype=pl.Float64)},
        now | {"unknown_values": ["a", "new"] * 500, "was_constant": [1.0, 2.0] * 500, "empty": numbers},
    )
    features = answer(capfd, *sides, "--html", "page.html")["features"]
    found = {each["name"]: [sign["kind"] for sign in each.get("quality", ())] for each in features}
    assert (found.pop("shifted"), found.pop("same")) == ([], [])
    assert found.pop("far_outside") == ["far_outside", "out_of_range"]
    assert found.pop("infinite") == ["out_of_range"]
    assert found.pop("empty") == ["was_constant"]
    assert found == {name: [name] for name in found}
    assert Path("page.html").read_text().count('class="supply"') == len(found) + 3
    assert run(["drift", *sides]) == 0
    told = capfd.readouterr().out
    assert "Supply (missing): 25.0% of missing is missing, 0.0% in the baseline." in told
    assert "empty had no value in the baseline, now 100.0% of the rows have one" in told
    assert "3.4% of infinite is infinite, and nothing was in the reference" in told
    assert "The supply of 9 columns looks broken" in told
