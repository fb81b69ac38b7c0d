"""What a backtest costs: by the rows of a log in short and in long panes, and by the windows that were kept of them.

    python -m benchmarks backtest

One policy over the same rows. Threads of polars and numpy only wait for one another on rows that few: run it with
`POLARS_MAX_THREADS=1 OPENBLAS_NUM_THREADS=1` for the figures of one core.
"""

import statistics
import tempfile
import time
from pathlib import Path

from tests.app.monitor import watched_home

from flyball.app.backtest.report import Backtest
from flyball.app.home import Home
from flyball.app.wiring.backtest.places import place
from flyball.app.wiring.backtest.run import Asked, on_history

ROWS, TURNS = 10_000, 3
PANES = (10, 100, 500)  # rows
NAME = "fraud"


def main() -> None:
    """Print rows a second for each length of a pane, and for the windows."""
    watched_home.START = time.time() + 60  # the champion was appointed before it answered
    for pane_rows in PANES:
        with tempfile.TemporaryDirectory() as folder:
            home = _home(Path(folder), pane_rows)
            _told(f"rows of the log, panes of {pane_rows}", home.telemetry(NAME))
            if pane_rows == PANES[-1]:
                watched_home.watched(home)
                _told("windows that were kept", home.root)


def _home(folder: Path, pane_rows: int) -> Home:
    watched_home.PANE_ROWS = pane_rows
    home = watched_home.made(folder)
    watched_home.logged(home, watched_home.traffic(ROWS, drifted_from=ROWS // 2))
    return home


def _told(what: str, history: Path) -> None:
    took: list[tuple[float, float]] = []
    found: list[Backtest] = []
    for _ in range(TURNS):
        began, spent = time.perf_counter(), time.process_time()
        found.append(
            on_history(place(history), NAME, Asked(files=(), sweeps=(), changes=(), within_rows=None), _nobody)
        )
        took.append((time.perf_counter() - began, time.process_time() - spent))
    wall, cpu = (statistics.median(each) for each in zip(*took, strict=True))
    (line,) = found[-1].policies
    print(
        f"{what}: {ROWS / wall:,.0f} rows a second ({ROWS / cpu:,.0f} a second of the processor, "
        f"{cpu * 1e3 / line.windows:.0f} ms a window), {line.windows} windows, {line.alarms} alarms"
    )


def _nobody(_: int) -> None:
    pass


if __name__ == "__main__":
    main()
