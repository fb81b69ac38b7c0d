"""`kill -9` of a gateway under load: what a client was answered is compared with what a query finds after the restart.

A killed process leaves what it has handed to the system, so here only what waited for its frame can be lost. What a
power cut costs is in `tests/adapters/prediction_log/test_disk.py`.
"""

import contextlib
import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from subprocess import run

import polars as pl
import pytest
from tests.serving.parts import CHAMPION, routing, row
from tests.serving.stage import PATIENCE_S, SERVICE, Stage, stage, until

from flyball.core.declared.serving import Fsync

CLIENTS = 4


@dataclass
class Figures:
    """Of all rounds."""

    acknowledged: dict[str, float] = field(default_factory=dict)  # id -> seconds before the last answer
    found: int = 0
    lost: dict[str, float] = field(default_factory=dict)
    twice: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in self.counts.items())
        latest = max(self.lost.values(), default=0.0)
        return (
            f"acknowledged {len(self.acknowledged)}, of them lost {len(self.lost)} (the oldest {1e3 * latest:.0f} ms "
            f"before the last answer); found {self.found}, twice {self.twice}; {counts}"
        )


def client(port: int, number: int, told: dict[str, float]) -> None:
    """One row after the other on one connection, until the gateway is gone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    body = json.dumps(row(card=f"c{number}"))
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        while True:
            connection.request("POST", "/v1/services/shop/predict", body)
            response = connection.getresponse()
            answer = json.loads(response.read())
            if response.status == 200:
                told[answer["predictions"][0]["id"]] = time.monotonic()


def query(made: Stage, out: Path) -> list[str]:
    """Ids that the verb finds."""
    words = ["predictions", "query", "shop", "--columns", "id", "--out", str(out), "--home", str(made.home.root)]
    done = run([sys.executable, "-m", "flyball.app.cli", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return pl.read_parquet(out)["id"].to_list()


def kills(folder: Path, fsync: Fsync, rounds: int, *, seed: int) -> Figures:
    """So many times: load, kill, start again; a query after each."""
    dice, figures = Random(seed), Figures()
    with stage(folder) as made:
        text = SERVICE.replace("serving:\n", f"serving:\n  log: {{fsync: {fsync}}}\n")
        (folder / "shop" / "service.yaml").write_text(text)
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(previous=None, candidate=None, rollout=None, guardrails=None, step=None))
        for _ in range(rounds):
            told: list[dict[str, float]] = [{} for _ in range(CLIENTS)]
            threads = [
                threading.Thread(target=client, args=(made.port, number, one)) for number, one in enumerate(told)
            ]
            for thread in threads:
                thread.start()
            until(lambda: all(told), "every client has had an answer")  # noqa: B023
            threading.Event().wait(dice.uniform(1.2, 2.0))  # longer than what may be lost
            made.kill()
            for thread in threads:
                thread.join()
            made.start()
            last = max(at for one in told for at in one.values())  # a gateway that stands still loses nothing meanwhile
            figures.acknowledged |= {name: last - at for one in told for name, at in one.items()}
            ids = query(made, folder / "ids.parquet")
            figures.lost |= {n: figures.acknowledged[n] for n in figures.acknowledged.keys() - set(ids)}
            figures.found, figures.twice = len(ids), len(ids) - len(set(ids))
            figures.counts = made.log_counts()
        assert made.end() == 0
    return figures


def check(figures: Figures, fsync: Fsync) -> None:
    assert figures.acknowledged
    assert figures.twice == 0
    assert figures.counts["written"] == figures.found
    assert figures.counts["received"] == figures.counts["written"] + figures.counts["dropped"]
    assert len(figures.lost) <= figures.counts["dropped"]  # a row may be received and not answered before the kill
    if fsync == "always":
        assert not figures.lost
    assert all(before_s < 1.0 for before_s in figures.lost.values())  # the interval; a frame is made twenty times in it


@pytest.mark.parametrize("fsync", ["always", "interval"])
def test_three_kills_under_load_cost_what_the_policy_says(tmp_path: Path, fsync: Fsync) -> None:
    rounds = 2 if fsync == "always" else 1
    check(kills(tmp_path, fsync, rounds, seed=1), fsync)


@pytest.mark.slow
@pytest.mark.parametrize("fsync", ["always", "interval", "os"])
def test_fifty_kills_under_load_cost_what_the_policy_says(
    tmp_path: Path, fsync: Fsync, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = kills(tmp_path, fsync, 50, seed=7)
    with capsys.disabled():
        sys.stdout.write(f"\n{fsync}, 50 kills: {figures}\n")
    check(figures, fsync)
