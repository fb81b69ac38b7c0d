"""What the gateway does when its parts die, hang or misbehave, in processes of their own and with nobody to help."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import SERVICE, Stage, stage, until

from flyball.adapters.messages.gateway_socket import done, waiting
from flyball.adapters.prediction_log.segments import Segments
from flyball.core.ids import Epoch
from flyball.serving.routing.assign import to_candidate, unit_hash
from flyball.serving.serve.workers.table import read_table

HALF = routing(previous=None, weight=5000)
MINE = [f"c{i}" for i in range(400) if to_candidate(unit_hash("ro-1", f"c{i}"), 5000)]  # units of the candidate
HANGS, RAISES = 99, 13
MISSED_MS = 4000  # by whoever hangs; nobody else comes near it, even on a machine that stands still for a while
SOON_LATE = SERVICE.replace("deadline_ms: 20000", f"deadline_ms: {MISSED_MS}")
SHADOW_SOON_LATE = SERVICE.replace("serving:", f"serving:\n  shadow: {{deadline_ms: {MISSED_MS}}}")


@pytest.fixture
def made(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage(tmp_path, declared=getattr(request, "param", SERVICE)) as one:
        one.release(CHAMPION, score=0.8)
        one.release(CANDIDATE, sick=True, score=0.9)
        one.start()
        yield one


@pytest.mark.parametrize("made", [SOON_LATE], indirect=True)
def test_a_hanging_candidate_is_answered_by_its_stand_in_and_started_again(made: Stage) -> None:
    made.control.apply("half", HALF)
    (arm,) = made.children()
    (answer,) = made.predict(row(card=MINE[0], items=HANGS))
    assert (answer["arm"], answer["release"], answer["fallback"], answer["score"]) == (
        "candidate",
        CANDIDATE,
        "previous",
        0.8,
    )
    counts = made.control.observe("shop").counts
    assert counts is not None
    assert (counts.candidate.errors, counts.candidate.slow, counts.champion.requests) == (1, 0, 0)
    until(lambda: made.children() not in ([], [arm]), "the hung process is replaced")
    until(lambda: made.predict(row(card=MINE[1]))[0]["fallback"] is None, "the new process answers")


def test_a_killed_arm_is_replaced_and_meanwhile_others_answer(made: Stage) -> None:
    made.control.apply("half", HALF)
    (arm,) = made.children()
    assert made.predict(row(card=MINE[0]))[0]["score"] == 0.9
    os.kill(arm, signal.SIGKILL)
    until(lambda: arm not in made.children(), "the kernel has taken it")
    answers = [made.predict(row(card=card))[0] for card in MINE[:5]]
    assert {answer["arm"] for answer in answers} == {"candidate"}
    assert all("prediction" in answer for answer in answers)
    until(lambda: made.predict(row(card=MINE[0]))[0]["fallback"] is None, "the arm is back")


def test_a_candidate_that_fails_is_not_asked_for_a_while_and_then_tried_again(made: Stage) -> None:
    made.control.apply("half", HALF)

    def is_open() -> bool:
        return 'flyball_circuit_open{arm="candidate",service="shop"} 1.0' in made.ask("GET", "/metrics")[1]

    assert not is_open()
    for card in MINE[:25]:
        (answer,) = made.predict(row(card=card, items=RAISES))
        assert answer["fallback"] == "previous"
    assert is_open()
    until(lambda: made.predict(row(card=MINE[0]))[0]["fallback"] is None, "a probe is answered")
    until(lambda: [made.predict(row(card=card)) for card in MINE[:3]] and not is_open(), "the circuit closes")
    counts = made.control.observe("shop").counts
    assert counts is not None
    assert counts.candidate.errors >= 25  # an open circuit is its arm's error


@pytest.mark.parametrize("made", [SHADOW_SOON_LATE], indirect=True)
def test_a_hanging_shadow_delays_nobody_and_is_counted(made: Stage) -> None:
    made.control.apply("shadow", routing(previous=None, weight=0, shadow=1.0, step=0))
    answers = [made.predict(row(card=f"c{i}", items=HANGS))[0] for i in range(30)]
    assert {(answer["score"], answer["fallback"]) for answer in answers} == {(0.8, None)}

    def judged() -> bool:
        counts = made.control.observe("shop").counts
        return counts is not None and counts.shadow.errors > 0

    until(judged, "the shadow's silence is an error event")
    assert all(answer["latency_ms"] < MISSED_MS for answer in answers)


def test_a_shadow_that_dies_again_and_again_delays_nobody(made: Stage) -> None:
    made.control.apply("shadow", routing(previous=None, weight=0, shadow=1.0, step=0))
    answers = [made.predict(row(card=f"c{i}", items=97))[0] for i in range(30)]
    assert {(answer["score"], answer["fallback"]) for answer in answers} == {(0.8, None)}

    def judged() -> bool:
        counts = made.control.observe("shop").counts
        return counts is not None and counts.shadow.errors > 0

    until(judged, "the shadow's death is an error event")
    assert all(answer["latency_ms"] < MISSED_MS for answer in answers)


def test_a_shadow_that_goes_live_is_not_started_again(made: Stage) -> None:
    made.control.apply("shadow", routing(previous=None, weight=0, shadow=1.0, step=0))
    made.predict(*(row(card=f"c{i}") for i in range(50)))

    def paired() -> bool:
        counts = made.control.observe("shop").counts
        return counts is not None and (counts.pairs, counts.disagreements) == (50, 0)

    until(paired, "every row was shown to the shadow")
    before = made.children()
    made.order(routing(previous=None, weight=5000, step=1, epoch=Epoch(2)))
    assert made.children() == before
    assert made.predict(row(card=MINE[0]))[0]["score"] == 0.9


def test_promotion_moves_the_release_into_the_worker_and_keeps_the_old_one_warm(made: Stage) -> None:
    made.control.apply("half", HALF)
    settled: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None, "salt": ""}
    made.control.apply("promoted", routing(champion=CANDIDATE, previous=CHAMPION, epoch=Epoch(2), **settled))
    (answer,) = made.predict(row())
    assert (answer["release"], answer["score"], answer["arm"]) == (CANDIDATE, 0.9, "champion")
    (answer,) = made.predict(row(items=RAISES))
    assert (answer["fallback"], answer["score"]) == ("previous", 0.8)
    assert len(made.children()) == 1


def test_a_bad_candidate_is_stopped_without_any_controller_and_stays_stopped(made: Stage) -> None:
    made.control.apply("half", HALF)
    answered = 0

    def stopped() -> bool:
        nonlocal answered
        answered += 1
        (answer,) = made.predict(row(card=f"c{answered}", items=RAISES))
        assert "prediction" in answer  # not one client goes without
        return made.control.observe("shop").stopped is not None

    until(stopped, "the gateway stops the candidate")
    seen = made.control.observe("shop")
    assert seen.routing is not None
    assert seen.stopped is not None
    assert (seen.routing.weight, seen.stopped.verdict.cause) == (0, "errors")
    spool = made.home.gateway("shop") / "spool"
    ((event_id, fact),) = until(lambda: list(waiting(spool)), "the fact waits for the controller")
    assert fact == seen.stopped
    assert fact.counts.candidate.failed == 0
    done(spool, event_id)
    made.kill()  # before any controller came
    table = read_table(made.home.gateway("shop"))
    assert table is not None
    assert table.stopped == fact
    made.start()
    assert made.predict(row(card=MINE[0]))[0]["arm"] == "champion"
    assert [event for event, _ in waiting(spool)] == [event_id]  # the same id: the ledger takes it once
    made.order(routing(previous=None, weight=9000, step=2, epoch=Epoch(2)))
    assert made.predict(row(card=MINE[0]))[0]["arm"] == "champion"


def test_a_killed_gateway_loses_no_count_and_no_acknowledged_record(made: Stage) -> None:
    made.control.apply("half", HALF)
    ids = [answer["id"] for i in range(40) for answer in made.predict(row(card=f"c{i}"), row(card=f"d{i}"))]
    until(lambda: made.log_counts()["written"] == 80, "the log acknowledges them")
    labels = [{"id": name, "label": 1} for name in ids[:10]]
    assert made.ask("POST", "/v1/labels", {"labels": labels})[1]["accepted"] == 10
    before = made.control.observe("shop").counts
    made.predict(*(row(card=f"e{i}") for i in range(20)))  # perhaps still on their way to the disk
    made.kill()
    for frames in made.home.telemetry("shop").glob("*.frames"):
        with frames.open("ab") as file:
            file.write(b"\x40\x00\x00\x00torn")
    made.start()
    counts = made.control.observe("shop").counts
    assert before is not None
    assert counts is not None
    assert counts.champion.units + counts.candidate.units == before.champion.units + before.candidate.units + 20
    assert counts.step_tests == before.step_tests
    segments = list(Segments(made.home.root / "telemetry").sealed("shop", -1))
    assert all(s.pane.received == s.pane.written + s.pane.dropped for s in segments)
    assert all(s.pane.written == s.predictions.height for s in segments)
    assert sum(segment.pane.received for segment in segments) == 100
    logged = [name for segment in segments for name in segment.predictions["id"]]
    assert set(ids) <= set(logged)
    assert len(logged) == len(set(logged))
    assert sorted(name for segment in segments for name in segment.labels["id"]) == sorted(ids[:10])
    log = made.log_counts()
    assert log["received"] == log["written"] + log["dropped"] == 100


def test_the_table_on_disk_is_enough_to_serve(made: Stage) -> None:
    made.control.apply("half", HALF)
    made.kill()
    table = made.home.gateway("shop") / "routing.json"
    assert msgspec.json.decode(table.read_bytes())["routing"]["epoch"] == 1
    made.start()
    assert made.predict(row(card=MINE[0]))[0]["arm"] == "candidate"
    made.control.apply("half", HALF)  # the controller repeats itself: nothing happens
