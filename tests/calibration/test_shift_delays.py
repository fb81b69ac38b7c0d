"""How many windows a change takes to be seen, by the e-detector and by the PSI rule: the delay table of the page.

One of 50 sequences changes at once; windows of 1,000 rows, default settings. A delay of 1 is the first window after the
change. `slow` runs a longer version for the table; the short one fixes what must not get lost. Rotations,
which no single sequence can see, are in `test_joint_shift`.
"""

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from flyball.core.release import Reference
from flyball.core.service import Detector, Psi
from flyball.monitor.drift import Reading, compare
from flyball.pipeline.baseline import reference
from flyball.stats.change.bets import bets
from flyball.stats.change.edetector import begin, level, step

import polars as pl  # isort: skip

Rng = np.random.Generator
Column = npt.NDArray[np.float64] | list[str | None]
WINDOW, FEATURES, MOST = 1000, 50, 60
DETECTOR, PSI = Detector(), Psi()
LETTERS = list("abcde")


def normal(shift: float = 0.0, scale: float = 1.0, missing: float = 0.0, drift: float = 0.0) -> Callable[..., Column]:
    def draw(rng: Rng, rows: int, age: int = 0) -> Column:
        values = rng.normal(shift + drift * age, scale, rows)
        values[rng.random(rows) < missing] = np.nan
        return values

    return draw


def category(new: float = 0.0) -> Callable[..., Column]:
    def draw(rng: Rng, rows: int, age: int = 0) -> Column:
        shares = np.array([0.4, 0.3, 0.15, 0.1, 0.05])
        return [str(value) for value in rng.choice([*LETTERS, "z"], rows, p=[*(1 - new) * shares, new])]

    return draw


CHANGES: dict[str, tuple[Callable[..., Column], Callable[..., Column]]] = {
    "shift 0.1 sd": (normal(), normal(0.1)),
    "shift 0.2 sd": (normal(), normal(0.2)),
    "shift 0.3 sd": (normal(), normal(0.3)),
    "shift 0.5 sd": (normal(), normal(0.5)),
    "shift 1 sd": (normal(), normal(1.0)),
    "scale 1.2": (normal(), normal(scale=1.2)),
    "scale 1.5": (normal(), normal(scale=1.5)),
    "missing 1 %": (normal(), normal(missing=0.01)),
    "missing 5 %": (normal(), normal(missing=0.05)),
    "new category 1 %": (category(), category(0.01)),
    "new category 5 %": (category(), category(0.05)),
    "slow, 0.02 sd a window": (normal(), normal(drift=0.02)),
}


def counted(values: Column, into: Reference) -> npt.NDArray[np.int64]:
    from flyball.monitor.panes import counted as count

    column = pl.Series(values) if isinstance(values, list) else pl.Series(values).fill_nan(None)
    return np.array(count(column, into))


def delays(rng: Rng, change: str, rows: int) -> tuple[int | None, int | None, int | None]:
    """Windows until the e-detector, PSI at warn, and PSI at act in three windows; None: not within MOST."""
    before, after = CHANGES[change]
    known = reference(pl.Series(before(rng, rows)))
    all_bets = bets(known.counts, known.kind, tolerance=DETECTOR.tolerance)
    state = begin(known.counts, all_bets)
    for _ in range(5):
        state = step(state, counted(before(rng, WINDOW), known), all_bets)
    found: list[int | None] = [None, None, None]
    act = 0
    for window in range(1, MOST + 1):
        x = counted(after(rng, WINDOW, window), known)
        state = step(state, x, all_bets)
        if found[0] is None and level(state, all_bets).log_sum >= math.log(FEATURES * DETECTOR.arl_windows):
            found[0] = window
        measure = compare(known.counts, x, limit=PSI.warn)
        beyond = measure.value if measure.value is not None and measure.verdict is Reading.DRIFT else 0.0
        act = act + 1 if beyond > PSI.act else 0
        found[1] = found[1] or (window if beyond > PSI.warn else None)
        found[2] = found[2] or (window if act >= PSI.consecutive else None)
        if None not in found:
            break
    return found[0], found[1], found[2]


def told(found: list[int | None]) -> str:
    seen = [delay for delay in found if delay is not None]
    missed = len(found) - len(seen)
    return ("never" if not seen else f"{np.mean(seen):.1f}") + (
        f" ({missed} of {len(found)} missed)" * bool(missed and seen)
    )


@pytest.mark.slow
@pytest.mark.parametrize("rows", [2000, 20_000])
@pytest.mark.parametrize("change", CHANGES)
def test_the_table_of_delays(change: str, rows: int) -> None:
    rng = np.random.default_rng((71, rows))
    found = [delays(rng, change, rows) for _ in range(10)]
    detector, warn, act = ([each[at] for each in found] for at in range(3))
    print(f"\n| {change} | {rows} | {told(detector)} | {told(warn)} | {told(act)} |")
    if change in ("shift 1 sd", "scale 1.5", "missing 5 %"):
        assert None not in detector


@pytest.mark.parametrize(
    ("change", "most"),
    [("shift 0.3 sd", 3), ("scale 1.5", 1), ("missing 5 %", 1), ("new category 5 %", 1)],
)
def test_a_change_worth_acting_on_is_seen_in_time(change: str, most: int) -> None:
    rng = np.random.default_rng(72)
    found = [delays(rng, change, 5000)[0] for _ in range(2)]
    assert all(delay is not None and delay <= most for delay in found)
