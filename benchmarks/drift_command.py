"""What `flyball drift` costs on large tables: time, processor time and peak memory of the whole command, page included.

Beside it, in the same run and on one core: `scipy.stats.ks_2samp` over the same numeric columns, already in memory. The
published drift tools are looked for in `.venv-peers`; they hold the whole of both tables in pandas, so at least the
printed size of these, and what an import of them says is printed.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl
from scipy import stats

NUMBERS, CODES, TEXTS = 14, 4, 2
GROUP = 1_000_000  # rows of a row group
PEERS = Path(".venv-peers/bin/python")


def main() -> None:
    """Print figures for a million and for ten million rows of 20 columns on each side."""
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-drift-") as name:
        folder = Path(name)
        for groups in (1, 10):
            reference = _write(folder / f"reference-{groups}.parquet", groups, shift=0.0)
            current = _write(folder / f"current-{groups}.parquet", groups, shift=0.5)
            _command(reference, current, groups * GROUP)
            if groups == 1:
                _by_scipy(reference, current)
    for peer in ("evidently", "nannyml"):
        _peer(peer)


def _write(path: Path, groups: int, *, shift: float) -> Path:
    """A table whose first two numbers are moved by `shift` standard deviations; every row group is the same."""
    dice = np.random.default_rng(7)
    columns: dict[str, object] = {f"x{i}": dice.normal(shift * (i < 2), 1, GROUP) for i in range(NUMBERS)}
    columns |= {f"k{i}": dice.integers(0, 30, GROUP) for i in range(CODES)}
    words = np.array(["red", "green", "blue", "black"])
    columns |= {f"c{i}": words[dice.integers(0, 4, GROUP)] for i in range(TEXTS)}
    part = pl.DataFrame(columns)
    pl.concat([part] * groups, rechunk=False).lazy().sink_parquet(path, row_group_size=GROUP)
    return path


def _command(reference: Path, current: Path, rows: int) -> None:
    page = reference.with_suffix(".html")
    words = [sys.executable, "-m", "flyball.app.cli", "drift", str(reference), str(current), "--json"]
    for more in ([], ["--html", str(page)]):
        began = time.perf_counter()
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen([*words, *more], stdout=out)
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            drifted = json.load(out)["drifted"]
        size = f", page of {page.stat().st_size / 1024:.0f} KiB" if more else ""
        print(
            f"flyball drift, {rows:,} rows x {NUMBERS + CODES + TEXTS} columns a side: {seconds:.1f} s, "
            f"{used.ru_utime + used.ru_stime:.1f} s of processor, peak {used.ru_maxrss / 1024:,.0f} MiB (target below "
            f"1,024){size}; drifted: {', '.join(drifted)}",
            flush=True,
        )


def _by_scipy(reference: Path, current: Path) -> None:
    before, now = pl.read_parquet(reference), pl.read_parquet(current)
    began = time.perf_counter()
    for i in range(NUMBERS):
        stats.ks_2samp(before[f"x{i}"].to_numpy(), now[f"x{i}"].to_numpy(), method="asymp")
    seconds = time.perf_counter() - began
    size = (before.estimated_size() + now.estimated_size()) / 2**20
    print(
        f"scipy ks_2samp, {before.height:,} rows a side, in memory ({size:,.0f} MiB for both tables): "
        f"{seconds:.1f} s for {NUMBERS} columns, {seconds / NUMBERS:.2f} s each",
        flush=True,
    )


def _peer(name: str) -> None:
    if not PEERS.exists():
        print(f"{name}: not measured, there is no .venv-peers")
        return
    told = subprocess.run([PEERS, "-c", f"import {name}"], capture_output=True, text=True, check=False)
    said = "imports; not measured" if told.returncode == 0 else told.stderr.strip().splitlines()[-1]
    print(f"{name}: {said}")
