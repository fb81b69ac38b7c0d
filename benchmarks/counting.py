"""What counting costs: cells a second by distribution, beside a search and scipy's KS test; sums; a table of Parquet.

All on one core, in this run: time is that of the thread. `ks_2samp` is given the current column and a reference of the
same length, as it always needs both; ours is the count of the current column and the largest distance of the two count
vectors, as the reference was counted once, when the release was made; `both` counts the reference again as well.
The table has FLYBALL_BENCH_ROWS rows (default 500,000; the promise is about 10,000,000) of 20 columns, and is read in a
process of its own, whose peak of memory is printed.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy import stats

from flyball.core.release import Baseline, Reference
from flyball.monitor.state.categories import count_categories
from flyball.monitor.state.cells import Cells, prepared
from flyball.monitor.state.frame import frame
from flyball.monitor.state.grids import Scratch
from flyball.monitor.state.state import State
from flyball.monitor.state.windows import SlidingWindow, TimedState
from flyball.stats.binning.bins import NumericBins, fit_numeric
from flyball.stats.binning.fine_bins import fit_fine

ROWS = 1_000_000
TABLE_ROWS = int(os.environ.get("FLYBALL_BENCH_ROWS", "500000"))
CHUNK = 262_144
TURNS = 7
Floats = npt.NDArray[np.float64]

_READ = """
import resource, sys, time
from pathlib import Path
from flyball.app.drift.reading import profile_tables
begun = time.perf_counter()
pair = profile_tables(Path(sys.argv[1]), Path(sys.argv[2]))
took = time.perf_counter() - begun
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"{len(pair.features)} columns, {pair.reference_rows:,} and {pair.current_rows:,} rows: {took:.1f} s, "
      f"peak {peak:,.0f} MiB (promise: under 1,024)")
"""


def main() -> None:
    """Print figures and ratios."""
    _numbers()
    _categories()
    _sums()
    _table()


def _numbers() -> None:
    rng = np.random.default_rng(1)
    scratch = Scratch()
    for name, draw in _distributions(rng).items():
        ours, theirs = draw(ROWS), draw(ROWS)
        for bins in (64, 256):
            edges = fit_fine(ours, fit_numeric(ours).edges, bins=bins).edges
            cells, plain = prepared(edges), NumericBins(edges=edges)
            reference = cells.count(ours, scratch).counts
            fast = _best(partial(_compared, cells, scratch, theirs, reference=reference))
            both = _best(partial(_compared, cells, scratch, theirs, ours=ours))
            search = _best(partial(plain.count, theirs), turns=2)
            print(
                f"{name}, {bins} bins: {ROWS / fast / 1e6:,.0f} M cells/s (promise 200), search {search / fast:.1f} x",
                end="",
            )
            if bins == 64 and not np.isnan(theirs).any():  # with NaN its answer is NaN
                ks = _best(partial(stats.ks_2samp, ours, theirs, method="asymp"), turns=2)
                print(
                    f", ks_2samp {1e3 * ks:,.0f} ms: {ks / fast:,.0f} x (promise 50), counting both {ks / both:,.0f} x",
                    end="",
                )
            print(flush=True)


def _categories() -> None:
    rng = np.random.default_rng(2)
    names = [f"category-{n}" for n in range(40)]
    texts = pl.Series(np.array(names)[rng.integers(0, 40, ROWS)])
    known = names[:30]
    for what, column in (("text", texts), ("dictionary", texts.cast(pl.Categorical()))):
        took = _best(partial(count_categories, column, known), turns=3)
        print(f"categories as {what}: {ROWS / took / 1e6:,.0f} M cells/s")


def _sums() -> None:
    """Of states of 50 features; a window that slides, short and long."""
    reference = Reference(kind="numeric", edges=tuple(float(n) for n in range(66)), counts=(1,) * 68)
    answers = {"prediction": Reference(kind="numeric", edges=(0.5,), counts=(1, 1, 0))}
    mine = frame(Baseline(rows=68, features={f"x{n}": reference for n in range(50)}, prediction=answers))
    rng = np.random.default_rng(3)
    panes = [
        TimedState(start=10.0 * n, end=10.0 * n + 10, state=State(mine, rng.integers(0, 99, mine.size, dtype=np.int64)))
        for n in range(1000)
    ]
    plus = _best(lambda: [a.state + b.state for a, b in pairwise(panes)]) / 999
    minus = _best(lambda: [a.state - b.state for a, b in pairwise(panes)]) / 999
    print(
        f"50 features, {mine.size * 8 / 1e3:.0f} kB a state: add {1e6 * plus:.1f} us, subtract {1e6 * minus:.1f} us",
        end="",
    )
    for length in (10, 100, 500):
        window = SlidingWindow(frame=mine, span_s=10.0 * length)
        for pane in panes[:500]:
            window.add(pane)
        begun = time.thread_time()
        for pane in panes[500:]:
            window.add(pane)
        print(f", slide over {length} panes {1e6 * (time.thread_time() - begun) / 500:.1f} us", end="")
    print()


def _table() -> None:
    with tempfile.TemporaryDirectory(dir=".", prefix=".bench-counting-") as name:
        paths = [Path(name) / "reference.parquet", Path(name) / "current.parquet"]
        begun = time.perf_counter()
        for seed, path in enumerate(paths):
            _write(path, seed)
        size = sum(path.stat().st_size for path in paths)
        print(f"wrote two tables of {TABLE_ROWS:,} x 20, {size / 1e6:,.0f} MB, in {time.perf_counter() - begun:.0f} s")
        subprocess.run([sys.executable, "-c", _READ, *map(str, paths)], check=True)


def _write(path: Path, seed: int) -> None:
    """12 numbers, 4 whole numbers, 4 texts; some missing. Chunk by chunk, then joined in a stream."""
    rng = np.random.default_rng(seed)
    colours = np.array(["red", "green", "blue", "a rather long colour"])
    parts = []
    for first in range(0, TABLE_ROWS, CHUNK):
        n = min(CHUNK, TABLE_ROWS - first)
        columns: dict[str, npt.NDArray[np.generic]] = {f"n{k}": rng.normal(seed * 0.1, 1, n) for k in range(6)}
        columns |= {f"l{k}": rng.lognormal(0, 1 + k / 3, n) for k in range(6)}
        columns |= {f"i{k}": rng.poisson(10 ** (k + 1), n) for k in range(4)}
        columns |= {f"c{k}": colours[rng.integers(0, 4, n)] for k in range(4)}
        some = pl.when(pl.col("n0") > 2).then(None).otherwise(pl.col("n0")).alias("n0")
        parts.append(path.with_suffix(f".{first}.parquet"))
        pl.DataFrame(columns).with_columns(some).write_parquet(parts[-1], compression="uncompressed")
    pl.scan_parquet(parts).sink_parquet(path, row_group_size=CHUNK, maintain_order=True)
    for part in parts:
        part.unlink()


def _distributions(rng: np.random.Generator) -> dict[str, Callable[[int], Floats]]:
    return {
        "normal": lambda n: rng.normal(size=n),
        "lognormal": lambda n: rng.lognormal(0, 1, n),
        "whole numbers": lambda n: rng.poisson(200, n).astype(np.float64),
        "heavy-tailed (Cauchy)": lambda n: rng.standard_cauchy(n),
        "heavy-tailed (Pareto 0.5)": lambda n: rng.pareto(0.5, n),
        "half zeros": lambda n: np.where(rng.random(n) < 0.5, 0.0, rng.exponential(size=n)),
        "flags": lambda n: rng.integers(0, 2, n).astype(np.float64),
        "5 % missing": lambda n: np.where(rng.random(n) < 0.05, np.nan, rng.normal(size=n)),
    }


def _compared(
    cells: Cells,
    scratch: Scratch,
    theirs: Floats,
    *,
    reference: npt.NDArray[np.int64] | None = None,
    ours: Floats | None = None,
) -> float:
    """The distance of a column from a reference that was counted before, or from one that is counted now."""
    if ours is not None:
        reference = cells.count(ours, scratch).counts
    assert reference is not None
    return _distance(reference, cells.count(theirs, scratch).counts)


def _distance(ours: npt.NDArray[np.int64], theirs: npt.NDArray[np.int64]) -> float:
    """The largest distance of both distribution functions at the edges."""
    one, two = np.cumsum(ours[:-1]), np.cumsum(theirs[:-1])
    return float(np.max(np.abs(one / one[-1] - two / two[-1])))


def _best(work: Callable[[], object], turns: int = TURNS) -> float:
    """Seconds of this thread, the least of some turns."""
    best = float("inf")
    for _ in range(turns):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
    return best


if __name__ == "__main__":
    main()
