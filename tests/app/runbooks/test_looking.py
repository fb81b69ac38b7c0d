"""Every read-only command of every runbook is run on a real small home: a trained service, traffic, an incident."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.app.monitor import watched_home
from tests.pipeline.fraud import transactions

from flyball.app.cli.main import run
from flyball.app.cli.parsed import fault_of
from flyball.app.runbooks.resolving import resolved
from flyball.app.runbooks.shelf import runbook, shelf
from flyball.app.runbooks.subject import subject_of
from flyball.app.wiring.ledger import ledger_of
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.ids import ServiceName


def test_what_only_looks_answers_on_a_real_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    home = watched_home.made(tmp_path)
    watched_home.logged(home, transactions(1000, seed=3), labelled=True)
    watched_home.watched(home)
    began = timestamp(datetime.fromtimestamp(watched_home.START + 100, UTC))
    opened = e.IncidentOpened(
        service=ServiceName("fraud"), incident="in-1", kind="health", reason="r", cause="errors", began=began
    )
    with ledger_of(home) as ledger:
        ledger.append([opened])
        _, values = subject_of(ledger, "fraud", None, book=runbook("bad-rollout"))
    assert (values["incident"], values["since"]) == ("in-1", began)
    monkeypatch.setenv("FLYBALL_HOME", str(home.root))
    monkeypatch.chdir(tmp_path)
    looked = {
        each.command: book.name
        for book in shelf().values()
        for each in resolved(book, values, fault_of)
        if not each.changing
    }
    assert len(looked) > 12
    answers = {command: run(shlex.split(command)[1:]) for command in looked}
    told = capfd.readouterr().err
    asks = {command for command in looked if "verify" in command or "--whether" in command}
    wrong = {command: code for command, code in answers.items() if code not in ((0, 1) if command in asks else (0,))}
    assert wrong == {}, told
