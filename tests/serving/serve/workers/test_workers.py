"""Several workers behind one socket: one table, one sum, one judge; and what becomes of it when parts are killed."""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import Stage, stage, until

from flyball.adapters.prediction_log.segments import Segments
from flyball.core.ids import Epoch
from flyball.core.ports import Segment
from flyball.serving.routing.assign import to_candidate, unit_hash

HALF = routing(previous=None, weight=5000)
MINE = [f"c{i}" for i in range(400) if to_candidate(unit_hash("ro-1", f"c{i}"), 5000)]  # units of the candidate
RAISES = 13


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path, workers=2) as one:
        one.release(CHAMPION, score=0.8)
        one.release(CANDIDATE, sick=True, score=0.9)
        one.start()
        yield one


def sealed(made: Stage) -> list[Segment]:
    """The stream as a controller reads it; its rows follow one another."""
    segments = list(Segments(made.home.telemetry("shop").parent).sealed("shop", -1))
    rows = 0
    for place, segment in enumerate(segments):
        assert (segment.pane.index, segment.pane.first_row) == (place, rows)
        rows += segment.pane.written
    return segments


def test_workers_count_and_write_as_one_and_stop_a_bad_candidate_in_each_of_them(made: Stage) -> None:
    made.control.apply("half", HALF)
    ids = {made.predict(row(card=f"c{i}"))[0]["id"] for i in range(60)}

    def written() -> object:
        seen = made.control.observe("shop").counts
        return seen if seen is not None and seen.written == 60 else None

    counts = until(written, "all are written")
    assert counts.champion.requests + counts.candidate.requests == 60
    assert counts.champion.units + counts.candidate.units == 60
    assert made.log_counts() == {"received": 60, "written": 60, "dropped": 0}
    assert len(made.children()) == 2
    _, text = made.ask("GET", "/metrics", Accept="application/openmetrics-text")
    assert set(re.findall(r'prediction_id="([^"]+)"', text)) & ids
    asked = 0

    def stopped() -> object:
        nonlocal asked
        asked += 1
        ids.update(
            answer["id"] for answer in made.predict(*(row(card=f"s{asked}-{i}", items=RAISES) for i in range(3)))
        )
        return made.control.observe("shop").stopped

    until(stopped, "the supervisor stops the candidate")
    seen = made.control.observe("shop")
    assert seen.routing is not None
    assert seen.stopped is not None
    assert (seen.routing.weight, seen.stopped.verdict.cause) == (0, "errors")
    answers = [made.predict(row(card=card))[0] for card in MINE[:40]]
    assert {answer["arm"] for answer in answers} == {"champion"}
    ids.update(answer["id"] for answer in answers)
    until(lambda: (log := made.log_counts())["written"] == log["received"], "what a kill must not take")
    for pid in made.children():
        os.kill(pid, signal.SIGKILL)
    assert made.predict(row(card=MINE[0]))[0]["arm"] == "champion"  # it waited for a new worker, who knows it too
    assert made.end() == 0
    assert ids <= {name for segment in sealed(made) for name in segment.predictions["id"]}


def test_killed_workers_and_a_killed_supervisor_are_replaced_and_find_everything(made: Stage) -> None:
    made.control.apply("half", HALF)
    first = made.children()
    for i in range(40):
        made.predict(row(card=f"c{i}"))
    until(lambda: made.log_counts()["written"] == 40, "they are on disk")
    os.kill(first[0], signal.SIGKILL)
    answers = [made.predict(row(card=f"d{i}"))[0] for i in range(60)]  # every one of them: the other worker takes it
    assert all("prediction" in answer for answer in answers)
    until(lambda: len(set(made.children())) == 2 and first[0] not in made.children(), "another takes its place")
    until(lambda: made.log_counts()["written"] == 100, "the new one knows what the old one wrote")
    made.order(routing(previous=None, weight=10_000, step=2, epoch=Epoch(2)))
    assert {made.predict(row(card=f"e{i}"))[0]["arm"] for i in range(20)} == {"candidate"}
    made.kill()
    made.workers, made.port = 1, 0  # another number of processes goes on where these stood, while they still drain
    made.start()
    assert made.predict(row(card="f"))[0]["arm"] == "candidate"
    assert made.log_counts()["dropped"] == 0
    assert made.end() == 0
    assert sum(segment.pane.written for segment in sealed(made)) == 121
