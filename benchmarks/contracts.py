"""One table, one set of rules, three tools: this contract, Great Expectations and pandera on polars.

A million rows of 20 columns are written once; each tool reads them in an interpreter of its own, from a virtual
environment of its own (`make .venv-peers`), builds its rules once, and is then asked to validate in turns. The time is
that of the validation alone, from a frame in memory, imports and reading left out. Each tells how many values break
each rule: three tools that do not find the same violations do not do the same work, and the benchmark fails.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks._contracts.table import write

ROWS, TURNS = int(os.environ.get("FLYBALL_BENCH_ROWS", "1000000")), int(os.environ.get("FLYBALL_BENCH_TURNS", "3"))
PEERS = Path(os.environ.get("FLYBALL_PEERS", ".venv-peers"))
TARGETS = {"great_expectations": 20, "pandera": 2}


def main() -> None:
    """Print medians, ratios and whether the counts agree."""
    python = PEERS.absolute() / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"no {python}: `make bench` builds it from requirements/peers.txt")
    with tempfile.TemporaryDirectory(prefix="flyball-bench-") as folder:
        table = Path(folder) / "table.parquet"
        write(table, ROWS)
        tools = {
            "flyball": Worker(sys.executable, "flyball", table),
            "pandera": Worker(str(python), "pandera", table),
            "great_expectations": Worker(str(python), "great_expectations", table),
        }
        try:
            compare(tools)
        finally:
            for tool in tools.values():
                tool.close()


def compare(tools: dict[str, "Worker"]) -> None:
    """Ask in turns, so that a machine that speeds up or slows down meanwhile does so for all."""
    seconds: dict[str, list[float]] = {name: [] for name in tools}
    counts: dict[str, dict[str, int]] = {}
    for name, tool in tools.items():
        counts[name] = tool.ask()["counts"]  # the first one warms up, and is not timed
    for _ in range(TURNS):
        for name, tool in tools.items():
            seconds[name].append(tool.ask()["seconds"])
    ours = statistics.median(seconds["flyball"])
    rules = len(counts["flyball"])
    print(f"{ROWS:,} rows, 20 columns, {rules} rules, {sum(counts['flyball'].values()):,} violations, {TURNS} turns")
    for name, each in seconds.items():
        middle = statistics.median(each)
        told = f"{name}: median {middle:.3f} s ({min(each):.3f} to {max(each):.3f}), {tools[name].version}"
        print(told + (f", {middle / ours:.1f} times ours (target {TARGETS[name]})" if name in TARGETS else ""))
    for name, found in counts.items():
        different = {rule: (counts["flyball"][rule], found.get(rule)) for rule in counts["flyball"] if
                     found.get(rule) != counts["flyball"][rule]}  # fmt: skip
        if different or found.keys() != counts["flyball"].keys():
            raise AssertionError(f"{name} finds other violations than flyball: {different}")
    print("all three count the same violations, rule by rule")


class Worker:
    """One tool in its own interpreter: a line in asks, a line out answers."""

    def __init__(self, python: str, tool: str, table: Path) -> None:
        root = Path(__file__).resolve().parents[1]
        paths = [str(root)] if python != sys.executable else [str(root), *sys.path]
        self.process = subprocess.Popen(
            [python, "-m", f"benchmarks._contracts.with_{tool}", str(table)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=root,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        )
        self.version = str(self._read()["version"])

    def ask(self) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write("again\n")
        self.process.stdin.flush()
        return self._read()

    def close(self) -> None:
        self.process.communicate(timeout=60)

    def _read(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


if __name__ == "__main__":
    main()
