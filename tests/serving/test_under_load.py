"""A gateway with more work than its model can do: every request is told something, and the log is exact."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from benchmarks._open_loop import open_loop, request
from tests.serving.parts import CHAMPION, routing, row
from tests.serving.stage import UNCHAINED, Stage, stage, until

RPS = 1000.0  # the model does at most 200
DECLARED = UNCHAINED.replace("deadline_ms: 20000", "deadline_ms: 400")


@pytest.fixture
def burning(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path, loader="benchmarks.overload:load", declared=DECLARED) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(previous=None, candidate=None, rollout=None, guardrails=None, step=None))
        yield made


@pytest.mark.parametrize("seconds", [2.0, pytest.param(30.0, marks=pytest.mark.slow)])
def test_five_times_the_capacity_is_answered_or_refused_and_nothing_is_lost(burning: Stage, seconds: float) -> None:
    with ThreadPoolExecutor(1) as client:
        sending = client.submit(open_loop, burning.port, request(row()), [(RPS, seconds), (20.0, 1.0)])
        in_flight, limits = [0.0], [0.0]
        while not sending.done():
            _, text = burning.ask("GET", "/metrics")
            for line in text.splitlines():
                if line.startswith("flyball_in_flight_rows{"):
                    in_flight.append(float(line.rpartition(" ")[2]))
                if line.startswith("flyball_limit_rows{"):
                    limits.append(float(line.rpartition(" ")[2]))
        answers = sending.result()
    told = Counter(status for _, status, _ in answers)
    assert set(told) <= {200, 503, 504}
    assert told[200] > 0
    assert told[503] > 0  # how many depends on how fast the client comes on this machine
    assert max(in_flight) <= 2 * max(100.0, *limits)
    until(lambda: burning.log_counts()["written"] == burning.log_counts()["received"], "the log has all rows")
    counts = burning.log_counts()
    assert (counts["received"], counts["dropped"]) == (len(answers), 0)
    until(lambda: burning.ask("POST", "/v1/services/shop/predict", row())[0] == 200, "it answers as before")
