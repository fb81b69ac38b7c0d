"""Processes that leak, or that are killed, under load: a fresh one takes the place, and no answer is lost with a worn
one; with a killed one only what was in its hands."""

import http.client
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import PATIENCE_S, SERVICE, Stage, stage, until

from flyball.serving.serve.resident import resident_mb

CLIENTS = 4
LEAK_MB, BOUND_MB = 0.3, 250.0
MOST_ROWS = 20_000  # many times more than fill three arms, half of them in each: what counts is rows, not seconds
LEAKS = SERVICE.replace("serving:", f"serving:\n  recycle: {{memory_mb: {BOUND_MB}}}")
COUNTS = SERVICE.replace("serving:", "serving:\n  recycle: {rows: 150}")
ALONE = {"candidate": None, "previous": None, "rollout": None, "guardrails": None, "step": None}


class Client(threading.Thread):
    """Asks again and again on a connection that it keeps, and notes each answer and each connection that broke."""

    def __init__(self, port: int, name: str, go_on: threading.Event) -> None:
        super().__init__(name=name)
        self._port, self._go_on = port, go_on
        self.answers: Counter[tuple[int, str, str | None]] = Counter()  # status, arm, fallback
        self.broken = 0  # requests that have no answer

    @property
    def answered(self) -> int:
        return self.answers.total()

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        number, pause = 0, threading.Event()
        while self._go_on.is_set():
            pause.wait(0.003)
            number += 1
            try:
                one = row(card=f"{self.name}-{number}")
                body = json.dumps(one if number % 2 else {"rows": [one]})  # the short way and the long one
                connection.request("POST", "/v1/services/shop/predict", body)
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (ConnectionError, http.client.HTTPException):
                self.broken += 1
                connection.close()
                continue
            for one in answer.get("predictions", [{}]):
                self.answers[response.status, one.get("arm", str(one)), one.get("fallback")] += 1
        connection.close()


@contextmanager
def asked(made: Stage) -> Iterator[list[Client]]:
    """Clients that ask for as long as the block lasts."""
    go_on = threading.Event()
    go_on.set()
    clients = [Client(made.port, f"client{i}", go_on) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        go_on.clear()
        for client in clients:
            client.join()


def seen(made: Stage, pids: set[int]) -> int:
    """How many processes have answered so far."""
    pids.update(made.children())
    return len(pids)


@pytest.mark.slow
def test_workers_whose_model_leaks_are_replaced_under_load_and_no_answer_is_lost(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2, declared=LEAKS) as made:
        made.release(CHAMPION, leak_mb=LEAK_MB)
        made.start()
        made.control.apply("first", routing(**ALONE))
        pids: set[int] = set()
        with asked(made) as clients:
            until(lambda: seen(made, pids) >= 5, "three leaking workers have made room")
        until(lambda: len(made.children()) == 2, "the worn ones have left")
        total = sum((client.answers for client in clients), Counter[tuple[int, str, str | None]]())
        assert total == {(200, "champion", None): total.total()}
        assert sum(client.broken for client in clients) == 0
        until(lambda: made.log_counts()["written"] == total.total(), "every answer is in the log")
        assert made.log_counts() == {"received": total.total(), "written": total.total(), "dropped": 0}
        _, stats = made.ask("GET", "/v2/models/shop/stats")
        assert stats["model_stats"][0]["inference_count"] == total.total()  # what those that left had answered, too
        _, text = made.ask("GET", "/metrics")
        rows = [line for line in text.splitlines() if line.startswith("flyball_rows_total")]
        assert sum(float(line.rpartition(" ")[2]) for line in rows) == total.total()  # other outcomes stand at zero
        assert made.end() == 0


def test_an_arm_that_leaks_is_replaced_under_load_and_no_row_goes_to_a_stand_in(tmp_path: Path) -> None:
    with stage(tmp_path, declared=LEAKS) as made:
        made.release(CHAMPION)
        made.release(CANDIDATE, leak_mb=LEAK_MB)
        made.start()
        made.control.apply("half", routing(previous=None, weight=5000, guardrails=None))
        pids: set[int] = set()
        with asked(made) as clients:
            while seen(made, pids) < 3:  # two leaking arms have made room
                at = sum(client.answered for client in clients)
                assert at < MOST_ROWS
                until(lambda: sum(client.answered for client in clients) > at + 50, "life goes on")  # noqa: B023
        total = sum((client.answers for client in clients), Counter[tuple[int, str, str | None]]())
        assert {(status, fallback) for status, _, fallback in total} == {(200, None)}
        assert {arm for _, arm, _ in total} == {"champion", "candidate"}
        assert sum(client.broken for client in clients) == 0
        assert all((resident_mb(pid) or 0.0) < 2 * BOUND_MB for pid in made.children())
        assert made.end() == 0


def test_a_worker_killed_under_load_takes_no_more_than_the_requests_in_its_hands(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE))
        kills = 3
        with asked(made) as clients:
            for _ in range(kills):
                before = made.children()
                at = sum(client.answered for client in clients)
                until(lambda: sum(client.answered for client in clients) > at + 20, "life goes on")  # noqa: B023
                os.kill(before[0], signal.SIGKILL)
                until(lambda: len(made.children()) == 2 and before[0] not in made.children(), "another is there")  # noqa: B023
        total = sum((client.answers for client in clients), Counter[tuple[int, str, str | None]]())
        assert total == {(200, "champion", None): total.total()}
        assert sum(client.broken for client in clients) <= kills * CLIENTS  # each has one request at a time
        assert made.end() == 0


def test_an_arm_killed_under_load_costs_no_answer_and_each_row_it_owed_is_an_error_event(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        made.release(CHAMPION)
        made.release(CANDIDATE)
        made.start()
        made.control.apply("half", routing(previous=None, weight=5000, guardrails=None))
        with asked(made) as clients:
            for _ in range(3):
                (arm,) = until(made.children, "it is there")
                at = sum(client.answered for client in clients)
                until(lambda: sum(client.answered for client in clients) > at + 20, "life goes on")  # noqa: B023
                os.kill(arm, signal.SIGKILL)
                until(lambda: made.children() not in ([], [arm]), "another is there")  # noqa: B023
        total = sum((client.answers for client in clients), Counter[tuple[int, str, str | None]]())
        assert {status for status, _, _ in total} == {200}
        assert sum(client.broken for client in clients) == 0
        stood_in = sum(count for (_, _, fallback), count in total.items() if fallback is not None)
        assert stood_in > 0
        _, text = made.ask("GET", "/metrics")
        lines = [line for line in text.splitlines() if line.startswith("flyball_error_events_total")]
        assert [float(line.rpartition(" ")[2]) for line in lines if 'arm="candidate"' in line] == [stood_in]
        assert made.end() == 0
