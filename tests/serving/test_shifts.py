"""A thousand shifts under load: weights that jump, releases that change places, and not one failed answer."""

import http.client
import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import PATIENCE_S, Stage, stage, until

from flyball.core.ids import Epoch, RolloutId
from flyball.core.routing import Routing

WEIGHTS = (1, 500, 10_000, 0, 5_000, 10_000, 100, 0)
CLIENTS = 4
PAUSE_S = 0.003
FIRST = 16  # order of the first shift under load; the ones before are blue and green


class Load(threading.Thread):
    """A client that asks again and again on one connection, and what it was answered. Not as fast as it can: what
    nobody could carry is turned away, and no weight moves to a release that has nothing left. Every other client asks
    for one bare row at a time, which goes the short way (decision 0062); the others for two."""

    def __init__(self, port: int, number: int, go_on: threading.Event, *, items: int = 1) -> None:
        super().__init__(name=f"client{number}")
        self._items, self._bare = items, number % 2 == 0
        self._port, self._go_on = port, go_on
        self.seen: Counter[tuple[int, str, str | None]] = Counter()  # status, arm, fallback
        self.requests = 0  # answered

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        number, pause = 0, threading.Event()
        while self._go_on.is_set():
            pause.wait(PAUSE_S)
            number += 1
            rows = [row(card=f"{self.name}-{number}-{i}", items=self._items) for i in range(1 if self._bare else 2)]
            body: Any = rows[0] if self._bare else {"rows": rows}
            connection.request("POST", "/v1/services/shop/predict", json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
            for one in answer.get("predictions", [{}]):
                self.seen[response.status, one.get("arm", str(one)), one.get("fallback")] += 1
            self.requests = number
        connection.close()


def table(number: int, champion: Any, other: Any) -> Routing:
    """The order number so and so: every eighth is another rollout, every 16th a promotion."""
    weight = WEIGHTS[number % len(WEIGHTS)]
    rollout = number // len(WEIGHTS)
    return routing(
        champion=champion,
        candidate=other,
        previous=None,
        weight=weight,
        epoch=Epoch(number + 1),
        salt=f"ro-{rollout}",
        rollout=RolloutId(f"ro-{rollout}"),
        step=number % len(WEIGHTS),
        guardrails=None,
    )


def shifted(made: Stage, shifts: int) -> Counter[tuple[int, str, str | None]]:
    """All answers of clients that asked all the time while the table was shifted so many times."""
    made.release(CHAMPION, score=0.8)
    made.release(CANDIDATE, score=0.9)
    made.start()
    champion, other = CHAMPION, CANDIDATE
    made.control.apply("0", table(0, champion, other))
    _blue_and_green(made)
    go_on = threading.Event()
    go_on.set()
    clients = [Load(made.port, i, go_on) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        for number in range(FIRST, shifts + FIRST):
            if number % (2 * len(WEIGHTS)) == 0:  # what had no weight a moment ago is the champion: blue and green
                champion, other = other, champion
            made.order(table(number, champion, other))
            seen = made.control.observe("shop").routing
            assert seen is not None
            assert seen.epoch == number + 1
            asked = [client.requests for client in clients]
            until(lambda: _further(clients, asked), "every client has been answered by this table")  # noqa: B023
    finally:
        go_on.clear()
        for client in clients:
            client.join(PATIENCE_S)
    total: Counter[tuple[int, str, str | None]] = Counter()
    for client in clients:
        total += client.seen
    assert made.end() == 0
    return total


def _blue_and_green(made: Stage) -> None:
    """Nothing, then all of it, then nothing again, with processes that are warm throughout."""
    arms, processes = [], []
    for number in (7, 10, 15):  # weight 0, 10,000, 0
        made.order(table(number, CHAMPION, CANDIDATE))
        arms.append({made.predict(row(card=f"{number}-{i}"))[0]["arm"] for i in range(20)})
        processes.append(made.children())
    assert arms == [{"champion"}, {"candidate"}, {"champion"}]
    assert processes[0] == processes[1] == processes[2]


def _further(clients: list[Load], asked: list[int]) -> bool:
    """Each has had an answer since, and is at the next; or is no more, and its end is told by the counts."""
    pairs = zip(clients, asked, strict=True)
    return all(client.requests > before or not client.is_alive() for client, before in pairs)


@pytest.mark.parametrize(
    ("shifts", "workers"),
    [(20, 1), pytest.param(1000, 1, marks=pytest.mark.slow), pytest.param(1000, 2, marks=pytest.mark.slow)],
)
def test_shifts_under_load_fail_no_answer_and_finish_each_request_on_its_arm(
    tmp_path: Path, shifts: int, workers: int
) -> None:
    with stage(tmp_path, workers=workers) as made:
        total = shifted(made, shifts)
    assert {(status, fallback) for status, _, fallback in total} == {(200, None)}
    assert {arm for _, arm, _ in total} == {"champion", "candidate"}
    print(f"{shifts} shifts over {workers} workers under {sum(total.values())} rows: none failed, none fell back")
