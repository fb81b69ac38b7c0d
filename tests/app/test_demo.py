"""The README's first command in earnest: real processes, real requests, a real kill, and a report of what was seen."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.core import events as e

FLYBALL = [sys.executable, "-m", "flyball.app.cli"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of one whole demo, with its document beside the ledger: two minutes where nobody else computes."""
    home = tmp_path_factory.mktemp("demo") / "home"
    command = [*FLYBALL, "demo", "--home", str(home), "--json", str(home.parent / "demo.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "All of it was seen" in done.stdout
    return home


@pytest.mark.slow
def test_the_document_says_that_all_was_seen(home: Path) -> None:
    seen = json.loads((home.parent / "demo.json").read_text())
    assert seen["ok"]
    assert seen["not_seen"] == []
    assert [rollback["cause"] for rollback in seen["rollbacks"]] == ["errors", "slow"]
    for rollback in seen["rollbacks"]:
        assert 0 < rollback["events"] <= rollback["requests"]
        assert rollback["failed_answers"] == 0  # the champion stood in
    assert seen["kill"]["answered"] > 0
    assert seen["drift"]["promoted"]
    assert seen["drift"]["roc_auc"]["recovered"] > seen["drift"]["roc_auc"]["shifted"]
    assert seen["requests"]["sent"] == seen["requests"]["answered"] + seen["requests"]["failed"]
    assert seen["ledger"]["verified"]


@pytest.mark.slow
def test_the_ledger_tells_the_same_story(home: Path) -> None:
    ledger = open_ledger(Home(home))
    facts = [entry.fact for entry in ledger.read()]
    ledger.close()
    closed = [fact.outcome for fact in facts if isinstance(fact, e.RolloutClosed)]
    assert closed == ["promoted", "rolled_back", "rolled_back", "promoted"]
    approvals = [fact for fact in facts if isinstance(fact, e.ApprovalGiven)]
    assert [fact.proof for fact in approvals] == ["simulated"] * 4
    champions = [fact for fact in facts if isinstance(fact, e.ChampionAppointed)]
    assert len(champions) == 3
    assert [fact.rubber_stamped for fact in champions] == [True, False, False]
    controllers = [fact for fact in facts if isinstance(fact, e.ProcessStarted) and fact.process == "controller"]
    assert len(controllers) == 2  # the second after the first was killed


@pytest.mark.slow
def test_nothing_is_left_running(home: Path) -> None:
    assert not list((home / "run").glob("*.pid"))
    running = [each.name for each in Path("/proc").iterdir() if each.name.isdigit() and str(home) in _command(each)]
    assert running == []


@pytest.mark.slow
def test_a_demo_that_is_interrupted_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    demo = subprocess.Popen(
        [*FLYBALL, "demo", "--home", str(home)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert demo.stderr is not None
    told = next((line for line in demo.stderr if "flyball up answers" in line), None)
    assert told is not None
    os.kill(demo.pid, signal.SIGINT)
    demo.stderr.read()
    assert demo.wait() == 130
    test_nothing_is_left_running(home)


def _command(process: Path) -> str:
    """Its command line; nothing where it has just ended."""
    try:
        return (process / "cmdline").read_bytes().decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
