"""`flyball replay` as its users meet it: the story of a rule that turns round, options, bad input, exit codes."""

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.app.replay.gauge import CHANGE, ROWS, replayed, stream, written

from flyball.app.cli.main import run


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("replay") / "gauge")


@pytest.fixture(scope="module")
def told(service: Path) -> Any:
    """The report of the whole stream."""
    return replayed(service, service.parent / "home")


def story(report: Any) -> Any:
    """All that a second run has to repeat: seconds and folders aside."""
    return {key: value for key, value in report.items() if key not in ("seconds", "rows_per_s", "home")}


def test_the_turned_rule_is_seen_learned_and_promoted_and_nothing_happens_before(told: Any) -> None:
    assert [line["reason"] for line in told["trainings"]][:2] == ["first", "risk"]
    assert len(told["trainings"]) <= 3
    first, *later = [line["outcome"] for line in told["rollouts"]]
    assert first == "promoted"
    assert set(later) <= {"promoted", "open"}
    risks = [line["row"] for line in told["signals"] if line["signal"] == "risk"]
    assert CHANGE <= min(risks) < CHANGE + 3 * 200
    assert told["trainings"][1]["row"] >= min(risks)
    assert told["governed"] > told["frozen"] + 0.2
    assert told["unanswered"] == 0


def test_the_report_says_what_it_is_a_report_of(told: Any, service: Path) -> None:
    assert (told["service"], told["rows"], told["train_rows"]) == ("gauge", ROWS, 800)
    assert (told["metric"], told["better"]) == ("accuracy", "higher")
    assert [point["row"] for point in told["curve"]] == list(range(999, ROWS, 200))
    weighed = sum(point["governed"] for point in told["curve"]) / len(told["curve"])
    assert told["governed"] == pytest.approx(weighed)
    assert told["home"] == str(service.parent / "home")
    assert all(800 <= line["row"] < ROWS for kind in ("trainings", "rollouts", "signals") for line in told[kind])


def test_its_ledger_can_be_verified_and_read_afterwards(told: Any, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["ledger", "verify", "--home", told["home"], "--json"]) == 0
    verdict = json.loads(capfd.readouterr().out)
    assert verdict["ok"]
    assert verdict["events"] == told["ledger"]["events"] > 0
    assert run(["ledger", "tail", "-n", "200", "--home", told["home"]]) == 0
    assert "simulated" in capfd.readouterr().out, "the approval has to be marked as nobody's"


def test_a_second_run_tells_the_same_and_the_stream_may_lie_in_several_files(
    told: Any, service: Path, tmp_path: Path
) -> None:
    parts = (tmp_path / "one.parquet", tmp_path / "two.csv", tmp_path / "three.parquet")
    whole = stream()
    whole[:700].write_parquet(parts[0])
    whole[700:1900].write_csv(parts[1])
    whole[1900:].write_parquet(parts[2])
    assert story(replayed(service, tmp_path / "home", data=parts)) == story(told)


def test_where_nobody_approves_the_rollout_waits(told: Any, service: Path, tmp_path: Path) -> None:
    waiting = replayed(service, tmp_path / "home", "--approve", "never")
    assert [line["outcome"] for line in waiting["rollouts"]] == ["open"]
    assert waiting["governed"] == waiting["frozen"] == told["frozen"]


def test_a_dash_prints_the_document_and_nothing_else_and_the_drawing_goes_to_its_file(
    service: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    short = tmp_path / "short.parquet"
    stream()[:1100].write_parquet(short)
    drawing = tmp_path / "curve.svg"
    tokens = ["replay", str(service / "service.yaml"), "--data", str(short), "--home", str(tmp_path / "home")]
    options = ["--train-rows", "900", "--label-delay", "0", "--svg", str(drawing), "--json", "-"]
    assert run([*tokens, *options]) == 0
    said = capfd.readouterr()
    assert json.loads(said.out)["train_rows"] == 900
    assert str(tmp_path / "home") in said.err
    assert drawing.read_text().startswith("<svg")


@pytest.fixture
def refused(service: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs a replay that has to end with exit code 2; gives what it said."""

    def run_it(*data: Path, options: tuple[str, ...] = (), folder: Path = service) -> str:
        files = [str(file) for file in data]
        home = ["--home", str(tmp_path / "home")] if "--home" not in options else []
        code = run(["replay", str(folder), "--data", *files, *home, *options])
        said = capfd.readouterr()
        assert code == 2, said.err
        assert said.out == ""
        return said.err

    return run_it


def test_a_stream_that_ends_before_it_begins_is_refused(refused: Any, tmp_path: Path) -> None:
    short = tmp_path / "short.parquet"
    stream()[:800].write_parquet(short)
    said = refused(short)
    assert "more than the 800 rows" in said
    assert "found 800" in said


def test_a_missing_label_and_an_absent_file_are_told_with_the_file(refused: Any, service: Path, tmp_path: Path) -> None:
    unlabelled = tmp_path / "unlabelled.parquet"
    stream().drop("alarm").write_parquet(unlabelled)
    said = refused(unlabelled)
    assert "unlabelled.parquet" in said
    assert "alarm" in said
    assert "nowhere.parquet" in refused(service / "stream.parquet", tmp_path / "nowhere.parquet")


def test_values_that_are_no_numbers_are_told_before_anything_is_trained(refused: Any, tmp_path: Path) -> None:
    odd = tmp_path / "odd.parquet"
    stream().with_columns(pl.lit("warm").alias("heat")).write_parquet(odd)
    assert "odd.parquet" in refused(odd)
    assert not (tmp_path / "home" / "ledger.db").exists()


def test_a_home_that_holds_a_ledger_is_not_written_into(told: Any, refused: Any, service: Path) -> None:
    before = (Path(told["home"]) / "ledger.db").read_bytes()
    said = refused(service / "stream.parquet", options=("--home", told["home"]))
    assert "holds a ledger already" in said
    assert (Path(told["home"]) / "ledger.db").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--train-rows", "1"), "--train-rows"),
        (("--label-delay", "-1"), "--label-delay"),
        (("--train-rows", "many"), "--train-rows"),
        (("--approve", "perhaps"), "--approve"),
        (("--json", "--svg", "curve.svg"), "--svg"),
    ],
)
def test_an_option_that_means_nothing_is_named(
    refused: Any, service: Path, options: tuple[str, ...], named: str
) -> None:
    assert named in refused(service / "stream.parquet", options=options)


def test_a_faulty_declaration_is_refused_before_the_stream_is_read(refused: Any, service: Path, tmp_path: Path) -> None:
    folder = tmp_path / "faulty"
    shutil.copytree(service, folder)
    declared = folder / "service.yaml"
    declared.write_text(declared.read_text().replace("window_rows: 200", "window_row: 200"))
    assert "window_row" in refused(tmp_path / "nowhere.parquet", folder=folder)


def test_a_first_release_below_its_gates_does_not_serve_and_the_answer_is_no(
    service: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "strict"
    shutil.copytree(service, folder)
    declared = folder / "service.yaml"
    declared.write_text(declared.read_text().replace("min: 0.55", "min: 0.999"))
    code = run(["replay", str(folder), "--data", str(folder / "stream.parquet"), "--home", str(tmp_path / "home")])
    assert code == 1
    assert "does not serve" in capfd.readouterr().err
