"""The upkeep by a service's policy: what is deleted is told on the ledger once, and its labels go with it."""

import json
import os
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.adapters.prediction_log.test_segments import record
from tests.serving.stage import CONTRACT, SERVICE, until

from flyball.adapters.clock import SystemClock
from flyball.adapters.prediction_log import repairs
from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.labels import BOOK, SqliteLabels, labels_of
from flyball.adapters.prediction_log.repairs import RepairHeader, keep_repair
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.adapters.prediction_log.upkeep import Upkeep
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of, open_ledger, recorder
from flyball.app.wiring.loop import beside_log, log_keeping
from flyball.core.events import IncidentOpened
from flyball.core.facts.storage import StorageCollected
from flyball.core.ids import ServiceName
from flyball.core.log_tables import log_tables
from flyball.core.prediction import LabelRecord

DAY_S = 86_400.0
NOW = 20_000 * DAY_S + 3_600


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service with ten days of log, three panes a day, a label a pane; it keeps four days."""
    folder = tmp_path / "shop"
    folder.mkdir()
    text = SERVICE.replace("serving:\n", "serving:\n  log: {retention_s: 4d}\n")
    (folder / "service.yaml").write_text(text)
    (folder / "contract.yaml").write_text(CONTRACT)
    (folder / "model.py").write_text("def train(features, label, *, config, seed): ...\n")
    (folder / "orders.csv").write_text("card,amount,items,fraud\nc,1.0,1,0\n")
    declared = load(folder)
    telemetry = Home(tmp_path / "home").telemetry("shop")
    log = SegmentLog(telemetry, "shop", log_tables(declared.contract, label="fraud", task="binary"))
    with closing(SqliteLabels(telemetry / BOOK)) as book:
        for index in range(30):
            at = NOW - (9 - index // 3) * DAY_S
            log.append(index, [record(index, at=at, features={"amount": 1.0})], [])
            book.put([LabelRecord(id=f"s.{index}", label=1, at=at)])
            log.seal(index, start=at, end=at + 5, received=1, labels=book.take(index))
    monkeypatch.setattr(log_keeping, "_now", lambda: NOW)
    return tmp_path


def panes(home: Home) -> list[int]:
    return [segment.pane.index for segment in Segments(home.telemetry("shop").parent).sealed("shop", -1)]


def told(home: Home) -> list[str]:
    with closing(open_ledger(home, told=False)) as ledger:
        facts = [entry.fact for entry in ledger.read() if isinstance(entry.fact, StorageCollected)]
    return [each.name for fact in facts for each in fact.deleted]


def test_the_verb_says_first_and_then_does(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["predictions", "tidy", str(shop / "shop"), "--home", str(shop / "home"), "--json"]
    home = Home(shop / "home")
    assert run([*words, "--dry-run"]) == 0
    (would,) = json.loads(capfd.readouterr().out)["services"]
    assert panes(home) == list(range(30))
    assert run(words) == 0
    (did,) = json.loads(capfd.readouterr().out)["services"]
    assert did["deleted"] == would["deleted"] == [f"{index:010d}" for index in range(15)]
    assert did["bytes"] == would["bytes"] > 0
    assert did["merged"] == 4  # of four whole days that are left, the running one is not over
    assert panes(home) == list(range(15, 30))
    assert told(home) == [f"telemetry/shop/{index:010d}" for index in range(15)]
    folder = home.telemetry("shop")
    assert [bool(labels_of(folder, f"s.{index}")) for index in (0, 14, 15, 29)] == [False, False, True, True]
    assert run(words) == 0
    (again,) = json.loads(capfd.readouterr().out)["services"]
    assert (again["merged"], again["deleted"]) == (0, [])


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("point", ["_tell", "remove", "forget"])
def test_killed_between_any_two_of_its_acts_it_tells_once_and_finishes(
    shop: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    home, service = Home(shop / "home"), load(shop / "shop").service

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with closing(recorder(home.made())) as ledger:
        with monkeypatch.context() as patch:
            if point == "_tell":
                patch.setattr(log_keeping, "_tell", killed)
            elif point == "remove":
                patch.setattr(Upkeep, "remove", killed)
            else:
                patch.setattr(SqliteLabels, "forget", killed)
            with pytest.raises(Killed):
                log_keeping.keep(home, service, ledger)
        assert panes(home) == list(range(15, 30))
        log_keeping.keep(home, service, ledger)
    assert told(home) == [f"telemetry/shop/{index:010d}" for index in range(15)]
    assert panes(home) == list(range(15, 30))
    assert not labels_of(home.telemetry("shop"), "s.14")
    assert not [path.name for path in home.telemetry("shop").iterdir() if path.name.startswith(".")]


def test_the_controllers_thread_does_it_too_and_goes_on_after_a_fault(
    shop: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = Home(shop / "home")
    monkeypatch.setattr(log_keeping, "FIRST_S", 0.0)
    monkeypatch.setattr(log_keeping, "EVERY_S", 0.01)
    stopping = threading.Event()
    with closing(recorder(home.made())) as ledger:
        files = [shop / "nowhere", shop / "shop"]
        thread = threading.Thread(target=log_keeping.keep_all, args=(files, home, ledger, stopping))
        thread.start()
        until(lambda: len(told(home)) == 15, "what is over is told")
        until(lambda: len(sealed(home.telemetry("shop"))) < 15, "what is left is merged")
        stopping.set()
        thread.join()
    assert panes(home) == list(range(15, 30))
    assert capfd.readouterr().err.count("cannot be tidied up now") == 1


class At(SystemClock):
    """A clock that stands still."""

    def __init__(self, at: float) -> None:
        self._at = at

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._at, UTC)


def opened(home: Home, incident: str, *, days_ago: int, service: str = "shop") -> Path:
    """An incident on the ledger, with what was kept of it; returns the file of its example rows."""
    fact = IncidentOpened(service=ServiceName(service), incident=incident, kind="health", reason="r")
    with ledger_of(home.made(), clock=At(NOW - days_ago * DAY_S)) as ledger:
        ledger.append([fact])
    folder = home.incident(incident)
    folder.mkdir(parents=True)
    for name in ("manifest.json", "health.json", "examples.parquet", ".examples.parquet.7.draft"):
        (folder / name).write_bytes(b"12345")
    return folder / "examples.parquet"


def repaired(home: Home, name: str, *, since: float, until: float) -> Path:
    header = RepairHeader(backfill=f"sha256:{name}", since=since, until=until, output="sha256:0", rows=1)
    keep_repair(home.telemetry("shop"), header, b"rows")
    return home.telemetry("shop") / "repairs" / name


OLD = ("incidents/in-old/examples.parquet", "telemetry/shop/repairs/aa")


def beside(home: Home) -> dict[str, Path]:
    """Examples and repairs, of which only the first of each are beyond four whole days."""
    return {
        "in-old": opened(home, "in-old", days_ago=5),
        "in-young": opened(home, "in-young", days_ago=4),
        "in-other": opened(home, "in-other", days_ago=5, service="other"),
        "aa": repaired(home, "aa", since=NOW - 5 * DAY_S, until=NOW - 5 * DAY_S + 3),
        "bb": repaired(home, "bb", since=NOW - 5 * DAY_S, until=NOW - 4 * DAY_S + 3),
    }


def test_rows_of_clients_beside_the_log_go_by_its_retention_too(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    home = Home(shop / "home")
    there = beside(home)
    words = ["predictions", "tidy", str(shop / "shop"), "--home", str(home.root), "--json"]
    assert run([*words, "--dry-run"]) == 0
    (would,) = json.loads(capfd.readouterr().out)["services"]
    assert all(path.exists() for path in there.values())
    assert run(words) == 0
    (did,) = json.loads(capfd.readouterr().out)["services"]
    assert did["beside"] == would["beside"] == list(OLD)
    assert did["bytes"] == would["bytes"]
    assert [name for name, path in there.items() if not path.exists()] == ["in-old", "aa"]
    left = {path.name for path in home.incident("in-old").iterdir()}
    assert left == {"manifest.json", "health.json"}
    assert told(home)[-2:] == list(OLD)
    assert run(words) == 0
    assert json.loads(capfd.readouterr().out)["services"][0]["beside"] == []
    assert len(told(home)) == 17


def test_without_a_retention_nothing_beside_the_log_goes(shop: Path) -> None:
    home, file = Home(shop / "home"), shop / "shop" / "service.yaml"
    there = beside(home)
    file.write_text(file.read_text().replace("  log: {retention_s: 4d}\n", ""))
    with closing(recorder(home)) as ledger:
        log_keeping.keep(home, load(shop / "shop").service, ledger)
    assert all(path.exists() for path in there.values())
    assert told(home) == []


@pytest.mark.parametrize("point", ["_tell", "unlink", "remove_repair", "sweep_repairs"])
def test_killed_at_what_lies_beside_the_log_it_tells_once_and_finishes(
    shop: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    home, service = Home(shop / "home"), load(shop / "shop").service
    there = beside(home)

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with closing(recorder(home)) as ledger:
        with monkeypatch.context() as patch:
            if point == "unlink":
                patch.setattr(Path, "unlink", killed)
            else:
                patch.setattr(repairs if point == "sweep_repairs" else beside_log, point, killed)
            with pytest.raises(Killed):
                log_keeping.keep(home, service, ledger)
        log_keeping.keep(home, service, ledger)
    assert [name for name, path in there.items() if not path.exists()] == ["in-old", "aa"]
    assert [path.name for path in there["bb"].parent.iterdir()] == ["bb"]
    assert told(home)[15:] == list(OLD)


def test_a_repair_stays_as_long_as_rows_that_it_stands_for(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest folder of a log is never deleted: read without their repair, its rows would be wrong again."""
    home, service = Home(shop / "home"), load(shop / "shop").service
    of_newest = repaired(home, "cc", since=NOW, until=NOW + 5)
    before = repaired(home, "dd", since=NOW - DAY_S, until=NOW - DAY_S + 5)
    monkeypatch.setattr(log_keeping, "_now", lambda: NOW + 100 * DAY_S)
    with closing(recorder(home.made())) as ledger:
        log_keeping.keep(home, service, ledger)
    assert panes(home) == [29]
    assert (of_newest.exists(), before.exists()) == (True, False)


def test_a_torn_repair_goes_by_when_it_was_written(shop: Path) -> None:
    home, service = Home(shop / "home"), load(shop / "shop").service
    old, young = (repaired(home, name, since=0, until=1) for name in ("ee", "ff"))
    for path, at in ((old, NOW - 6 * DAY_S), (young, NOW - DAY_S)):
        (path / "repair.json").unlink()
        for each in (path / "rows.parquet", path):
            os.utime(each, (at, at))
    with closing(recorder(home.made())) as ledger:
        log_keeping.keep(home, service, ledger)
    assert (old.exists(), young.exists()) == (False, True)


def test_example_rows_go_also_where_the_log_itself_is_gone(tmp_path: Path, shop: Path) -> None:
    home = Home(tmp_path / "elsewhere")
    rows = opened(home, "in-old", days_ago=5)
    with closing(recorder(home)) as ledger:
        kept = log_keeping.keep(home, load(shop / "shop").service, ledger)
    assert (kept.beside, rows.exists()) == (OLD[:1], False)
