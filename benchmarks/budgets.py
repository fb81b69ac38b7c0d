"""Error budgets: what a pane costs on a service's first hour and after four weeks, what a look costs, what is kept.

Panes of ten seconds, five objectives, 28 days: 241,920 panes. The time is that of the thread. `take` adds what a pane
came to, to the slots of all windows; `stand` reads every window of every objective; `kept` is what a
checkpoint holds of it; `rows` is the counting of a pane's rows by polars.
"""

import pickle
import time
from collections.abc import Callable
from statistics import median

import numpy as np
import polars as pl

from flyball.core.declared.objectives import Events, Objective, Slo
from flyball.decide.objectives.budgets import Budgets
from flyball.monitor.slis import events_of

PANE_S, DAY_S, TURNS = 10.0, 86_400.0, 200
OBJECTIVES = (
    Objective(name="availability", sli="availability", target=0.999, window_s=28 * DAY_S),
    Objective(name="latency", sli="latency", target=0.99, window_s=28 * DAY_S, limit_ms=100.0),
    Objective(name="inputs", sli="inputs", target=0.99, window_s=28 * DAY_S),
    Objective(name="freshness", sli="freshness", target=0.95, window_s=28 * DAY_S, max_age_s=3600.0),
    Objective(name="quality", sli="quality", target=0.95, window_s=28 * DAY_S),
)


def main() -> None:
    budgets, now = Budgets(OBJECTIVES, Slo()), 0.0
    counted = {each.name: Events(good=99.0, total=100.0) for each in OBJECTIVES}
    print(f"{'past':>6}  {'take us':>8}  {'stand us':>8}  {'kept kB':>8}")
    for name, until_s in (
        ("1 h", 3600.0),
        ("1 d", DAY_S),
        ("7 d", 7 * DAY_S),
        ("28 d", 28 * DAY_S),
        ("56 d", 56 * DAY_S),
    ):
        while now < until_s:
            budgets.take(now, counted)
            now += PANE_S
        at = now
        take = timed(lambda at=at: budgets.take(at, counted))  # type: ignore[misc]
        stand = timed(lambda at=at: budgets.standing(at))  # type: ignore[misc]
        kept = len(pickle.dumps(budgets, protocol=5)) / 1000
        print(f"{name:>6}  {take:8.1f}  {stand:8.1f}  {kept:8.0f}")
    dice = np.random.default_rng(7)
    for rows in (10, 1_000, 100_000):
        frame = pl.DataFrame(
            {
                "outcome": dice.choice(["answered", "failed"], rows, p=[0.999, 0.001]),
                "latency_ms": dice.exponential(20.0, rows),
                "excluded": np.zeros(rows, dtype=bool),
                "at": np.full(rows, now),
                "x.when": dice.uniform(now - 7200, now, rows),
            }
        )
        print(f"rows {rows:>7,}: {timed(lambda frame=frame: events_of(frame, OBJECTIVES, 'when')):8.1f} us")  # type: ignore[misc]


def timed(work: Callable[[], object]) -> float:
    """Microseconds, the median of some turns."""
    found = []
    for _ in range(TURNS):
        begun = time.thread_time_ns()
        work()
        found.append((time.thread_time_ns() - begun) / 1000)
    return median(found)


if __name__ == "__main__":
    main()
