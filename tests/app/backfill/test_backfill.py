"""A backfill of a real home: checked, done once, repaired after any crash, seen by monitor, trainings and lineage."""

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from tests.app.monitor.watched_home import START, champion, logged, made, traffic, watched

from flyball.adapters.prediction_log.labels import BOOK, SqliteLabels, labels_of
from flyball.adapters.prediction_log.pane_states import STATES, buckets_between, series_of
from flyball.adapters.prediction_log.query import tables
from flyball.adapters.prediction_log.segments import Segments
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.asking.lineage import trace
from flyball.app.wiring.backfill import doing
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.app.wiring.loop.learner import without
from flyball.app.wiring.loop.mended import Mended, backfills_of, repairs_of
from flyball.app.wiring.loop.promises import promises
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.control.reconcile.tallies import Tallies, fallbacks, unanswered
from flyball.control.state.healing_state import KeptOut
from flyball.core import events as e
from flyball.core.declared.objectives import Events, Objective
from flyball.core.ids import Digest, ServiceName
from flyball.core.prediction import LabelRecord
from flyball.core.release import Snapshot
from flyball.decide.health import Counted
from flyball.monitor.slis import events_of
from flyball.monitor.state.binary import decoded
from flyball.monitor.state.frame import frame
from flyball.monitor.watch import Watcher

ROWS, FIRST, LAST = 1200, 400, 800  # rows of the log; of them with another unit
Said = Callable[..., tuple[int, Any]]


def right() -> pl.DataFrame:
    return traffic(ROWS)


def wrong() -> pl.DataFrame:
    at = pl.int_range(pl.len())
    return right().with_columns(
        amount=pl.when((at >= FIRST) & (at < LAST)).then(pl.col("amount") * 100).otherwise("amount")
    )


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A service whose amounts came in another unit for a while, watched by its monitor; and one that was never ill."""
    folder = tmp_path_factory.mktemp("lived")
    home = made(folder)
    shutil.copytree(folder, folder.with_name("well"))
    logged(home, wrong())
    watched(home)
    well = Home(folder.with_name("well") / "home")
    logged(well, right())
    watched(well)
    return folder


@pytest.fixture
def place(lived: Path, tmp_path: Path) -> Path:
    """A copy of it, and the repaired table."""
    copy = tmp_path / "lived"
    shutil.copytree(lived, copy)
    ids = log(Home(copy / "home"))["id"][FIRST:LAST]
    right()[FIRST:LAST].with_columns(ids.alias("id")).drop("is_fraud").write_parquet(copy / "rows.parquet")
    return copy


def log(home: Home) -> pl.DataFrame:
    return tables(home.telemetry("fraud"), ("predictions",))["predictions"].sort("at").collect()


@pytest.fixture
def said(place: Path, capfd: pytest.CaptureFixture[str]) -> Said:
    def answer(*words: str, since: int = FIRST, until: int = LAST) -> tuple[int, Any]:
        span = [f"--since={START + since}", f"--until={START + until}"]
        home = str(place / "home")
        code = run(["backfill", str(place / "fraud"), *span, *words, "--home", home, "--json"])
        return code, json.loads(capfd.readouterr().out)

    return answer


def facts(home: Home) -> list[e.AnyFact]:
    with closing(open_ledger(home)) as ledger:
        return [entry.fact for entry in ledger.read()]


def log_of(home: Home) -> Mended:
    with closing(open_ledger(home)) as ledger:
        done = backfills_of(ledger, "fraud")
    return Mended(Segments(home.telemetry("fraud").parent), repairs_of(home.telemetry("fraud"), done))


def amounts(home: Home) -> dict[float, list[int]]:
    """Counts of the amount on the champion's bins, by bucket."""
    root, path = champion(home), home.telemetry("fraud") / STATES
    series = series_of(path, root, "champion")
    assert series is not None
    mine = frame(promises(ReleaseStore(home))(root).baseline, series.without)
    part = mine.parts["feature", "amount"]
    found = buckets_between(path, series.name, START - 600, START + 2 * ROWS)
    return {start: decoded(state, mine).counts[part.place].tolist() for start, _, state in found}


def test_a_dry_run_counts_and_changes_nothing(place: Path, said: Said) -> None:
    home = Home(place / "home")
    before = facts(home), amounts(home)
    code, document = said("--rows", str(place / "rows.parquet"), "--dry-run")
    assert code == 0
    assert (document["rows"], document["originals"], document["left_out"]) == (LAST - FIRST, LAST - FIRST, 0)
    assert (document["missing"], document["warning"]) == ([], "")
    assert not document["done"]
    assert (facts(home), amounts(home)) == before
    assert not (home.telemetry("fraud") / "repairs").exists()


def test_the_counts_become_those_of_a_service_that_was_never_ill(lived: Path, place: Path, said: Said) -> None:
    home, well = Home(place / "home"), Home(lived.with_name("well") / "home")
    assert amounts(home) != amounts(well)
    code, document = said("--rows", str(place / "rows.parquet"))
    assert (code, document["done"]) == (0, True)
    assert document["panes"] >= 2
    assert amounts(home) == amounts(well)
    again, told = said("--rows", str(place / "rows.parquet"))
    assert (again, told["done"]) == (0, False)
    assert "done before" in told["why"]
    assert len([fact for fact in facts(home) if isinstance(fact, e.BackfillDone)]) == 1


def captured(home: Home, folder: Path, labels: pl.DataFrame) -> pl.DataFrame:
    """What a training would be given: the log fed to a monitor, with a label for every row."""
    declared = load(folder)
    watcher = Watcher(declared.service, declared.contract, promises(ReleaseStore(home)))
    root = champion(home)
    told = [LabelRecord(id=id_, label=label, at=START + 2 * ROWS) for id_, label in labels.iter_rows()]
    for segment in log_of(home).sealed("fraud", -1):
        watcher.feed(segment, champion=root)
    watcher._rows.label(told)
    found = watcher.captured(10 * ROWS)
    assert found is not None
    return found


def test_what_clients_got_stays_what_it_was(place: Path, said: Said) -> None:
    """Red before: repaired rows were counted as answered by the chain, and a false ticket of it came; an objective of
    accepted inputs was whole again, and what it had frozen thawed."""
    home = Home(place / "home")
    goals = [Objective(name="answered", sli="inputs", target=0.9), Objective(name="up", sli="availability", target=0.9)]

    def came() -> list[tuple[Counted, Counted, dict[str, Events]]]:
        found = []
        for segment in log_of(home).sealed("fraud", -1):
            tallies = Tallies()
            tallies.take(segment, keep_s=1e9, first_rows=0, levels=())
            panes = tuple(tallies.panes)
            found.append((fallbacks(panes), unanswered(panes), events_of(segment.as_it_came, goals, None)))
        return found

    before = came()
    assert said("--rows", str(place / "rows.parquet"))[1]["done"]
    assert any(segment.came is not None for segment in log_of(home).sealed("fraud", -1))
    assert came() == before


def test_trainings_are_given_the_repaired_rows_in_the_place_of_those_that_came(place: Path, said: Said) -> None:
    home = Home(place / "home")
    labels = log(home).select("id").with_columns(right()["is_fraud"].alias("label"))
    ill = captured(home, place / "fraud", labels)
    assert ill["amount"].max() == wrong()["amount"].max()
    table = pl.read_parquet(place / "rows.parquet")
    table[:-10].write_parquet(place / "rows.parquet")  # ten rows could not be repaired
    assert said("--rows", str(place / "rows.parquet"))[1]["left_out"] == 10
    found = captured(home, place / "fraud", labels)
    assert found.height == ROWS - 10
    expected = pl.concat([right()[: LAST - 10], right()[LAST:]])
    assert_frame_equal(found.select("amount", "is_fraud"), expected.select("amount", "is_fraud"))
    mended = log_of(home)
    (digest,) = mended.inside(found)
    assert mended.inside(found[:10]) == ()
    assert digest.startswith("sha256:")
    quarantined = without(found, "flyball.row", [KeptOut(first=0)], repaired=mended.repaired(found))
    assert_frame_equal(quarantined.select("amount"), right()[FIRST : LAST - 10].select("amount"))


def test_rows_that_the_table_lacks_are_named_with_what_to_do_until_somebody_says_that_they_are_lost(
    place: Path, said: Said, capfd: pytest.CaptureFixture[str]
) -> None:
    home, rows = Home(place / "home"), str(place / "rows.parquet")
    pl.read_parquet(rows)[:-10].write_parquet(rows)
    came = log(home)[LAST - 10 : LAST]
    code, document = said("--rows", rows)
    assert (code, document["left_out"], document["rest_is_lost"]) == (0, 10, False)
    assert document["missing"] == [{"id": i, "key": k} for i, k in came.select("id", "unit").head(5).iter_rows()]
    (done,) = [fact for fact in facts(home) if isinstance(fact, e.BackfillDone)]
    assert (done.left_out, done.missing, done.rest_is_lost) == (10, tuple(came["id"][:5]), False)
    span = [f"--since={START + FIRST}", f"--until={START + LAST}", "--rows", rows, "--home", str(home.root)]
    assert run(["backfill", str(place / "fraud"), *span]) == 0
    told = capfd.readouterr().out
    assert f"warning: 10 of the {LAST - FIRST} rows of the span are not in the table: " in told
    assert came["id"][0] in told
    assert "--rest-is-lost" in told
    assert said("--rows", rows, "--rest-is-lost")[1]["done"]
    newest = [fact for fact in facts(home) if isinstance(fact, e.BackfillDone)][-1]
    assert (newest.left_out, newest.rest_is_lost) == (10, True)


def test_labels_of_the_span_go_to_the_book_once_and_a_correction_replaces_what_stood(place: Path, said: Said) -> None:
    home = Home(place / "home")
    ids = log(home)["id"][FIRST : FIRST + 5]
    with closing(SqliteLabels(home.telemetry("fraud") / BOOK)) as book:
        book.put([LabelRecord(id=ids[0], label=False, at=START)])
    pl.DataFrame({"id": ids, "label": [True] * 5}).write_csv(place / "labels.csv")
    code, document = said("--labels", str(place / "labels.csv"))
    assert code == 0
    assert (document["labels"], document["new_labels"], document["corrected_labels"]) == (5, 4, 1)
    assert labels_of(home.telemetry("fraud"), ids[0])[-1].label is True
    assert said("--labels", str(place / "labels.csv"))[1]["done"] is False


@pytest.mark.parametrize("at", [9e9, -1.0, "tomorrow"])
def test_a_label_that_was_known_at_no_time_that_has_come_is_refused(place: Path, said: Said, at: object) -> None:
    """Red before: one of the future was taken, and the pane of it stood before everything until then."""
    ids = log(Home(place / "home"))["id"][FIRST : FIRST + 2]
    pl.DataFrame({"id": ids, "label": [True, False], "at": [at, at]}).write_parquet(place / "labels.parquet")
    code, document = said("--labels", str(place / "labels.parquet"))
    assert code == 2
    (fault,) = document["error"]["faults"]
    assert fault["path"] == "at"
    assert str(at)[:4] in fault["found"]


def test_rows_that_violate_the_contract_are_refused_whole(place: Path, said: Said) -> None:
    table = pl.read_parquet(place / "rows.parquet").with_columns(amount=pl.lit(-1.0))
    table.write_parquet(place / "rows.parquet")
    code, document = said("--rows", str(place / "rows.parquet"))
    assert (code, document["done"]) == (1, False)
    assert document["broken"]
    assert not any(isinstance(fact, e.BackfillDone) for fact in facts(Home(place / "home")))


def test_all_faults_of_the_tables_are_told_at_once(place: Path, said: Said) -> None:
    table = pl.read_parquet(place / "rows.parquet")
    pl.concat([table, table[:1]]).write_parquet(place / "twice.parquet")
    pl.DataFrame({"id": ["fraud.nobody"], "label": [True]}).write_csv(place / "labels.csv")
    code, document = said("--rows", str(place / "twice.parquet"), "--labels", str(place / "labels.csv"))
    assert code == 2
    told = json.dumps(document["error"]["faults"])
    assert "each row once" in told
    assert "fraud.nobody" in told
    assert said()[0] == 2  # neither rows nor labels
    assert said("--rows", str(place / "rows.parquet"), since=LAST, until=FIRST)[0] == 2
    assert said("--rows", str(place / "rows.parquet"), until=10 * ROWS)[0] == 2
    table.drop("id").write_parquet(place / "keyless.parquet")
    assert said("--rows", str(place / "keyless.parquet"))[0] == 2  # cards that came more than once
    assert said("--rows", str(place / "rows.parquet"), "--incident", "in-nothing")[0] == 2


def test_the_names_that_the_log_gives_the_inputs_do_as_well_and_an_input_that_lacks_is_told(
    place: Path, said: Said
) -> None:
    table = pl.read_parquet(place / "rows.parquet")
    inputs = [name for name in table.columns if name != "id"]
    table.rename({name: f"x.{name}" for name in inputs}).write_parquet(place / "logged.parquet")
    _, plain = said("--rows", str(place / "rows.parquet"), "--dry-run")
    code, logged_names = said("--rows", str(place / "logged.parquet"), "--dry-run")
    assert (code, logged_names["rows"], logged_names["broken"]) == (0, plain["rows"], {})
    table.select("id").write_parquet(place / "bare.parquet")
    code, document = said("--rows", str(place / "bare.parquet"), "--dry-run")
    assert (code, {fault["path"] for fault in document["error"]["faults"]}) == (2, set(inputs))
    table.with_columns(pl.col("amount").alias("x.amount")).write_parquet(place / "both.parquet")
    assert said("--rows", str(place / "both.parquet"), "--dry-run")[0] == 2


def test_a_span_is_told_in_times_together_with_a_file_that_is_not_there(place: Path, said: Said) -> None:
    code, document = said("--rows", str(place / "nowhere.parquet"), until=10 * ROWS)
    faults = document["error"]["faults"]
    assert code == 2
    assert faults[0]["found"] == "a later one"
    assert faults[0]["path"].startswith("2026-09-21T")
    assert "2026-09-21T" in faults[0]["expected"]
    assert "nowhere.parquet" in json.dumps(faults[1])


def test_a_service_of_another_name_is_not_the_one_of_the_home(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "home").rename(place / "fraud" / ".flyball")
    home, rows = str(place / "fraud" / ".flyball"), str(place / "rows.parquet")
    words = [f"--since={START + FIRST}", f"--until={START + LAST}", "--rows", rows, "--home", home, "--json"]
    assert run(["backfill", "frud", *words]) == 2
    document = json.loads(capfd.readouterr().out)["error"]
    assert "frud" in document["message"]
    assert "fraud" in document["hint"]
    assert run(["backfill", "fraud", *words]) == 0


class Killed(BaseException):
    """No code of ours catches it."""


@pytest.mark.parametrize("point", ["before the rows", "after the rows", "after the labels", "before the fact"])
def test_killed_between_any_two_steps_running_it_again_ends_as_if_nothing_had_been(
    point: str, lived: Path, place: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(place / "home")
    ids = log(home)["id"][FIRST : FIRST + 5]
    pl.DataFrame({"id": ids, "label": [True] * 5}).write_csv(place / "labels.csv")
    words = ("--rows", str(place / "rows.parquet"), "--labels", str(place / "labels.csv"))

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        match point:
            case "before the rows":
                patched.setattr(doing, "keep_repair", die)
            case "after the rows":
                patched.setattr(doing, "SqliteLabels", die)
            case "after the labels":
                patched.setattr(doing, "recount", die)
            case _:
                patched.setattr(doing, "ServiceName", die)
        with pytest.raises(Killed):
            said(*words)
    assert not any(isinstance(fact, e.BackfillDone) for fact in facts(home))
    assert list(log_of(home).inside(pl.DataFrame({"flyball.at": [START + FIRST]}))) == []
    code, document = said(*words)
    assert (code, document["done"]) == (0, True)
    assert amounts(home) == amounts(Home(lived.with_name("well") / "home"))
    assert [label.label for label in labels_of(home.telemetry("fraud"), ids[0])] == [True]
    assert said(*words)[1]["done"] is False


def test_lineage_leads_from_a_snapshot_to_the_repaired_table(place: Path, said: Said) -> None:
    home = Home(place / "home")
    _, document = said("--rows", str(place / "rows.parquet"))
    snapshot = Snapshot(
        root=Digest("sha256:" + "9" * 64), files=(), rows=1, source="captured", backfills=(document["backfill"],)
    )
    with ledger_of(home) as ledger:
        ledger.append([e.SnapshotTaken(service=ServiceName("fraud"), snapshot=snapshot)])
    found = trace(home, "9" * 64, limit=50)
    kinds = {(edge.relation, edge.target.partition("/")[0]) for edge in found.origins.edges}
    assert {("mended_by", "backfill"), ("read", "file")} <= kinds
    assert f"file/{document['source']}" in {node.id for node in found.origins.nodes}
