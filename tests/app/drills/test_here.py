"""Which faults a running service can have, why not the others, and what whoever reads the word is told."""

import json
import os
import time
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.control.world import service

from flyball.app.cli.main import run as flyball
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.here import Here, aimed, costs, why_not
from flyball.app.drills.lease import Allowed, allowed_path, put
from flyball.app.home import Home
from flyball.app.wiring.drills import looking
from flyball.app.wiring.drills.looking import Place, asked_for
from flyball.core.declared.serving import Objectives, Recycling
from flyball.core.drill_lease import DrillLease
from flyball.core.undrillable import undrillable

NAME = "fraud"
DECLARED = service()
WORN = replace(DECLARED, serving=replace(DECLARED.serving, workers=2, recycle=Recycling(memory_mb=400)))
FULL = Here(service=WORN, column="card", workers=2, free_mb=8000.0, keys=True, database=False)
UP = Allowed(pid=os.getpid(), url="http://127.0.0.1:1", services={NAME: "x"}, allow_drills=True)


def word(fault: str) -> DrillLease:
    return DrillLease(drill="dr-1", fault=fault, service=NAME, share=0.05, until=time.time() + 9, driver=os.getpid())


def test_a_service_that_has_all_it_takes_can_have_every_fault() -> None:
    assert why_not(FULL) == {}


@pytest.mark.parametrize(
    ("here", "fault", "words"),
    [
        (replace(FULL, workers=1), "crash_loop", "one process answers"),
        (replace(FULL, workers=0), "crash_loop", "no worker"),
        (replace(FULL, keys=False), "expired_key", "asks for no keys"),
        (replace(FULL, database=True), "ledger_gone", "in a database"),
        (replace(FULL, free_mb=1000.0), "memory_leak", "1000 MB"),
        (
            replace(FULL, service=replace(WORN, serving=replace(WORN.serving, recycle=Recycling()))),
            "memory_leak",
            "memory_mb is not declared",
        ),
        (
            replace(
                FULL,
                service=replace(WORN, serving=replace(WORN.serving, objectives=Objectives(latency_p99_ms=700.0))),
            ),
            "latency",
            "too near the deadline",
        ),
        (
            replace(FULL, service=replace(WORN, experiment=replace(WORN.experiment, task="regression"))),
            "poisoned_labels",
            "two classes",
        ),
    ],
)
def test_what_a_fault_lacks_is_said(here: Here, fault: str, words: str) -> None:
    found = why_not(here)
    assert found.keys() == {fault}
    assert words in found[fault]


def test_what_check_says_of_a_declaration_is_what_a_drill_says() -> None:
    assert set(undrillable(DECLARED)) == {"crash_loop", "memory_leak"}  # one worker, nothing recycled
    assert set(undrillable(DECLARED)) <= set(FAULTS)


def test_the_word_names_the_release_and_the_key_and_how_much() -> None:
    slow, leak, stall = (aimed(word(each), FULL, "sha256:aa") for each in ("latency", "memory_leak", "upstream_stall"))
    objective_s = WORN.serving.objectives.latency_p99_ms / 1000
    assert (slow.release, slow.column, slow.slow_s > objective_s) == ("sha256:aa", "card", True)
    assert (leak.leak_mb, leak.most_mb, leak.slow_s) == (12, 500, 0.0)
    assert (stall.release, stall.leak_mb) == ("sha256:aa", 0)


def test_whoever_agrees_is_told_what_clients_may_feel() -> None:
    place = Place(name=NAME, here=FULL)
    assert asked_for(place, "latency", UP, None) == f"latency on {NAME} at {UP.url}"
    assert "missing in the prediction log for good" in asked_for(place, "disk_full", UP, None)
    assert "for up to 30 s, of fraud" in asked_for(place, "ledger_gone", UP, None)
    everything = asked_for(place, "all", UP, None)
    assert all(words in everything for words in costs(FULL, 0.05).values())
    keyless = Place(name=NAME, here=replace(FULL, column="", keys=False))
    assert "of all rows 20% are struck, real clients' too" in asked_for(keyless, "latency", UP, 0.2)


def test_a_fault_that_cannot_be_made_here_is_named_and_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    put(allowed_path(home), UP)
    monkeypatch.setattr(looking, "look", lambda *_: Place(name=NAME, here=replace(FULL, workers=1)))
    assert flyball(["drill", "crash-loop", "--yes", "--home", str(home.root)]) == 3
    assert "crash_loop was not made: one process answers" in capsys.readouterr().err
    assert flyball(["drill", "list", "--json", "--home", str(home.root)]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed["service"] == NAME
    assert [one["fault"] for one in listed["faults"]] == list(FAULTS)
    assert {one["fault"]: one["why_not"] for one in listed["faults"] if not one["can"]} == why_not(
        replace(FULL, workers=1)
    )


def test_an_up_that_allows_no_drills_is_said_in_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path)
    put(allowed_path(home), replace(UP, allow_drills=False))
    assert flyball(["drill", "list", "--json", "--home", str(home.root)]) == 0
    assert not any(one["can"] for one in json.loads(capsys.readouterr().out)["faults"])
