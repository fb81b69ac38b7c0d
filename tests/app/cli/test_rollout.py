"""`flyball rollout` as it is typed: words, documents and exit codes on a real ledger in a home."""

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.app.said import Said, saying
from tests.app.test_people import asking
from tests.control.world import FIRST, NAME, SECOND, first_champion, service

from flyball.app.cli.main import run
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.core import events as e
from flyball.core.ids import RolloutId

CLOSED = e.RolloutClosed(service=NAME, rollout=RolloutId("ro-1"), outcome="rolled_back", reason="errors")
Put = Callable[..., None]


@pytest.fixture
def put(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Writes facts of a service to the ledger of this test's home; whoever reaches it may say everything."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("FLYBALL_HOME", str(home.root))

    def write(*facts: e.AnyFact) -> None:
        with ledger_of(home) as ledger:
            ledger.append(facts)

    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    alone = msgspec.to_builtins(service()) | {"metadata": {"name": NAME, "owner": "risk", "people": {}}}
    write(replace(declared, declaration=alone), *others)
    return write


@pytest.fixture
def said(capfd: pytest.CaptureFixture[str]) -> Said:
    return saying(capfd, "rollout")


def test_where_a_rollout_stands(put: Put, said: Said, capfd: pytest.CaptureFixture[str]) -> None:
    code, idle = said("status", NAME)
    assert (code, idle["rollout"], idle["champion"]) == (0, None, FIRST)
    put(*asking())
    code, found = said("status", NAME)
    assert (code, found["rollout"], found["release"], found["step"]) == (0, "ro-1", SECOND, 0)
    assert found["steps"] == ["shadow", "approval", "canary", "canary", "promote"]
    assert found["names"] == ["shadow", "approval", "canary-10%", "canary-50%", "promote"]
    assert run(["rollout", "status", "ro-1"]) == 0
    told = capfd.readouterr().out
    assert "▸ 0 shadow: no unit" in told
    assert "· 4 promote" in told


def test_a_watch_ends_with_the_rollout_and_says_whether_it_was_promoted(
    put: Put, capfd: pytest.CaptureFixture[str]
) -> None:
    put(*asking(), CLOSED)
    assert run(["rollout", "status", NAME, "--watch"]) == 1
    assert "ro-1 rolled_back: errors" in capfd.readouterr().out
    assert run(["rollout", "status", NAME, "--watch", "--json"]) == 2


def test_whether_one_runs_and_whether_the_champion_is_the_one_that_was_promoted_last(put: Put, said: Said) -> None:
    def whether(what: str) -> int:
        return said("status", NAME, "--whether", what)[0]

    assert (whether("running"), whether("promoted"), whether("returnable")) == (1, 1, 1)
    put(*asking())
    assert (whether("running"), whether("promoted"), whether("returnable")) == (0, 1, 0)
    put(
        e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=RolloutId("ro-1")),
        replace(CLOSED, outcome="promoted"),
    )
    assert (whether("running"), whether("promoted"), whether("returnable")) == (1, 0, 0)
    assert said("undo", NAME)[0] == 0
    assert (whether("running"), whether("promoted"), whether("returnable")) == (1, 1, 1)  # a way back is under way
    assert said("status", NAME, "--whether", "bored")[0] == 2
    assert run(["rollout", "status", NAME, "--watch", "--whether", "running"]) == 2


def test_hold_let_go_and_try_again(put: Put, said: Said) -> None:
    put(*asking())
    assert said("pause", NAME, "--why", "lunch")[1]["recorded"] == ["rollout.paused"]
    assert said("status", NAME)[1]["paused_by"]
    assert said("pause", NAME)[1]["recorded"] == []
    assert said("resume", "ro-1")[1]["recorded"] == ["rollout.resumed"]
    assert said("resume", NAME)[0] == 1
    assert said("promote", NAME, "--why", "now")[0] == 1  # the step asks for an approval
    assert said("undo", NAME)[0] == 1  # the rollout has to end first
    assert said("abort", NAME)[1]["recorded"] == ["rollback.ordered"]
    put(CLOSED)
    assert said("abort", NAME)[0] == 1
    assert said("status", NAME)[1]["withdrawn"] == [SECOND]
    assert said("start", NAME)[0] == 1  # it was withdrawn, and nobody says why it should be tried again
    assert said("retry", NAME, "--why", " ")[0] == 2
    assert said("retry", NAME, "--why", "the disk was full")[1]["recorded"] == ["release.wanted"]
    assert said("status", NAME)[1]["waiting"] == [SECOND]


def test_the_rollouts_that_were(put: Put, said: Said, capfd: pytest.CaptureFixture[str]) -> None:
    assert said("history", NAME)[1]["rollouts"] == []
    put(*asking())
    said("pause", NAME)
    put(CLOSED)
    (past,) = said("history", NAME)[1]["rollouts"]
    assert (past["rollout"], past["outcome"], past["reason"], past["steps"]) == (
        *("ro-1", "rolled_back", "errors"),
        ["approval"],
    )
    assert len(past["people"]) == 1
    assert past["seconds"] >= 0
    assert run(["rollout", "history", NAME]) == 0
    assert "rolled_back" in capfd.readouterr().out
    assert said("explain", "ro-1")[1]["subject"] == "ro-1"
    assert said("status", "no-such")[0] == 2


def test_a_retraining_is_ordered_by_hand(put: Put, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["retrain", NAME, "--why", "a holiday comes", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["recorded"] == ["ticket.opened", "retrain.ordered"]
    assert run(["retrain", NAME, "--json"]) == 1  # one is under way
    assert run(["retrain", "no-such", "--json"]) == 2


def test_a_plan_of_a_service_on_the_ledger_reads_no_folder(put: Put, said: Said) -> None:
    put()
    code, told = said("plan", NAME, "--rate", "500", "--errors", "0.01")
    assert (code, told["service"]) == (0 if told["verdict"] == "POWERED" else 1, NAME)
    assert [step["kind"] for step in told["steps"]] == ["shadow", "approval", "canary", "canary", "promote"]
    assert said("plan", "nobody", "--rate", "500")[0] == 2
