"""From the decision to the last row that a stopped candidate is given, under load, over all workers."""

import threading
import time
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
from tests.serving.parts import CANDIDATE, CHAMPION, routing
from tests.serving.stage import SERVICE, Stage, stage, until
from tests.serving.test_shifts import CLIENTS, Load

from flyball.adapters.messages.gateway_socket import waiting
from flyball.adapters.prediction_log.segments import Segments
from flyball.core.clock import moment
from flyball.core.ids import Epoch, RolloutId

RAISES = 13
RENEWED = SERVICE.replace("serving:", "serving:\n  recycle: {rows: 100}")  # all the time, workers and arms


@dataclass(frozen=True)
class Rollback:
    """One candidate that was stopped; times in seconds since the epoch."""

    decided_at: float
    told_at: float  # somebody outside has learned of it
    last_given_at: float  # arrival of the last row that it was given
    last_answered_at: float  # when that row's answer was ready, whoever gave it


def rollbacks(made: Stage, rounds: int, *, renewed: bool = False) -> list[Rollback]:
    """Start rollouts of a sick candidate at half the traffic, one after the other, and let each be stopped. `renewed`:
    in each round a worker takes the place of another (one that comes up is told anew of every order, so orders that
    follow one another without a pause keep it from that)."""
    made.release(CHAMPION, score=0.8)
    made.release(CANDIDATE, sick=True, score=0.9)
    made.start()
    made.control.apply("first", routing(previous=None, weight=0, epoch=Epoch(0), rollout=RolloutId("ro-first")))
    go_on = threading.Event()
    go_on.set()
    clients = [Load(made.port, i, go_on, items=RAISES) for i in range(CLIENTS)]
    for client in clients:
        client.start()
    told_at: list[float] = []
    spool = made.home.gateway("shop") / "spool"
    try:
        for number in range(1, rounds + 1):
            pids = set(made.children())
            name = RolloutId(f"ro-{number}")
            order = routing(previous=None, weight=5000, epoch=Epoch(number), rollout=name, salt=name)
            made.order(order)
            until(lambda: len(list(waiting(spool))) == number, "it is stopped")  # noqa: B023
            told_at.append(time.time())
            until(lambda: not renewed or set(made.children()) - pids, "a fresh worker is there")  # noqa: B023
        asked = [client.requests for client in clients]
        until(lambda: all(c.requests > n + 3 for c, n in zip(clients, asked, strict=True)), "life goes on")
    finally:
        go_on.clear()
        for client in clients:
            client.join()
    assert made.end() == 0
    segments = Segments(made.home.telemetry("shop").parent).sealed("shop", -1)
    rows = pl.concat([segment.predictions for segment in segments], how="diagonal")
    given = rows.filter(pl.col("arm") == "candidate")
    found = []
    for (_, stopped), told in zip(waiting(spool), told_at, strict=True):
        mine = given.filter(pl.col("epoch") == stopped.epoch)
        found.append(
            Rollback(
                decided_at=moment(stopped.at).timestamp(),
                told_at=told,
                last_given_at=mine["at"].max(),  # type: ignore[arg-type]
                last_answered_at=(mine["at"] + mine["latency_ms"] / 1000).max(),  # type: ignore[arg-type]
            )
        )
    assert rows.filter(pl.col("outcome") == "failed").is_empty()
    return found


@pytest.mark.parametrize(
    ("rounds", "workers", "declared"),
    [
        (3, 1, SERVICE),
        (1, 2, RENEWED),
        *(pytest.param(50, 3, each, marks=pytest.mark.slow) for each in (SERVICE, RENEWED)),
    ],
    ids=["one process", "workers that are renewed", "three workers", "three workers that are renewed"],
)
def test_a_stopped_candidate_is_given_nothing_that_arrives_later(
    tmp_path: Path, rounds: int, workers: int, declared: str
) -> None:
    with stage(tmp_path, workers=workers, declared=declared) as made:
        found = rollbacks(made, rounds, renewed=declared == RENEWED)
    assert len(found) == rounds
    for each in found:
        assert each.last_given_at <= each.told_at
