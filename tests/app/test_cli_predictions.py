"""`flyball predictions`: rows by SQL and by options, one with its pair and its labels, faults told plainly."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from flyball.adapters.prediction_log.labels import SqliteLabels
from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.app.cli.main import run
from flyball.core.log_tables import LogTables
from flyball.core.prediction import LabelRecord, PredictionRecord, ShadowRecord

TABLES = LogTables(features={"amount": pl.Float64()}, answer=pl.Int64())
START = 1_790_000_000.0
MOMENT = datetime.fromtimestamp(START + 93, UTC).isoformat()


def record(number: int) -> PredictionRecord:
    at = START + number
    arm = "candidate" if number % 4 == 0 else "champion"
    return PredictionRecord(
        id=f"shop.{int(at * 1000):012x}{number:026x}",
        at=at,
        unit=f"c{number}",
        arm=arm,
        release="sha256:bb02" if arm == "candidate" else "sha256:aa01",
        epoch=1,
        outcome="answered",
        prediction=number % 2,
        score=number / 100,
        features={"amount": float(number)},
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """100 rows in 4 sealed panes and an open one; a shadow pair, and labels of the first ten rows."""
    folder = tmp_path / "telemetry" / "shop"
    log = SegmentLog(folder, "shop", TABLES)
    book = SqliteLabels(folder / "labels.db")
    for pane in range(5):
        rows = [record(number) for number in range(20 * pane, 20 * pane + 20)]
        pair = ShadowRecord(
            id=rows[0].id,
            at=rows[0].at,
            release="sha256:bb02",
            epoch=1,
            error=False,
            slow=False,
            prediction=1,
            score=0.9,
        )
        log.append(pane, rows, [pair])
        if pane == 1:
            book.put([LabelRecord(id=record(n).id, label=n % 2, at=START + n + 60) for n in range(10)])
            book.put([LabelRecord(id=record(0).id, label=1, at=START + 90)])
        if pane < 4:
            log.seal(pane, start=rows[0].at, end=rows[-1].at, received=20, labels=book.take(pane))
    book.close()
    return tmp_path


def asked(capfd: pytest.CaptureFixture[str], home: Path, *words: str, code: int = 0) -> Any:
    assert run(["predictions", *words, "--home", str(home), "--json"]) == code
    return json.loads(capfd.readouterr().out)


def numbers(found: Any) -> list[int]:
    return [int(row["x.amount"]) for row in found["rows"]]


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (["--limit", "3"], [99, 98, 97]),
        (["--where", "score > 0.95 AND prediction = 1"], [99, 97]),
        (["--where", '"x.amount" = 42'], [42]),
        (["--arm", "candidate", "--limit", "2"], [96, 92]),
        (["--release", "aa", "--limit", "1"], [99]),
        (["--release", "sha256:bb02", "--since", MOMENT], [96]),
        (["--until", str(START + 2)], [1, 0]),
    ],
)
def test_rows_are_chosen_by_what_they_are(
    home: Path, capfd: pytest.CaptureFixture[str], words: list[str], rows: list[int]
) -> None:
    found = asked(capfd, home, "query", "shop", *words)
    assert (found["service"], numbers(found)) == ("shop", rows)


def test_sql_joins_predictions_with_their_labels_and_counts_sealed_and_open_rows(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    sql = """SELECT p.arm, count(*) AS n FROM predictions p JOIN labels l ON p.id = l.id
             WHERE l.label = p.prediction GROUP BY p.arm ORDER BY p.arm"""
    assert asked(capfd, home, "query", "--sql", sql)["rows"] == [
        {"arm": "candidate", "n": 3},
        {"arm": "champion", "n": 7},
    ]
    assert asked(capfd, home, "query", "--sql", "SELECT count(*) AS n FROM predictions")["rows"] == [{"n": 100}]
    assert asked(capfd, home, "query", "--sql", "SELECT count(*) AS n FROM shadows")["rows"] == [{"n": 5}]


def test_whether_there_is_more_is_said_and_a_file_takes_all(
    home: Path, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    found = asked(capfd, home, "query", "--columns", "id, score")
    assert (found["columns"], len(found["rows"]), found["more"]) == (["id", "score"], 50, True)
    assert not asked(capfd, home, "query", "--limit", "100")["more"]
    out = tmp_path / "rows.parquet"
    assert asked(capfd, home, "query", "--out", str(out))["rows"] == 100
    assert pl.read_parquet(out)["x.amount"].to_list() == [float(n) for n in range(100)]


def test_people_get_a_table_with_the_time_as_they_read_it(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["predictions", "query", "--home", str(home), "--limit", "1"]) == 0
    text = capfd.readouterr().out
    assert record(99).id in text
    assert datetime.fromtimestamp(START + 99, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z") in text
    assert "champion" in text
    assert "there are more" in text


def test_one_prediction_is_shown_with_its_pair_its_labels_and_their_delay(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = asked(capfd, home, "show", record(0).id)
    assert found["record"]["x.amount"] == 0.0
    assert [(pair["release"], pair["prediction"]) for pair in found["shadows"]] == [("sha256:bb02", 1)]
    assert [label["label"] for label in found["labels"]] == [0, 1]
    assert found["label_delay_s"] == 60.0
    newest = asked(capfd, home, "show", record(99).id)
    assert (newest["record"]["unit"], newest["labels"], newest["label_delay_s"]) == ("c99", [], None)
    assert run(["predictions", "show", record(1).id, "--home", str(home)]) == 0
    assert "label delay" in capfd.readouterr().out


def test_the_summary_counts_rows_and_labels_and_measures_their_delay(
    home: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    found = asked(capfd, home, "summary", "--label-window", "59s")
    assert (found["rows"], found["outcomes"], found["last_at"]) == (100, {"answered": 100}, START + 99)
    assert (found["labelled"], found["corrected"], found["late"]) == (10, 1, 10)
    assert found["label_delay_s"] == {"p50": 60.0, "p90": 60.0, "p99": 60.0}
    assert asked(capfd, home, "summary", "--label-window", "2m")["late"] == 0
    few = asked(capfd, home, "summary", "--since", str(START + 5), "--until", str(START + 15))
    assert (few["rows"], few["labelled"], few["late"]) == (10, 5, None)
    assert run(["predictions", "summary", "--home", str(home)]) == 0
    assert "10 with a label, 1 of them corrected; delay p50 60 s" in capfd.readouterr().out
    nothing = asked(capfd, home, "summary", "--until", "1971-01-01")
    assert (nothing["rows"], nothing["first_at"], nothing["label_delay_s"]["p50"]) == (0, None, None)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["query", "nobody"], "no prediction log of nobody"),
        (["query", "--where", "scoer > 1"], "scoer"),
        (["query", "--sql", "SELEC 1"], "--sql"),
        (["query", "--columns", "id,nothing"], "nothing"),
        (["query", "--since", "yesterday"], "yesterday"),
        (["summary", "--label-window", "soon"], "a duration"),
        (["query", "--limit", "0"], "at least 1"),
        (["query", "--out", "/proc/nowhere/x.parquet"], "can be written"),
        (["show", "shop.0123"], "no prediction"),
        (["show", "shop."], "Several predictions"),
    ],
)
def test_faults_are_told_with_what_was_expected(
    home: Path, capfd: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert said in json.dumps(asked(capfd, home, *words, code=2))


def test_of_several_logs_one_has_to_be_named(home: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (home / "telemetry" / "other").mkdir()
    assert "other, shop" in json.dumps(asked(capfd, home, "query", code=2))
