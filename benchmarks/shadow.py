"""What a shadow costs those who are served: p99 of the champion beside none, a well one, a hanging and a dying one.

    python -m benchmarks shadow

The four take turns on one gateway each, 200 requests a second in an open loop, so that a machine that slows down does
so for all. Everything is mirrored. Ratios are of medians over the turns to the gateway without a shadow.
"""

import contextlib
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks._open_loop import open_loop, request
from tests.serving.parts import CANDIDATE, CHAMPION, routing, row
from tests.serving.stage import SERVICE, Stage, stage

TURNS, SECONDS, RPS = 5, 6.0, 200.0
ALONE = routing(previous=None, candidate=None, rollout=None, guardrails=None, step=None)
MIRRORED = routing(previous=None, weight=0, shadow=1.0, step=0, guardrails=None)  # nobody stops it
WORLDS = {"no shadow": (ALONE, 1), "a shadow": (MIRRORED, 1), "it hangs": (MIRRORED, 99), "it dies": (MIRRORED, 97)}


def main() -> None:
    """Print p50 and p99 of each world, and their ratios to the one without a shadow."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in WORLDS}
    shown: dict[str, str] = {}
    with contextlib.ExitStack() as stack, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as client:
        stages = {name: _started(stack, name) for name in WORLDS}
        for turn in range(TURNS + 1):  # the first one warms
            for name, (_, items) in WORLDS.items():
                answers = client.submit(
                    open_loop, stages[name].port, request(row(items=items)), [(RPS, SECONDS if turn else 2.0)]
                ).result()
                assert all(status == 200 for _, status, _ in answers)
                times = sorted(seconds * 1e3 for _, _, seconds in answers)
                if turn:
                    took[name].append((times[len(times) // 2], times[int(0.99 * len(times))]))
        for name, made in stages.items():
            _, text = made.ask("GET", "/metrics")
            dropped = [line for line in text.splitlines() if line.startswith("flyball_shadow_dropped_total{")]
            shown[name] = dropped[0].rpartition(" ")[2]
    p50, p99 = (statistics.median(each[at] for each in took["no shadow"]) for at in (0, 1))
    for name, turns in took.items():
        median, worst = (statistics.median(each[at] for each in turns) for at in (0, 1))
        spread = f"{min(each[1] for each in turns):.1f} to {max(each[1] for each in turns):.1f}"
        print(
            f"{name:10} p50 {median:6.2f} ms ({median / p50:.2f}), p99 {worst:6.2f} ms ({worst / p99:.2f};"
            f" turns {spread}), rows not shown: {shown[name]}",
            flush=True,
        )


def _started(stack: contextlib.ExitStack, name: str) -> Stage:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-shadow-")))
    made = stack.enter_context(stage(folder, declared=SERVICE.replace("deadline_ms: 20000", "deadline_ms: 400")))
    made.release(CHAMPION)
    made.release(CANDIDATE, sick=True)
    made.start()
    made.control.apply("first", WORLDS[name][0])
    return made
