"""What a declared fallback chain costs requests that never need it: with a constant and without any, in pairs.

    python -m benchmarks chain          (three minutes)

Three gateways of the same release stand at once: one without a chain, one whose chain is a constant, and one more
without, which says how far two that are the same are apart here. They are loaded in turns, the other way round in
every second one, so that a machine that slows down does so for all. What counts is the ratio within a turn; printed are
its geometric mean and its 95 % interval over the turns (Student's t of the logarithms). Processor time a request is the
steadier figure where others use the machine too. Nobody is turned away and nothing falls back here: a turn in which a
request is not answered with 200 ends the run.

`FLYBALL_BENCH_TURNS` and `FLYBALL_BENCH_SECONDS` make it longer or shorter.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, log, sqrt
from pathlib import Path
from statistics import fmean, median, stdev

from benchmarks._gateway import servers
from benchmarks._gateway.load import Turn, turn
from benchmarks._gateway.services import MODELS, SERVICE, Served, made
from scipy.stats import t as student

TURNS = int(os.environ.get("FLYBALL_BENCH_TURNS", "12"))
SECONDS = float(os.environ.get("FLYBALL_BENCH_SECONDS", "2"))
CONNECTIONS = (1, 16)
NONE, CONSTANT, AGAIN = "no chain", "a constant", "no chain, again"
CHAINS = {NONE: "[]", CONSTANT: "[{constant: {prediction: 0, score: 0.0}}]", AGAIN: "[]"}
Turns = Mapping[str, Sequence[Turn]]


def main() -> None:
    """Print what each costs, and the ratios to the gateway without a chain."""
    print(f"load of the machine before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory(prefix="bench-chain-") as folder, contextlib.ExitStack() as stack:
        first = made(Path(folder) / "trained", MODELS["trees"])
        served = {name: _declared(first, Path(folder) / str(place), name) for place, name in enumerate(CHAINS)}
        up = {name: stack.enter_context(servers.flyball(one)) for name, one in served.items()}
        for connections in CONNECTIONS:
            turns: dict[str, list[Turn]] = {name: [] for name in up}
            for number in range(TURNS + 1):
                for name in list(up) if number % 2 else reversed(list(up)):
                    seconds = SECONDS if number else 1.0  # the first is to warm up
                    found = turn(up[name], first.bodies, connections=connections, seconds=seconds)
                    if found.refused:
                        raise RuntimeError(f"{name}: {found.refused} requests were not answered: nothing is measured")
                    turns[name] += [found] if number else []
            _show(connections, turns)


def _declared(trained: Served, folder: Path, name: str) -> Served:
    """The same service and home once more, with this chain."""
    shutil.copytree(trained.folder, folder)
    (folder / "service.yaml").write_text(f"{SERVICE}serving: {{fallback: {CHAINS[name]}}}\n")
    return replace(trained, folder=folder)


def _show(connections: int, turns: Turns) -> None:
    for name, found in turns.items():
        rps, p99, cpu = (median(getattr(one, of) for one in found) for of in ("rps", "p99_ms", "cpu_us"))
        figures = f"{rps:7,.0f} requests/s, p99 {p99:5.2f} ms, {cpu:5.1f} us of processor a request"
        print(f"{connections:3} connections, {name:16}: {figures}")
    for name in (CONSTANT, AGAIN):
        told = (f"{words} {_ratio(turns, name, of)}" for of, words in (("cpu_us", "processor"), ("rps", "requests/s")))
        print(f"    {name} / {NONE}: {', '.join(told)}", flush=True)


def _ratio(turns: Turns, name: str, of: str) -> str:
    """Within the turns, with its interval."""
    pairs = zip(turns[name], turns[NONE], strict=True)
    logs = [log(getattr(its, of) / getattr(plain, of)) for its, plain in pairs]
    middle, half = fmean(logs), float(student.ppf(0.975, len(logs) - 1)) * stdev(logs) / sqrt(len(logs))
    return f"{exp(middle):.3f} ({exp(middle - half):.3f} to {exp(middle + half):.3f})"


if __name__ == "__main__":
    main()
