"""`serving.idempotent: false` from client to model: real predictors in the gateway, in a process, and elsewhere."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from tests.serving.counted import FAILS
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import SERVICE, stage

REQUESTS, ROWS = 24, 4
NAMES = ("amount", "items")  # of the tensors
DECLARED = SERVICE.replace("deadline_ms: 20000", "deadline_ms: 60000").replace("[previous, ", "[")
DECLARED += "rollout: {steps: [{approval: {}}, {canary: {weight: 0.5}}, {promote: {}}]}\n"


@contextmanager
def server(notes: Counter[str]) -> Iterator[str]:
    """A model server that notes, and then fails where a row has 13 items: now an error, now one number too many."""
    fails = cycle(["an error", "a number too many"])

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(404, {})

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            amounts, items = ({tensor["name"]: tensor["data"] for tensor in asked["inputs"]}[n] for n in NAMES)
            notes.update(map(str, amounts))
            fault = next(fails) if FAILS in items else ""
            numbers = [0.5] * (len(amounts) + (1 if fault == "a number too many" else 0))
            tensor = {"name": "p", "datatype": "FP64", "shape": [len(numbers)], "data": numbers}
            self._say(500 if fault == "an error" else 200, {"outputs": [tensor]})

        def _say(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.daemon_threads = True
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{made.server_address[1]}"
    finally:
        made.shutdown()
        thread.join()
        made.server_close()


def rows_of(number: int) -> list[dict[str, Any]]:
    """Amounts that no other request has; each third request has a row on which the model fails."""
    amounts = [float(number * ROWS + place + 1) for place in range(ROWS)]
    fails = number % 3 == 0
    return [row(card=f"c{a:g}", amount=a, items=FAILS if fails and a == amounts[2] else 1) for a in amounts]


@pytest.mark.parametrize(("where", "idempotent"), [("here", False), ("elsewhere", False), ("here", True)])
def test_a_row_is_asked_once_whatever_becomes_of_its_neighbours(tmp_path: Path, where: str, idempotent: bool) -> None:
    notes: Counter[str] = Counter()
    declared = DECLARED.replace("serving:\n", f"serving:\n  idempotent: {str(idempotent).lower()}\n")
    with server(notes) as url, stage(tmp_path, loader="tests.serving.counted:load", declared=declared) as made:
        for root in (CHAMPION, CANDIDATE):
            made.release(root)
            if where == "elsewhere":
                (made.home.releases / root.removeprefix("sha256:") / "url").write_text(url)
        made.start()
        made.control.apply("half", routing(previous=None, weight=5000))
        with ThreadPoolExecutor(8) as clients:
            said = list(clients.map(lambda number: made.predict(*rows_of(number)), range(REQUESTS)))
        for file in made.home.releases.glob("*/notes"):
            notes.update(file.read_text().split())

    wanted = {str(float(amount)) for amount in range(1, REQUESTS * ROWS + 1)}
    asked = {amount: times for amount, times in notes.items() if amount in wanted}
    answers = [answer for each in said for answer in each]
    assert {answer["arm"] for answer in answers} == {"champion", "candidate"}
    assert set(asked) == wanted
    assert all(answer["fallback"] is None for n, each in enumerate(said) if n % 3 for answer in each)
    failed = [answer for answer in answers if answer["fallback"] is not None]
    if idempotent:
        assert max(asked.values()) > 1
        assert len(failed) == REQUESTS // 3  # the row itself, and no other
    else:
        assert set(asked.values()) == {1}
        assert len(notes) == len(asked)  # nor any row that nobody sent
        assert len(failed) > REQUESTS // 3
