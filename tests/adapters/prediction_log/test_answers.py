"""The prediction log asked about answers: found by id in open and sealed panes, counted in few lines."""

from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from flyball.adapters.prediction_log.answers import Answers
from flyball.adapters.prediction_log.segments import SegmentLog
from flyball.core.log_tables import LogTables
from flyball.core.prediction import PredictionRecord

TABLES = LogTables(features={"x": pl.Float64()}, answer=pl.Int64())
START = 1_800_000_000.0


def record(number: int, release: str = "r1", **more: object) -> PredictionRecord:
    at = START + number
    fields = {"arm": "champion", "outcome": "answered", "answered_by": release, "prediction": 1} | more
    id_ = f"fraud.{int(at * 1000):012x}{number:026x}"
    return PredictionRecord(id=id_, at=at, unit="u", release=release, epoch=1, features={"x": 1.0}, **fields)  # type: ignore[arg-type]


def log(folder: Path, panes: list[list[PredictionRecord]], *, open_last: bool = True) -> Answers:
    segments = SegmentLog(folder / "fraud", "fraud", TABLES)
    for index, records in enumerate(panes):
        segments.append(index, records, ())
        if index + 1 < len(panes) or not open_last:
            start = records[0].at if records else START
            segments.seal(index, start=start, end=start + 10, received=None, labels=())
    segments.close()
    return Answers(folder)


def test_an_answer_is_found_in_a_sealed_and_in_the_open_pane_by_a_beginning_of_its_id(tmp_path: Path) -> None:
    records = [record(n) for n in range(6)]
    answers = log(tmp_path, [records[:2], records[2:4], records[4:]])
    assert answers.services() == ("fraud",)
    for number, one in enumerate(records):
        (found,) = answers.find("fraud", one.id)
        assert (found.id, found.at, found.pane, found.sealed) == (one.id, one.at, number // 2, number < 4)
        assert (found.prediction, found.answered_by) == ("1", "r1")
        assert answers.find("fraud", one.id[: 6 + 12 + 26])[0].id == one.id
    assert len(answers.find("fraud", "fraud.0", limit=3)) == 3
    assert answers.find("fraud", "fraud.ffffffffffff") == ()
    assert answers.find("nobody", "nobody.0123456789ab") == ()


def test_who_was_assigned_and_who_answered_are_counted_apart(tmp_path: Path) -> None:
    stood_in = record(3, "r2", arm="candidate", outcome="fallback", fallback="previous", answered_by="r1")
    answers = log(tmp_path, [[record(0), record(1)], [record(2), stood_in]])
    lines = {(each.release, each.answered_by, each.outcome): each for each in answers.given("fraud", ["r1"])}
    assert {key: line.predictions for key, line in lines.items()} == {
        ("r1", "r1", "answered"): 3,
        ("r2", "r1", "fallback"): 1,
    }
    own = lines["r1", "r1", "answered"]
    assert (own.first, own.last, own.first_at, own.last_at) == (record(0).id, record(2).id, START, START + 2)
    assert answers.given("fraud", ["r9"]) == ()
    assert answers.given("nobody", ["r1"]) == ()


def test_a_pane_from_before_the_column_has_none_of_it(tmp_path: Path) -> None:
    answers = log(tmp_path, [[record(0)]], open_last=False)
    file = tmp_path / "fraud" / "0000000000" / "predictions.parquet"
    pl.read_parquet(file).drop("answered_by").write_parquet(file)
    assert answers.find("fraud", record(0).id)[0].answered_by is None
    assert answers.given("fraud", ["r1"])[0].predictions == 1


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.sampled_from(["r1", "r2"]), max_size=4), min_size=1, max_size=5))
def test_counts_add_up_however_rows_fall_into_panes(tmp_path_factory: object, releases: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("log")  # type: ignore[attr-defined]
    number = iter(range(100))
    panes = [[record(next(number), release) for release in pane] for pane in releases]
    answers = log(folder, panes)
    counted = {each.release: each.predictions for each in answers.given("fraud", ["r1", "r2"])}
    rows = [release for pane in releases for release in pane]
    assert counted == {release: rows.count(release) for release in set(rows)}


def test_a_million_answers_of_one_release_are_one_line(tmp_path: Path) -> None:
    pane = tmp_path / "fraud" / "0000000000"
    log(tmp_path, [[record(0)]], open_last=False)
    one = pl.read_parquet(pane / "predictions.parquet")
    many = pl.concat([one] * 1000).sample(1_000_000, with_replacement=True, seed=1)
    many.with_columns(at=pl.col("at") + pl.int_range(pl.len())).write_parquet(pane / "predictions.parquet")
    (line,) = Answers(tmp_path).given("fraud", ["r1"])
    assert line.predictions == 1_000_000
