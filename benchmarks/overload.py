"""A model of 5 ms of processor time a row under five times its capacity: what the clients get, and when it is over.

    python -m benchmarks overload          (a minute a model and a fallback chain)

Open loop: a request is sent when its time has come, whether or not others were answered, and its latency counts from
that time. The capacity is measured in the same run, before and after (the greater counts): six clients that wait for
their answers. Two models: one works outside the interpreter (as LightGBM, ONNX and numpy do), one holds it throughout.
Requests above the capacity have to be turned away by a process that has no core to spare, so this is the worst case.
"""

import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import polars as pl
from benchmarks._open_loop import closed_loop, open_loop, request
from tests.serving.parts import CHAMPION, routing, row
from tests.serving.stage import SERVICE, UNCHAINED, Stage, stage, until

from flyball.core.prediction import Answer, ArmReply

SECONDS, AFTER_S, TIMES = 60.0, 10.0, 5.0
CPU_S = 0.005
MODELS = ((False, "works outside the interpreter"), (True, "holds the interpreter"))
REQUEST = request(row())
CHAINS = {
    "nothing answers instead": UNCHAINED.replace("deadline_ms: 20000", "deadline_ms: 1000"),
    "a constant answers instead": SERVICE.replace("deadline_ms: 20000", "deadline_ms: 1000"),
}


class Burner:
    """Takes 5 ms of its thread's processor time a row."""

    def __init__(self, release: str, *, holds_interpreter: bool) -> None:
        self.release, self._rounds = release, 1 if holds_interpreter else 1000

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        started = time.perf_counter()
        for _ in rows:
            until = time.thread_time() + CPU_S
            while time.thread_time() < until:
                hashlib.pbkdf2_hmac(
                    "sha256", b"x", b"y", self._rounds
                )  # outside the interpreter, about 0.3 ms a thousand
        answers = (Answer(prediction=1, score=0.5),) * len(rows)
        return ArmReply(answers=answers, service_ms=(time.perf_counter() - started) * 1e3)


def load(folder: str, *, release: str, once: bool) -> Burner:  # noqa: ARG001 -- the loader's signature
    """The loader that the stage names."""
    behaviour = json.loads((Path(folder) / "behaviour.json").read_text())
    return Burner(release, holds_interpreter=behaviour["sick"])


def main() -> None:
    """Print capacity, goodput, latency, memory, queue and recovery of both models."""
    seconds = float(os.environ.get("OVERLOAD_SECONDS", SECONDS))
    for (holds, name), (chain, declared) in product(MODELS, CHAINS.items()):
        with (
            tempfile.TemporaryDirectory(prefix="bench-overload-") as folder,
            stage(Path(folder), loader="benchmarks.overload:load", declared=declared) as made,
        ):
            made.release(CHAMPION, sick=holds)
            made.start()
            made.control.apply(
                "first", routing(previous=None, candidate=None, rollout=None, guardrails=None, step=None)
            )
            print(f"a model of {CPU_S * 1e3:g} ms that {name}; {chain}:")
            overload(made, seconds)


def overload(made: Stage, seconds: float) -> None:
    """One model: its capacity, then five times as much, then half of it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as client:
        client.submit(closed_loop, made.port, REQUEST, 2.0).result()
        capacity = client.submit(closed_loop, made.port, REQUEST, 8.0).result()
        begun = time.time()
        future = client.submit(open_loop, made.port, REQUEST, [(TIMES * capacity, seconds), (0.5 * capacity, AFTER_S)])
        rss, flying, limits = [], [], []
        while not future.done():
            time.sleep(0.5)
            rss.append(_rss_mb(made.pid))
            found = _gauges(made)
            flying.append(found["flyball_in_flight_rows"])
            limits.append(found["flyball_limit_rows"])
        sent = future.result()
        # the machine has other work too
        capacity = max(capacity, client.submit(closed_loop, made.port, REQUEST, 8.0).result())
    during = [one for one in sent if one[0] < seconds]
    after = [one for one in sent if one[0] >= seconds]
    good = [one for one in during if one[1] == 200]
    own, instead = _answers(made, begun, seconds)
    took = sorted(one[2] for one in good)
    half = len(good) and sum(one[0] >= seconds / 2 for one in good) / (seconds / 2)
    bad = [one for one in after if one[1] != 200]
    later = sorted(one[2] for one in after if one[0] > seconds + 2.0)
    recovered = max((one[0] for one in bad), default=seconds) - seconds
    statuses = {code: sum(one[1] == code for one in during) for code in sorted({one[1] for one in during})}
    refused = sorted(one[2] for one in during if one[1] in (429, 503))
    print(f"  capacity {capacity:.0f}/s; offered {len(during) / seconds:.0f}/s for {seconds:.0f} s; answers {statuses}")
    print(
        f"  goodput {len(good) / seconds:.0f}/s = {len(good) / seconds / capacity:.2f} of capacity"
        f" (second half {half / capacity:.2f}); p50 {_ms(took, 0.5)}, p99 {_ms(took, 0.99)};"
        f" the model was at work on these answers {_at_work(made, begun, seconds):.2f} of the time"
    )
    print(
        f"  of these the model's own {own / seconds:.0f}/s = {own / seconds / capacity:.2f};"
        f" the chain's {instead / seconds:.0f}/s"
    )
    print(
        f"  refused after p50 {_ms(refused, 0.5)}, p99 {_ms(refused, 0.99)}; rows in flight at most {max(flying):.0f},"
        f" limit {min(limits):.0f} to {max(limits):.0f}"
    )
    third = max(1, len(rss) // 3)
    early, late = statistics.median(rss[:third]), statistics.median(rss[-third:])
    print(f"  memory {early:.0f} MB in the first third, {late:.0f} MB in the last")
    print(
        f"  at half the capacity: the last refusal after {recovered:.2f} s, p99 {_ms(later, 0.99)} from 2 s on",
        flush=True,
    )


def _at_work(made: Stage, begun: float, seconds: float) -> float:
    """Share of the time that the model spent on rows whose clients got its answer: what could not be better is 1."""
    rows = _rows(made).filter(pl.col("at").is_between(begun, begun + seconds))
    return float(rows.filter(pl.col("outcome") == "answered")["service_ms"].sum()) / 1e3 / seconds


def _answers(made: Stage, begun: float, seconds: float) -> tuple[int, int]:
    """Rows that the model answered, and rows that the fallback chain answered."""
    rows = _rows(made).filter(pl.col("at").is_between(begun, begun + seconds))
    return rows.filter(pl.col("outcome") == "answered").height, rows.filter(pl.col("outcome") == "fallback").height


def _rows(made: Stage) -> pl.DataFrame:
    until(lambda: made.log_counts()["written"] == made.log_counts()["received"], "the log has all rows")
    time.sleep(1.0)  # the last pane is sealed
    panes = [*made.home.telemetry("shop").glob("*/predictions.parquet")]
    return pl.concat([pl.read_parquet(pane, columns=["at", "outcome", "service_ms"]) for pane in panes])


def _ms(times: Sequence[float], share: float) -> str:
    return f"{times[int(share * (len(times) - 1))] * 1e3:.0f} ms" if times else "-"


def _rss_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def _gauges(made: Stage) -> dict[str, float]:
    _, text = made.ask("GET", "/metrics")
    lines = [line for line in text.splitlines() if line.startswith(("flyball_in_flight_rows{", "flyball_limit_rows{"))]
    return {line.partition("{")[0]: float(line.rpartition(" ")[2]) for line in lines}
