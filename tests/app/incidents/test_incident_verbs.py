"""`flyball incident` as it is typed: a real ledger in a home, words, documents and exit codes."""

import os
import pwd
from contextlib import closing
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.app.said import Said, saying
from tests.control.world import NAME, first_champion

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.core import events as e

ME = pwd.getpwuid(os.getuid()).pw_name
HEALTH = e.IncidentOpened(service=NAME, incident="in-errors-1", kind="health", reason="errors are 3 %", cause="errors")
QUALITY = e.IncidentOpened(service=NAME, incident="in-q-7", kind="data_quality", reason="the unit changed", row=700)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home")
    monkeypatch.setenv("FLYBALL_HOME", str(made.root))
    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    declaration = {"metadata": {"name": NAME, "owner": "risk", "people": {ME: ["operator"]}}}
    with ledger_of(made) as ledger:
        ledger.append([replace(declared, declaration=declaration), *others, HEALTH, QUALITY])
    return made


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    return saying(capfd, "incident")


def test_they_are_listed_newest_first_and_those_that_are_closed_say_how(home: Home, said: Said) -> None:
    assert said("close", "in-errors-1", "--why", "known since yesterday")[0] == 0
    code, document = said("list")
    assert code == 0
    assert [one["incident"] for one in document["incidents"]] == ["in-q-7", "in-errors-1"]
    closed = document["incidents"][1]
    assert (closed["how"], closed["detected_s"], closed["recovered_s"]) == ("person", None, None)
    assert [one["incident"] for one in said("list", NAME, "--open")[1]["incidents"]] == ["in-q-7"]
    with closing(open_ledger(home)) as ledger:
        assert list(states_of(ledger)[NAME].incidents.open) == ["in-q-7"]


def test_closing_the_datas_quality_accepts_the_data_as_they_are(home: Home, said: Said) -> None:
    assert said("close", "in-q-7", "--why", "meant")[0] == 0
    with closing(open_ledger(home)) as ledger:
        state = states_of(ledger)[NAME]
    assert state.incident is None
    assert state.accepted is not None
    assert state.accepted.row == 700


def test_what_is_not_open_and_who_may_not_are_refused(home: Home, said: Said) -> None:
    assert said("close", "in-nothing", "--why", "x")[0] == 2
    assert said("close", "in-q-7", "--why", " ")[0] == 2
    with ledger_of(home) as ledger:
        declared, *_ = first_champion()
        assert isinstance(declared, e.ServiceDeclared)
        others = {"metadata": {"name": NAME, "owner": "risk", "people": {"nobody-of-that-name": ["approver"]}}}
        ledger.append([replace(declared, declaration=others)])
    code, document = said("close", "in-q-7", "--why", "x")
    assert code != 0
    assert "error" in document


def test_one_is_shown_and_its_postmortem_written_once(home: Home, said: Said, tmp_path: Path) -> None:
    code, document = said("show", "in-errors-1")
    assert (code, document["cause"], document["closed_at"]) == (0, "errors", None)
    assert "incident.opened" in {line["type"] for line in document["lines"]}
    out = tmp_path / "postmortem.md"
    code, document = said("postmortem", "in-errors-1", "--out", str(out))
    assert code == 0
    assert out.read_text() == document["text"]
    assert document["impact"]["rows"] is None
    assert document["failed"] is None
    assert said("postmortem", "in-errors-1", "--out", str(out))[0] == 2
    assert said("show", "in-nothing")[0] == 2


def test_in_words(home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["incident", "show", "in-errors-1"]) == 0
    told = capfd.readouterr().out
    assert "errors are 3 %" in told
    assert f"flyball runbook run bad-rollout --service {NAME}" in told
    assert run(["incident", "list"]) == 0
    assert "in-q-7" in capfd.readouterr().out
