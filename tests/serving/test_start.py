"""A gateway that starts while something is missing: what can be served is served, and nothing unverified is loaded."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, PREVIOUS, routing, row
from tests.serving.stage import Stage, stage, until

from flyball.adapters.messages.gateway_socket import waiting
from flyball.core.errors import StaleEpoch, Untrusted
from flyball.core.ids import Epoch, ReleaseRoot, ServiceName
from flyball.serving.routing.assign import to_candidate, unit_hash

HALF = routing(weight=5000)
MINE = [f"c{i}" for i in range(400) if to_candidate(unit_hash("ro-1", f"c{i}"), 5000)]  # units of the candidate
OTHER = ReleaseRoot("sha256:dd04")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as one:
        one.service("other")
        one.release(CHAMPION, score=0.8)
        one.release(CANDIDATE, score=0.9)
        one.release(PREVIOUS, score=0.7)
        one.release(OTHER, score=0.6)
        one.start()
        one.control.apply("half", HALF)
        alone = {"candidate": None, "previous": None, "rollout": None, "guardrails": None, "step": None}
        one.control.apply("other", routing(service=ServiceName("other"), champion=OTHER, epoch=Epoch(5), **alone))
        yield one


def release(made: Stage, root: str) -> Path:
    return made.home.releases / root.removeprefix("sha256:")


def test_without_candidate_and_previous_the_champion_serves_and_the_candidate_is_stopped(made: Stage) -> None:
    made.kill()
    (release(made, CANDIDATE) / "altered").touch()
    shutil.rmtree(release(made, PREVIOUS))
    made.start()
    assert made.ask("GET", "/readyz")[0] == 200
    asked = 0

    def stopped() -> bool:
        nonlocal asked
        (answer,) = made.predict(row(card=MINE[asked]))
        asked += 1
        assert (answer["score"], answer["fallback"]) in ((0.8, "previous"), (0.8, None))
        return made.control.observe("shop").stopped is not None

    until(stopped, "the guardrails stop a candidate that is not there")
    seen = made.control.observe("shop")
    assert seen.stopped is not None
    assert (seen.stopped.verdict.cause, seen.stopped.counts.candidate.failed) == ("max_errors", 0)
    until(lambda: list(waiting(made.home.gateway("shop") / "spool")), "the controller is told")
    # the order that takes it back is obeyed, though `previous` is still away
    made.control.apply("back", routing(candidate=None, rollout=None, guardrails=None, step=None, epoch=Epoch(2)))
    assert made.predict(row(card=MINE[0]))[0]["score"] == 0.8


def test_a_candidate_that_is_missing_at_the_start_gets_no_weight_but_comes_back(made: Stage) -> None:
    made.kill()
    (release(made, CANDIDATE) / "altered").touch()
    made.start()
    with pytest.raises(Untrusted):
        made.control.apply("more", routing(weight=9000, epoch=Epoch(2)))
    (release(made, CANDIDATE) / "altered").unlink()
    until(lambda: made.predict(row(card=MINE[0]))[0]["score"] == 0.9, "it is verified again, and answers")


def test_a_service_whose_champion_does_not_verify_does_not_take_the_others_with_it(made: Stage) -> None:
    made.kill()
    (release(made, OTHER) / "altered").touch()
    made.start()
    assert made.predict(row(card=MINE[0]))[0]["score"] == 0.9
    status, answer = made.ask("POST", "/v1/services/other/predict", row())
    assert status == 503
    assert "was altered" in answer["error"]
    status, answer = made.ask("GET", "/readyz")
    assert (status, answer["services"]) == (503, {"shop": True, "other": False})
    assert "was altered" in answer["reasons"]["other"]
    assert made.ask("GET", "/v2/models/other/ready")[0] == 503
    alone = {"candidate": None, "previous": None, "rollout": None, "guardrails": None, "step": None}
    mine = routing(service=ServiceName("other"), champion=OTHER, **alone)
    with pytest.raises(StaleEpoch):  # the table that cannot come into force is still the newest
        made.control.apply("older", mine)
    (release(made, OTHER) / "altered").unlink()
    made.control.apply("newer", routing(service=ServiceName("other"), champion=OTHER, epoch=Epoch(6), **alone))
    assert made.ask("POST", "/v1/services/other/predict", row())[0] == 200
    assert made.ask("GET", "/readyz") == (200, {"ready": True, "services": {"shop": True, "other": True}})


def test_a_stand_in_that_did_not_verify_for_a_while_is_started_again(made: Stage) -> None:
    mark = release(made, CANDIDATE) / "altered"
    mark.touch()
    before = made.children()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(made.children()) - set(before)) == 1, "only the one that verifies is started again")
    assert made.predict(row(card=MINE[0]))[0]["fallback"] == "previous"
    mark.unlink()
    until(lambda: made.predict(row(card=MINE[0]))[0]["score"] == 0.9, "it is back")
