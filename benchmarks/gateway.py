"""What the gateway costs: single rows over HTTP, against FastAPI, an echo of the same bytes, and the bare model.

All servers of a service stand at once and are loaded in turns, so that a machine that slows down does so for all; a
ratio is the median of the turns' ratios. Processor time a request is printed beside: on a machine that others use too
it is the steadier of the two. Servers are pinned to core 0 with their children, the load to core 1. The gateway does
all it ever does: contract, prediction log, panes, sequential tests, and 5 % of the rows shown to a second release in a
process of its own. The peers and what they leave out: `_gateway/peer.py`, `_gateway/echo.py`.

`FLYBALL_BENCH_TURNS` and `FLYBALL_BENCH_SECONDS` make it longer or shorter.
"""

import contextlib
import importlib.util
import os
import statistics
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks._gateway import alone, servers
from benchmarks._gateway.load import Turn, turn
from benchmarks._gateway.memory import memory
from benchmarks._gateway.services import MODELS, Served, made

TURNS = int(os.environ.get("FLYBALL_BENCH_TURNS", "3"))
SECONDS = float(os.environ.get("FLYBALL_BENCH_SECONDS", "3"))
CONNECTIONS = (1, 16, 64)
Start = Callable[[], AbstractContextManager[servers.Server]]
Turns = Mapping[str, list[Turn]]


def main() -> None:
    """Print a table and its ratios for each model, then the core alone, then memory over many requests."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="bench-gateway-") as name:
        for title, model in MODELS.items():
            served = made(Path(name) / title.split()[-1].strip("()"), model)
            measured(title, served)
            if title == "trees":
                memory(served)
    print(f"core, batches of 100, without models: {alone.core_rps():,.0f} rows/s (target 20,000)")


def measured(title: str, served: Served) -> None:
    """One model's table."""
    bare, release = alone.bare_us(served), alone.release_us(served)
    print(f"\n-- {title}: predict_proba {bare:.0f} us a row, the release {release:.0f} us a row")
    starts: dict[str, Start] = {"flyball": lambda: servers.flyball(served), "echo": servers.echo}
    if importlib.util.find_spec("fastapi") is not None:
        starts["fastapi"] = lambda: servers.fastapi(served)
    with contextlib.ExitStack() as stack:
        up = {name: stack.enter_context(start()) for name, start in starts.items()}
        for connections in CONNECTIONS:
            turns: dict[str, list[Turn]] = {name: [] for name in up}
            for number in range(TURNS + 1):
                for name, server in up.items():
                    seconds = SECONDS if number else 1.0  # the first is to warm up
                    found = turn(server, served.bodies, connections=connections, seconds=seconds)
                    turns[name] += [found] if number else []
            _show(connections, turns, bare, release)


def _show(connections: int, turns: Turns, bare_us: float, release_us: float) -> None:
    for name, found in turns.items():
        rps, p50, p99 = (statistics.median(getattr(t, of) for t in found) for of in ("rps", "p50_ms", "p99_ms"))
        cpu = statistics.median(t.cpu_us for t in found)
        times = f"p50 {p50:6.2f} ms, p99 {p99:6.2f} ms, {cpu:5.0f} us of processor a request"
        print(f"{connections:3} connections, {name:8}: {rps:7,.0f} requests/s, {times}")
        if refused := sum(t.refused for t in found):
            print(f"    {refused} requests to {name} were turned away or failed")
    if "fastapi" in turns:
        faster, p99 = _ratio(turns, "fastapi", "rps"), _ratio(turns, "fastapi", "p99_ms")
        cpu = 1 / _ratio(turns, "fastapi", "cpu_us")
        print(
            f"    flyball / fastapi: {faster:.2f} x the requests/s ({cpu:.2f} by processor time), {p99:.2f} x the p99"
        )
    share, cpu = _ratio(turns, "echo", "rps"), 1 / _ratio(turns, "echo", "cpu_us")
    print(f"    flyball / echo: {share:.0%} of the requests/s ({cpu:.0%} by processor time)")
    own = statistics.median(t.rps for t in turns["flyball"])
    print(f"    flyball / bare loop: {own * bare_us / 1e6:.2f} x its rows/s")
    if connections == 1:
        p50 = statistics.median(t.p50_ms for t in turns["flyball"])
        print(f"    added to predict_proba: {p50 - bare_us / 1e3:.2f} ms p50")
        print(f"    added to the release: {p50 - release_us / 1e3:.2f} ms p50")


def _ratio(turns: Turns, other: str, of: str) -> float:
    pairs = zip(turns["flyball"], turns[other], strict=True)
    ratios: list[float] = [getattr(mine, of) / getattr(its, of) for mine, its in pairs]
    return statistics.median(ratios)


if __name__ == "__main__":
    main()
