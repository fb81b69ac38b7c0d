"""Limits that hold for the gateway and not for each worker: two workers, real HTTP, a connection to each of them."""

import contextlib
import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.serving.parts import CHAMPION, routing, row
from tests.serving.stage import PATIENCE_S, SERVICE, Stage, stage, until

from flyball.app.wiring.serving.key_file import add

RAISES = 13
GATEWAY = "apiVersion: flyball/v1\nkind: Gateway\nauth: {keys: 'file:keys.json'}\nlimits: {burst: 30}\n"
BREAKER = SERVICE.replace("serving:", "serving:\n  breaker: {min_calls: 10, open_s: 10m}")
FLOOD = SERVICE.replace(
    "serving:",
    "serving:\n  filters:\n    - {name: flood, on: answer, verdict: fall_back, "
    "rate: {prediction: 1, max_share: 0.5, window_rows: 20}}",
)


@contextlib.contextmanager
def two(made: Stage, **headers: str) -> Iterator[list["Kept"]]:
    """Two connections that stay, one at each worker."""
    made.control.apply("first", routing(candidate=None, previous=None, rollout=None, guardrails=None, step=None))
    kept: list[Kept] = []
    found: dict[int, Kept] = {}
    while len(found) < 2:  # who is quick takes a second one
        kept.append(Kept(made.port, headers))
        found.setdefault(until(lambda: taker(made, kept[-1]), "a worker takes it"), kept[-1])
    yield list(found.values())
    for connection in kept:
        connection.close()


def taker(made: Stage, client: "Kept") -> int | None:
    """Pid of the worker that holds the other end of a connection."""
    mine = f"{client.sock.getsockname()[1]:04X}"
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = line.split()
        if words[2].endswith(f":{mine}") and words[1].endswith(f":{made.port:04X}"):
            for pid in made.children():
                for file in Path(f"/proc/{pid}/fd").iterdir():
                    with contextlib.suppress(FileNotFoundError):  # it was closed meanwhile
                        if os.readlink(file) == f"socket:[{words[9]}]":
                            return pid
    return None


class Kept(http.client.HTTPConnection):
    """A client on one connection."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        super().__init__("127.0.0.1", port, timeout=PATIENCE_S)
        self._headers = headers
        self.connect()

    def ask(self, **values: Any) -> tuple[int, Any]:
        """Status, and the fallback of the one answer."""
        body = json.dumps({"rows": [row(**values)]})
        self.request("POST", "/v1/services/shop/predict", body, self._headers)
        response = self.getresponse()
        answer = json.loads(response.read())
        return response.status, answer.get("predictions", [{}])[0].get("fallback")


def test_a_key_gets_its_burst_once_whichever_worker_it_asks(tmp_path: Path) -> None:
    text, _ = add(tmp_path / "keys.json", ["shop:predict"], days=None, rate_rps=0.0001, note="")
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    with stage(tmp_path, workers=2) as made:
        made.gateway = tmp_path / "gateway.yaml"
        made.release(CHAMPION)
        made.start()
        with two(made, **{"X-API-Key": text}) as clients:
            found = [clients[number % 2].ask()[0] for number in range(60)]
        assert found == [200] * 30 + [429] * 30


def test_failures_that_both_workers_saw_open_the_circuit_in_both(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2, declared=BREAKER) as made:
        made.release(CHAMPION, sick=True)
        made.start()
        with two(made) as clients:
            assert [clients[number % 2].ask()[1] for number in range(4)] == [None] * 4
            for number in range(8):  # with the good ones: 6 calls of each worker, 4 failed; of both 12, 8 failed
                assert clients[number % 2].ask(items=RAISES)[1] == "constant"
            assert [client.ask()[1] for client in clients] == ["constant", "constant"]
        _, text = made.ask("GET", "/metrics")
        assert [line for line in text.splitlines() if line.startswith("flyball_circuit_open{")] != []


def test_a_class_is_counted_over_the_answers_of_both_workers(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2, declared=FLOOD) as made:
        made.release(CHAMPION)
        made.start()
        with two(made) as clients:
            found = [clients[number % 2].ask()[1] for number in range(24)]
        assert found == [None] * 19 + ["constant"] * 5
