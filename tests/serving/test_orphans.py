"""Workers that outlive their supervisor answer by the table in force until the next one's answer in their place."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import stage, until
from tests.serving.test_recycling import asked

from flyball.core.ids import Epoch

HALF = routing(previous=None, weight=5000, guardrails=None)
ALONE_FOR_GOOD = """
import os, signal, socket, sys
from pathlib import Path
from flyball.serving.serve.workers import orphan
orphan.WAIT_S = 0.05
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
with socket.create_server(("127.0.0.1", 0)) as listener:
    orphan.wait_for_heir(Path(sys.argv[1]), 0, listener.fileno(), print)
    while True:
        signal.pause()
"""


def test_a_supervisor_killed_under_load_costs_no_answer_and_the_next_takes_over(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2) as made:
        made.release(CHAMPION)
        made.release(CANDIDATE)
        made.start()
        made.control.apply("half", HALF)
        with asked(made) as clients:
            for number in range(2):
                at = [client.answered for client in clients]
                made.kill()
                first = list(made.orphans)
                assert len(first) == 2
                until(lambda: all(c.answered > n + 5 for c, n in zip(clients, at, strict=True)), "they answer on")  # noqa: B023
                made.start()  # on the port where the orphans listen
                until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in first), "they have left")  # noqa: B023
                order = routing(previous=None, weight=5000, guardrails=None, epoch=Epoch(2 + number), step=2 + number)
                made.control.apply(f"again-{number}", order)
        total = sum((client.answers for client in clients), Counter[tuple[int, str, str | None]]())
        assert {(status, fallback) for status, _, fallback in total} == {(200, None)}
        assert {arm for _, arm, _ in total} == {"champion", "candidate"}
        assert sum(client.broken for client in clients) == 0
        until(lambda: made.log_counts()["written"] == total.total(), "every answer is in the log")
        assert made.end() == 0


@pytest.mark.slow
def test_one_process_takes_over_from_workers_too(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2) as made:
        made.release(CHAMPION)
        made.release(CANDIDATE)
        made.start()
        made.control.apply("half", HALF)
        assert made.predict(row())[0]["fallback"] is None
        made.kill()
        assert made.predict(row())[0]["fallback"] is None
        made.workers = 1
        made.start()
        assert made.predict(row())[0]["fallback"] is None
        until(lambda: made.log_counts()["written"] >= 1, "it writes")
        assert made.end() == 0


def test_orphans_that_nobody_comes_for_finish_and_end(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ALONE_FOR_GOOD, str(tmp_path / "orphans")]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert "no supervisor has come" in done.stdout


def test_a_worker_told_to_end_while_it_is_an_orphan_ends(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2) as made:
        made.release(CHAMPION)
        made.release(CANDIDATE)
        made.start()
        made.control.apply("half", HALF)
        made.kill()
        for pid in made.orphans:
            os.kill(pid, signal.SIGTERM)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in made.orphans), "they drain and end")
