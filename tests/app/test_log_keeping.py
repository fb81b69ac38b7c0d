"""The upkeep by a service's policy: what is deleted is told on the ledger once, and its labels go with it."""

import json
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.adapters.prediction_log.test_segments import record
from tests.serving.stage import CONTRACT, SERVICE, until

from flyball.adapters.prediction_log.files import sealed
from flyball.adapters.prediction_log.labels import BOOK, SqliteLabels, labels_of
from flyball.adapters.prediction_log.segments import SegmentLog, Segments
from flyball.adapters.prediction_log.upkeep import Upkeep
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger, recorder
from flyball.app.wiring.loop import log_keeping
from flyball.core.log_tables import log_tables
from flyball.core.prediction import LabelRecord
from flyball.core.storage_facts import StorageCollected

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
