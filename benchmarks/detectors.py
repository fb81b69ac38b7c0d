"""Ours beside River's detectors on the same streams: false alarms, delay, missed changes; and two dummies.

Two tables: 0/1 errors of a model that never learns again, and numeric inputs (one detector a column, any alarm is one
of the service). Both come twice: whole, and cut to the rows around the first change, because KSWIN costs nearly a
millisecond a value and sees only these. River (peers environment, which `make bench` builds) runs with its defaults,
HDDM two-sided; its own published vectors are checked first. Each stream begins with the same 1,000 normal rows for
everybody. The last lines count the streams on which ours wins (better in a figure, worse in none), ties, loses, and
those where each is better in something.
"""

import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from benchmarks._detectors import ours
from benchmarks._detectors.score import Score, dummies, score
from benchmarks._detectors.streams import REFERENCE, Stream, cut, errors, inputs

os.environ.setdefault("OMP_NUM_THREADS", "1")  # gradient boosting spins on a machine with other work
CUT = {"errors": 2000, "inputs": 1000}  # rows before and after the change in the short streams
PEERS = Path(os.environ.get("FLYBALL_PEERS", ".venv-peers"))


def main() -> None:
    """Print both tables."""
    python = PEERS.absolute() / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"no {python}: `make bench` builds it from requirements/peers.txt")
    tables = {"errors": errors(), "inputs": inputs()}
    for table, rows in CUT.items():
        tables[f"{table}-cut"] = [cut(stream, rows) for stream in tables[table]]
    with tempfile.TemporaryDirectory(prefix="flyball-bench-") as name:
        peers = _river(str(python), Path(name), tables)
    for table, streams in tables.items():
        print(f"\n{table}: false alarms in 10,000 rows / mean delay in rows / changes missed")
        _table(table, streams, peers)


def _river(python: str, folder: Path, tables: dict[str, list[Stream]]) -> dict[str, dict[str, list[int]]]:
    for table, streams in tables.items():
        for at, stream in enumerate(streams):
            np.save(folder / f"{table}-{at}.npy", stream.values)
    root = str(Path(__file__).resolve().parents[1])
    command = [python, "-m", "benchmarks._detectors.with_river", str(folder)]
    subprocess.run(command, check=True, cwd=root, env={**os.environ, "PYTHONPATH": root})
    told = json.loads((folder / "alarms.json").read_text())
    for vector, (found, expected) in told["published"].items():
        print(f"river {told['version']}, published vector {vector}: {found}")
        if found != expected:
            raise AssertionError(f"{vector}: found {found}, published {expected}: the peer is not used rightly")
    found_alarms: dict[str, dict[str, list[int]]] = told["alarms"]
    return found_alarms


def _table(table: str, streams: list[Stream], peers: dict[str, dict[str, list[int]]]) -> None:
    outcomes: dict[str, dict[str, list[str]]] = {}
    for at, stream in enumerate(streams):
        rows = len(stream.values) - REFERENCE
        if table.startswith("errors"):
            mine = ours.alarms(stream, kind="rate", pane=10, tolerance=0.0)
        else:
            mine = ours.alarms(stream, kind="numeric", pane=50, tolerance=0.001)
        theirs = {
            name: [row - REFERENCE for row in alarms if row >= REFERENCE]
            for name, alarms in peers[f"{table}-{at}"].items()
        }
        scores = {
            name: score(each, stream.changes, rows) for name, each in {"ours": mine, **theirs, **dummies(rows)}.items()
        }
        if at == 0:
            print("| stream | " + " | ".join(scores) + " |\n" + "|---" * (len(scores) + 1) + "|")
        told = f" ({stream.note})" if stream.note else ""
        print(f"| {stream.name}{told} | " + " | ".join(_cell(each) for each in scores.values()) + " |", flush=True)
        for name in theirs:
            outcomes.setdefault(name, {}).setdefault(outcome(scores["ours"], scores[name]), []).append(stream.name)
    for name, found in outcomes.items():
        counts = ", ".join(f"{each} {len(found.get(each, []))}" for each in OUTCOMES)
        where = "".join(f"; {each} on {'; '.join(found[each])}" for each in ("lost", "both") if each in found)
        print(f"against {name}, of {len(streams)} streams: {counts}{where}")


OUTCOMES = ("won", "tied", "both", "lost")  # both: each is better in something


def outcome(a: Score, b: Score) -> str:
    """Of a against b: false alarms, changes missed, and the delay where both saw as many."""
    pairs = [(float(a.false), float(b.false)), (float(a.missed), float(b.missed))]
    if a.missed == b.missed and a.delay is not None and b.delay is not None:
        pairs.append((a.delay, b.delay))
    better, worse = any(x < y for x, y in pairs), any(x > y for x, y in pairs)
    return "both" if better and worse else "won" if better else "lost" if worse else "tied"


def _cell(found: Score) -> str:
    delay = "-" if found.delay is None else f"{found.delay:.0f}"
    return f"{found.per_10k:.2f} / {delay} / {found.missed}"


if __name__ == "__main__":
    main()
