"""A keeper takes up what is declared anew: one start of its process, and never without a loop for a faulty file."""

import json
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.app.backfill.test_controller_reads_again import keeper_of
from tests.app.monitor.watched_home import logged, made, traffic
from tests.pipeline.fraud import opened

import flyball.control.plan as plan_file
from flyball.adapters.health_file import read_report
from flyball.app.cli.main import run
from flyball.app.declared import load
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.loop import keeper as keeping
from flyball.app.wiring.training.executors import Executors
from flyball.control.decision import Decision, Situation
from flyball.core import events as e
from flyball.core.ids import ServiceName
from flyball.core.watching import WindowReport
from flyball.monitor.watch import Watcher


def test_a_changed_file_that_cannot_be_read_leaves_the_loop_that_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(keeping, "BACK_OFF_S", 0.0)
    home, file = made(tmp_path), tmp_path / "fraud" / "service.yaml"
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        keeper.round()
        good = file.read_text() + "alerts: {on_call: [ada]}\nretrain: {cooldown_s: 77}\n"
        file.write_text(good)
        pipeline.declare(load(file))
        file.write_text(good.replace("retrain:", "retrian:"))
        for _ in range(3):
            keeper.round()
        held, kept_at = keeper.held(), keeper.kept_at
        assert held is not None, "it answers for its service"
        assert held[1].alerts is None
        assert kept_at is not None
        assert time.time() - kept_at < 60
        said = capfd.readouterr().err
        assert said.count("kept as it was declared before") == 1
        assert "retrian" in said
        file.write_text(good)
        keeper.round()
        held = keeper.held()
        assert held is not None
        assert held[1].retrain.cooldown_s == 77
        facts = [entry.fact for entry in ledger.read(subject="fraud")]
        assert sum(isinstance(fact, e.ProcessStarted) for fact in facts) == 1
        assert keeper.standing is not None
        assert "declaration" not in keeper.standing[0].decisions, "the wait is over"
        keeper.stop()
        keeper.join()


def test_a_planner_that_raises_silences_nobody_and_is_seen_by_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A real round: the page for a lost gateway goes out, the trace is in the log, and the service counts as kept."""

    def broken(situation: Situation) -> Decision | None:
        raise ZeroDivisionError("a fault of ours")

    home, file = made(tmp_path), tmp_path / "fraud" / "service.yaml"
    file.write_text(file.read_text() + "alerts: {on_call: [ada]}\n")
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        keeper.round()
        lost = e.CommandGivenUp(service=ServiceName("fraud"), key="route/fraud/9", kind="route", attempts=40, error="-")
        ledger.append([lost])
        capfd.readouterr()
        with monkeypatch.context() as bent:
            bent.setattr(plan_file, "plan_healing", broken)
            for _ in range(3):
                keeper.round()
            paged = [
                entry.fact.cause for entry in ledger.read(subject="fraud") if isinstance(entry.fact, e.AlertRaised)
            ]
            assert paged == ["command/route", "planner/healing"]
            assert keeper.kept_at is not None
            assert time.time() - keeper.kept_at < 60
            said = capfd.readouterr().err
            assert said.count("Traceback") == 1, "once, and not with each round"
            assert "ZeroDivisionError: a fault of ours" in said
            report = read_report(home.health("fraud"))
            assert report is not None
            assert report.failing == ("healing",)
            run(["status", "fraud", "--home", str(home.root), "--json"])
            (status,) = json.loads(capfd.readouterr().out)["services"]
            assert "ZeroDivisionError" in status["failing"]["healing"]
            assert any("planner of healing" in wait for wait in status["waiting_for"])
        for _ in range(2):
            keeper.round()
        report = read_report(home.health("fraud"))
        assert report is not None
        assert report.failing == ()
        keeper.stop()
        keeper.join()


def test_a_monitor_that_raises_is_seen_by_all_and_reads_all_anew_until_it_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A real round: it raised in the midst of a pane, so mending it is not enough, and the loop is built anew."""

    def broken(*_: object, **__: object) -> list[WindowReport]:
        raise ZeroDivisionError("a fault of ours")

    home, file = made(tmp_path), tmp_path / "fraud" / "service.yaml"
    file.write_text(file.read_text() + "alerts: {on_call: [ada]}\n")
    logged(home, traffic(300))
    trainer = Executors()
    with closing(trainer), opened(home.root, trainer) as pipeline, ledger_of(home) as ledger:
        keeper = keeper_of(tmp_path, home, pipeline, ledger)
        lost = e.CommandGivenUp(service=ServiceName("fraud"), key="route/fraud/9", kind="route", attempts=40, error="-")
        ledger.append([lost])
        with monkeypatch.context() as bent:
            bent.setattr(Watcher, "feed", broken)
            for _ in range(4):
                keeper.round()
        keeper.round()
        told = [entry.fact.cause for entry in ledger.read(subject="fraud") if isinstance(entry.fact, e.AlertRaised)]
        assert told == ["command/route", "planner/monitor"]
        assert keeper.kept_at is not None
        assert time.time() - keeper.kept_at < 60
        assert capfd.readouterr().err.count("Traceback") <= 2, "not with each round"
        report = read_report(home.health("fraud"))
        assert report is not None
        assert report.failing == ("monitor",), "half a pane is no answer"
        assert report.health.state == "UNKNOWN"
        run(["status", "fraud", "--home", str(home.root), "--json"])
        (status,) = json.loads(capfd.readouterr().out)["services"]
        assert "ZeroDivisionError" in status["failing"]["monitor"]
        assert any("the monitor does not fail" in wait for wait in status["waiting_for"])
        monkeypatch.setattr(keeping, "ANEW_S", 0.0)
        for _ in range(4):
            keeper.round()
        report = read_report(home.health("fraud"))
        assert report is not None
        assert report.failing == ()
        keeper.stop()
        keeper.join()
